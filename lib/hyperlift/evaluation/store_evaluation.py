"""Scores a lifter on the test split of a clip store by the Human3.6M protocols."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from hyperlift.data.slicing import SLICINGS, Slicing, clip_rows, resample_index
from hyperlift.data.store import ClipStore, Video
from hyperlift.errors import InputError
from hyperlift.evaluation.protocol import Protocol
from hyperlift.evaluation.results import Errors, EvaluationResult
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.bodies import body_scale
from hyperlift.geometry.contract import LifterSpec, Predictor
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.geometry.joint_errors import joint_distance, root_relative
from hyperlift.geometry.normalisation import denormalise_pose
from hyperlift.shapes import Float, Int

FRAMES_A_CALL = 4096
"""Bound on the frames in one call of the predictor, and so on its memory."""

_MM_PER_M = 1000.0


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Which windows are scored."""

    n_frames: int
    stride: int
    slicing: Slicing
    rows: Int[np.ndarray, "clips 3"]


def evaluate_store(predict: Predictor, spec: LifterSpec, store: ClipStore, protocol: Protocol) -> EvaluationResult:
    """Score a lifter, video by video.

    A prediction in normalised picture space is taken to pixels, times the millimetres a pixel of its frame,
    minus its root, and compared with ``truth_mm`` minus its root. A prediction in camera metres is brought
    from the reference body to the true size of the person and compared with ``joints_m`` minus its root: the
    size is given.

    The errors of a frame in several windows are averaged, then those of an action's frames, then as the
    protocol says.

    Raises:
        InputError: the store does not fit the lifter or lacks the ground truth, the protocol excludes
        everything, or
            the lifter gives something else than finite poses.
    """
    _check_fit(spec, store)
    if protocol.flip:
        predict = FlipAveraged(predict, store.skeleton)
    cut = _cut(spec, store, protocol)
    actions: dict[str, list[Float[np.ndarray, "scored 3"]]] = {}
    frames_total = excluded = 0
    for number, video in enumerate(store.videos):
        if protocol.excludes(video.source):
            excluded += 1
            continue
        frames_total += video.frames
        rows = cut.rows[cut.rows[:, 2] == number]
        if len(rows):
            errors = _video_errors(predict, spec, store, video, rows, cut.n_frames)
            actions.setdefault(video.action or "(no action)", []).append(errors)
    if not actions:
        raise InputError(
            f"{store.folder}: the protocol {protocol.name} leaves no frame to score; give another test split"
        )
    return EvaluationResult(
        lifter=spec.name,
        data=store.meta.source,
        protocol=protocol,
        n_frames=cut.n_frames,
        stride=cut.stride,
        slicing=cut.slicing,
        actions={action: _mean(np.concatenate(errors)) for action, errors in actions.items()},
        frames_total=frames_total,
        videos_excluded=excluded,
        size_given=spec.label_space == "camera",
    )


def _check_fit(spec: LifterSpec, store: ClipStore) -> None:
    if spec.skeleton != store.skeleton.name:
        raise InputError(
            f"{store.folder}: holds skeleton {store.skeleton.name}, the lifter {spec.name} {spec.skeleton}"
        )
    if spec.fps != store.meta.fps:
        raise InputError(
            f"{store.folder}: holds {store.meta.fps:g} frames a second, the lifter {spec.name} "
            f"expects {spec.fps:g}; convert the data at that rate"
        )
    for name in ("joints_m",) if spec.label_space == "camera" else ("truth_mm", "mm_per_px"):
        store.array(name)


def _cut(spec: LifterSpec, store: ClipStore, protocol: Protocol) -> _Cut:
    """The store's own windows; others where the protocol or the lifter asks for others."""
    meta = store.meta
    if meta.slicing not in SLICINGS:
        raise InputError(
            f"{store.folder}: its meta.json names the slicing {meta.slicing!r}; expected {' or '.join(SLICINGS)}"
        )
    own = cast(Slicing, meta.slicing)
    slicing = protocol.slicing or own
    n_frames = min(spec.n_frames, meta.n_frames)
    stride = min(meta.stride, n_frames)
    if (n_frames, stride, slicing) == (meta.n_frames, meta.stride, own):
        rows = np.asarray(store.clips)
    else:
        rows = clip_rows([(video.first, video.frames) for video in store.videos], n_frames, stride, slicing)
    return _Cut(n_frames=n_frames, stride=stride, slicing=slicing, rows=rows)


