"""The input clip of an attention run: from a clip store, from keypoints of a detector, or a synthetic walk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.cli.training_commands import Attention
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import grid_times, resample_pose2d
from hyperlift.lifting.lift import network_input, track_people
from hyperlift.mocap.detector_noise import DetectorNoise
from hyperlift.mocap.mocap_clips import MocapStoreConfig, view_arrays
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_camera
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_SEED = 0
"""Seed of the invented walk. Chosen: any number gives a reproducible clip."""


@dataclass(frozen=True, eq=False)
class AttentionClip:
    """An input clip of a lifter, and its origin."""

    pose2d_norm: Float[np.ndarray, "frames joints 3"]
    source: str


def attention_clip(options: Attention, spec: LifterSpec, run: Mapping[str, Any]) -> AttentionClip:
    """The clip that the options name; by default one of the test data of the run, or else a synthetic walk.

    Args:
        options: of the command.
        spec: contract of the lifter.
        run: training configuration of the lifter.

    Raises:
        InputError: the clip does not exist or has another skeleton.
    """
    if options.keypoints:
        return _detected(options, spec)
    if options.data:
        return _stored(options.data, options.clip, spec)
    own = run.get("data", {})
    for split in (own.get("validation"), own.get("train")):
        folder = Path(own.get("root", "")) / (split or "")
        if split and (folder / "meta.json").is_file():
            return _stored(folder, options.clip, spec)
    if options.clip:
        raise InputError(f"`clip` is {options.clip}, and there is no clip store; give it with `data`")
    return _invented(spec)


def _stored(folder: Path, clip: int, spec: LifterSpec) -> AttentionClip:
    splits = [folder, folder / "test", folder / "val", folder / "train"]
    store = ClipStore(next((split for split in splits if (split / "meta.json").is_file()), folder))
    if store.meta.skeleton != spec.skeleton:
        raise InputError(f"{store.folder}: holds skeleton {store.meta.skeleton}, the lifter wants {spec.skeleton}")
    if store.meta.fps != spec.fps:
        raise InputError(f"{store.folder}: has {store.meta.fps:g} frames a second, the lifter wants {spec.fps:g}")
    if not 0 <= clip < len(store):
        raise InputError(f"`clip` is {clip}; {store.folder} has clips 0 to {len(store) - 1}")
    pose2d_norm = np.array(store.clip(clip), np.float32)[: spec.n_frames]
    return AttentionClip(pose2d_norm, f"clip {clip} of {store.folder}: {store.video_of(clip).source}")


def _detected(options: Attention, spec: LifterSpec) -> AttentionClip:
    if spec.skeleton != H36M_17.name:
        raise InputError(
            f"`keypoints` come as {H36M_17.name}, the lifter wants {spec.skeleton}; give a clip store (`data`)"
        )
    assert options.keypoints is not None
    if options.picture_size is None or not options.fps:
        raise InputError("`keypoints` need the video's size and frame rate; give `picture_size` and `fps`")
    width, height = options.picture_size
    detections = read_keypoints(options.keypoints, picture_size=(width, height))
    time_s = detections.times_s(options.fps)
    tracks = {track.id: track for track in track_people(detections, width, height, time_s)}
    longest = max(tracks.values(), key=lambda track: len(track.frame))
    if options.person is not None and options.person not in tracks:
        raise InputError(f"`person` is {options.person}; there is no such person; choose from {sorted(tracks)}")
    track = longest if options.person is None else tracks[options.person]
    filled, pose2d_norm = network_input(track, width, height, time_s)
    first, last = int(filled.frame[0]), int(filled.frame[-1])
    start = max(options.start - first, 0)
    if options.start > last:
        raise InputError(f"`start` is {options.start}; person {track.id} is seen in frames {first} to {last}")
    clip, clip_s = pose2d_norm[start:], filled.time_s[start:]
    clip = resample_pose2d(clip, clip_s, grid_times(clip_s, spec.fps))[: spec.n_frames]
    where = f"person {track.id} of {options.keypoints.name} from frame {first + start}, at {spec.fps:g} frames a second"
    return AttentionClip(clip.astype(np.float32), where)


def _invented(spec: LifterSpec) -> AttentionClip:
    if spec.skeleton != H36M_17.name:
        raise InputError(
            f"motion is invented for {H36M_17.name} only; give a clip store (`data`) with skeleton {spec.skeleton}"
        )
    (walk,) = procedural_recordings(1, seconds=max(spec.n_frames, 2) / spec.fps, seed=_SEED, fps=spec.fps)
    rng = np.random.default_rng(_SEED)
    camera = draw_camera(walk.joints_m, CameraRanges(roll_deg=0.0), rng)
    assert camera is not None, "a walk of a few seconds always has a camera"
    config = MocapStoreConfig(n_frames=spec.n_frames, fps=spec.fps, noise=DetectorNoise())
    pose2d_norm = view_arrays(walk.joints_m, camera, config, rng)["pose2d_norm"][: spec.n_frames]
    return AttentionClip(pose2d_norm.astype(np.float32), f"an invented motion ({walk.group})")
