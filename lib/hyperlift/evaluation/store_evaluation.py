"""Scores a lifter on the test split of a clip store by one or several protocols, which share the lifting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from hyperlift.choices import Slicing
from hyperlift.contract import LifterSpec, Predictor
from hyperlift.datasets.clip_store import ClipStore, Video
from hyperlift.datasets.clips import exact_input
from hyperlift.datasets.slicing import SLICINGS, clip_rows, resample_index
from hyperlift.errors import InputError, quoted
from hyperlift.evaluation.measures import Scores, pooled, score_video
from hyperlift.evaluation.protocol import Protocol
from hyperlift.evaluation.results import EvaluationResult
from hyperlift.geometry.body_size import body_scale
from hyperlift.geometry.flip import flip_pose
from hyperlift.geometry.joint_errors import root_relative
from hyperlift.geometry.normalisation import denormalise_pose
from hyperlift.shapes import Bool, Float, Int

MAX_FRAMES_PER_CALL = 4096
"""Maximum frames per call of the predictor. Chosen: it bounds memory and fills a batch."""

_MM_PER_M = 1000.0
"""Unit conversion."""


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Windows of a slicing."""

    n_frames: int
    stride: int
    rows: Int[np.ndarray, "clips 3"]


@dataclass(frozen=True, kw_only=True)
class _Lifted:
    """Lifted windows of a video, in the label space of the lifter."""

    position: Mapping[tuple[int, int], int]
    """Index of a window (first frame, frame count) in the arrays."""
    frames: Int[np.ndarray, "windows n_frames"]
    """Frame indices in the store."""
    pose: Mapping[bool, Float[np.ndarray, "windows n_frames joints 3"]]
    """With flip (True) and without."""


def evaluate_store(predict: Predictor, spec: LifterSpec, store: ClipStore, protocol: Protocol) -> EvaluationResult:
    """Score a lifter by one protocol; see ``evaluate_protocols``."""
    return evaluate_protocols(predict, spec, store, [protocol])[0]


def evaluate_protocols(
    predict: Predictor, spec: LifterSpec, store: ClipStore, protocols: Sequence[Protocol]
) -> list[EvaluationResult]:
    """Score a lifter, video by video; a window that several protocols use is lifted once.

    A prediction in normalised picture space is converted to pixels, multiplied by the millimetres per pixel of its
    frame, and compared root-relative with ``truth_mm``. A prediction in camera metres is scaled from the reference body
    to the true size of the person (the size is given) and compared root-relative with ``joints_m``. Frames that the
    store marks as invalid are lifted but not scored.

    Errors are averaged over the windows of a frame, then over the frames of an action, then as the protocol states. All
    protocols of a call use the same input: detections, or exact projections (``gt_2d``).

    Returns:
        One result per protocol.

    Raises:
        InputError: the store does not fit the lifter or lacks the ground truth, a protocol excludes
        everything, or the lifter gives something else than finite poses.
    """
    _check_fit(spec, store)
    if protocols[0].gt_2d:
        store.require_projected_label("gt_2d: true")
    own = _own_slicing(store)
    variants: set[tuple[Slicing, bool]] = {(protocol.slicing or own, protocol.flip) for protocol in protocols}
    cuts: dict[Slicing, _Cut] = {slicing: _cut(spec, store, slicing) for slicing, _ in variants}
    scores: dict[tuple[Slicing, bool, int], Scores] = {}
    for number, video in enumerate(store.videos):
        valid = _valid(store, video)
        if all(protocol.excludes(video.source) for protocol in protocols) or not valid.any():
            continue
        rows = {slicing: cut.rows[cut.rows[:, 2] == number] for slicing, cut in cuts.items()}
        all_rows = np.concatenate(list(rows.values()))
        if not len(all_rows):
            continue
        lifted = _lift(
            predict,
            spec,
            store,
            video,
            all_rows,
            with_mirrored=any(flip for _, flip in variants),
            gt_2d=protocols[0].gt_2d,
        )
        for slicing, flip in variants:
            scored = _score(lifted, rows[slicing], flip, spec, store, number)
            if scored:
                scores[slicing, flip, number] = scored
    return [_result(spec, store, protocol, protocol.slicing or own, cuts, scores) for protocol in protocols]