def _video_errors(
    predict: Predictor,
    spec: LifterSpec,
    store: ClipStore,
    video: Video,
    rows: Int[np.ndarray, "clips 3"],
    n_frames: int,
) -> Float[np.ndarray, "scored 3"]:
    """P1, P2 and N-MPJPE in millimetres of every frame of a video that lies in a window."""
    seen, poses = [], []
    for frames, lifted in _lift(predict, spec, store, video, rows, n_frames):
        seen.append(frames)
        poses.append(lifted)
    frames, pose = np.concatenate(seen), np.concatenate(poses).astype(np.float64)
    if spec.label_space == "camera":
        whole = slice(video.first, video.first + video.frames)
        pose = pose * _MM_PER_M / body_scale(store.array("joints_m")[whole].astype(np.float64), store.skeleton)
        truth = store.array("joints_m")[frames].astype(np.float64) * _MM_PER_M
    else:
        pose_px = denormalise_pose(pose, float(video.width), float(video.height))
        pose = pose_px * store.array("mm_per_px")[frames].astype(np.float64)[:, None, None]
        truth = store.array("truth_mm")[frames].astype(np.float64)
    root = store.skeleton.root
    errors = frame_errors(root_relative(pose, root), root_relative(truth, root))
    return average_by_frame(errors, frames)


def _lift(
    predict: Predictor,
    spec: LifterSpec,
    store: ClipStore,
    video: Video,
    rows: Int[np.ndarray, "clips 3"],
    n_frames: int,
) -> Iterator[tuple[Int[np.ndarray, " lifted"], Float[np.ndarray, "lifted joints 3"]]]:
    """The predicted frames of a video's windows one after the other, and their positions in the store."""
    pose2d_norm = store.array("pose2d_norm")
    batch = max(1, FRAMES_A_CALL // n_frames)
    for start in range(0, len(rows), batch):
        some = rows[start : start + batch]
        frames = np.stack([first + resample_index(int(count), n_frames) for first, count, _ in some])
        clips = np.asarray(pose2d_norm[frames], np.float32)
        lifted = predict(clips)
        if lifted.shape != clips.shape or not np.isfinite(lifted).all():
            raise InputError(
                f"the lifter {spec.name} gave {lifted.shape} for {clips.shape}, or values that are not "
                f"finite, on {video.source}; export or train it again"
            )
        yield frames.reshape(-1), lifted.reshape(-1, *lifted.shape[2:])


def frame_errors(
    pose_mm: Float[np.ndarray, "frames joints 3"], truth_mm: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames 3"]:
    """P1, P2 and N-MPJPE of each frame of one video, in the unit of the input.

    Args:
        pose_mm: root-relative prediction.
        truth_mm: root-relative truth.
    """
    aligned = (pose_mm, align_similarity(pose_mm, truth_mm), align_scale(pose_mm, truth_mm))
    return np.stack([joint_distance(pose, truth_mm).mean(-1) for pose in aligned], axis=-1)


def average_by_frame(
    errors: Float[np.ndarray, "seen 3"], frames: Int[np.ndarray, " seen"]
) -> Float[np.ndarray, "scored 3"]:
    """Mean over the windows that a frame lies in; one row a frame, in the order of the frames."""
    _, position, times = np.unique(frames, return_inverse=True, return_counts=True)
    sums = np.zeros((len(times), errors.shape[1]))
    np.add.at(sums, position, errors)
    return sums / times[:, None]


def _mean(errors: Float[np.ndarray, "frames 3"]) -> Errors:
    p1, p2, n = errors.mean(0).tolist()
    return Errors(frames=len(errors), p1_mm=p1, p2_mm=p2, n_mpjpe_mm=n)