def _result(
    spec: LifterSpec,
    store: ClipStore,
    protocol: Protocol,
    slicing: Slicing,
    cuts: Mapping[Slicing, _Cut],
    scores: Mapping[tuple[Slicing, bool, int], Scores],
) -> EvaluationResult:
    actions: dict[str, list[Scores]] = {}
    frames_total = excluded = 0
    for number, video in enumerate(store.videos):
        if protocol.excludes(video.source):
            excluded += 1
            continue
        frames_total += int(_valid(store, video).sum())
        scored = scores.get((slicing, protocol.flip, number))
        if scored:
            actions.setdefault(video.action or f"(no {protocol.group})", []).append(scored)
    if not actions:
        raise InputError(
            f"{store.folder}: the protocol {protocol.name} leaves no frame to score; give another test split"
        )
    return EvaluationResult(
        lifter=spec.name,
        data=store.meta.source,
        skeleton=store.skeleton,
        fps=float(store.meta.fps),
        protocol=replace(protocol, slicing=slicing),
        n_frames=cuts[slicing].n_frames,
        stride=cuts[slicing].stride,
        slicing=slicing,
        scores={action: pooled(parts) for action, parts in actions.items()},
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


def _own_slicing(store: ClipStore) -> Slicing:
    if store.meta.slicing not in SLICINGS:
        raise InputError(
            f"{store.folder}: its meta.json names the slicing {quoted(store.meta.slicing)}; "
            f"expected {' or '.join(SLICINGS)}"
        )
    return cast(Slicing, store.meta.slicing)


def _cut(spec: LifterSpec, store: ClipStore, slicing: Slicing) -> _Cut:
    """Windows of the store, or new ones if the protocol or the lifter needs others."""
    meta = store.meta
    n_frames = min(spec.n_frames, meta.n_frames)
    stride = min(meta.stride, n_frames)
    if (n_frames, stride, slicing) == (meta.n_frames, meta.stride, meta.slicing):
        rows = np.asarray(store.clips)
    else:
        rows = clip_rows([(video.first, video.frames) for video in store.videos], n_frames, stride, slicing)
    return _Cut(n_frames=n_frames, stride=stride, rows=rows)


def _valid(store: ClipStore, video: Video) -> Bool[np.ndarray, " frames"]:
    frames = slice(video.first, video.first + video.frames)
    return np.asarray(store.array("valid")[frames] > 0) if store.has("valid") else np.ones(video.frames, bool)


def _lift(
    predict: Predictor,
    spec: LifterSpec,
    store: ClipStore,
    video: Video,
    rows: Int[np.ndarray, "rows 3"],
    with_mirrored: bool,
    gt_2d: bool,
) -> _Lifted:
    """Lift each distinct window once."""
    windows = sorted({(int(first), int(count)) for first, count, _ in rows})
    n_frames = min(spec.n_frames, store.meta.n_frames)
    frames = np.stack([first + resample_index(count, n_frames) for first, count in windows])
    if gt_2d:
        clips = exact_input(store.array("label_norm")[frames])
    else:
        clips = np.asarray(store.array("pose2d_norm")[frames], np.float32)
    pose = {False: _predict_batches(predict, spec, clips, video)}
    if with_mirrored:
        mirrored = _predict_batches(predict, spec, flip_pose(clips, store.skeleton), video)
        pose[True] = (pose[False] + flip_pose(mirrored, store.skeleton)) / 2
    return _Lifted(position={window: i for i, window in enumerate(windows)}, frames=frames, pose=pose)


def _predict_batches(
    predict: Predictor, spec: LifterSpec, clips: Float[np.ndarray, "windows n_frames joints 3"], video: Video
) -> Float[np.ndarray, "windows n_frames joints 3"]:
    poses = []
    batch = max(1, MAX_FRAMES_PER_CALL // clips.shape[1])
    for start in range(0, len(clips), batch):
        batch_clips = clips[start : start + batch]
        lifted = predict(batch_clips)
        if lifted.shape != batch_clips.shape or not np.isfinite(lifted).all():
            raise InputError(
                f"the lifter {spec.name} gave {lifted.shape} for {batch_clips.shape}, or values that are not "
                f"finite, on {video.source}; export or train it again"
            )
        poses.append(lifted)
    return np.concatenate(poses)


def _score(
    lifted: _Lifted,
    rows: Int[np.ndarray, "clips 3"],
    flip: bool,
    spec: LifterSpec,
    store: ClipStore,
    number: int,
) -> Scores | None:
    """Scores of the valid frames of a video within windows; None without such frames."""
    video = store.videos[number]
    chosen = [lifted.position[int(first), int(count)] for first, count, _ in rows]
    frames = lifted.frames[chosen].reshape(-1)
    pose = lifted.pose[flip][chosen].reshape(len(frames), len(store.skeleton), 3).astype(np.float64)
    valid = _valid(store, video)
    scored = valid[frames - video.first]
    if not scored.any():
        return None
    frames, pose = frames[scored], pose[scored]
    if spec.label_space == "camera":
        video_m = store.array("joints_m")[video.first : video.first + video.frames][valid].astype(np.float64)
        pose_mm = pose * _MM_PER_M / body_scale(video_m, store.skeleton)
        truth_mm = store.array("joints_m")[frames].astype(np.float64) * _MM_PER_M
    else:
        pose_px = denormalise_pose(pose, float(video.width), float(video.height))
        pose_mm = pose_px * store.array("mm_per_px")[frames].astype(np.float64)[:, None, None]
        truth_mm = store.array("truth_mm")[frames].astype(np.float64)
    root = store.skeleton.root
    relative = root_relative(pose_mm, root), root_relative(truth_mm, root)
    return score_video(*relative, frames, store.skeleton, store.measured[number])
