"""Recorded clips as virtual cameras of one setting see them, and ways to lift what they see."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.body.person import LiftedTrack
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.camera_rotation import look_rotation, rotate_keypoints, rotate_pose
from hyperlift.geometry.cameras import project
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.lifting.camera_roll import lift_and_find_roll, upright_predictor
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_camera
from hyperlift.placement.lens import Intrinsics, fov_intrinsics
from hyperlift.placement.place import place_people
from hyperlift.placement.world_frame import pitch_roll
from hyperlift.runtime.session import OnnxLifter
from hyperlift.skeletons.joint_sets import H36M_17

FPS, SIDE_PX = 25.0, 1000
_AHEAD = np.array([0.0, 0.0, 1.0])
_UNSEEN = 0.05


@dataclass(frozen=True)
class Setting:
    """How a camera is held; what is not said is that of somebody who films with care."""

    pitch_deg: float = 0.0
    """Positive looks up."""
    roll_deg: float = 0.0
    """Positive is clockwise, as seen from behind the camera."""
    fov_deg: float = 60.0
    off_centre: float = 0.0
    """Of the middle of the motion, to the right, in halves of the picture's width."""


@dataclass(frozen=True, eq=False)
class Views:
    """All clips as cameras of one setting see them, and what is true."""

    keypoints_px: np.ndarray
    """[views, frames, joints, 3]"""
    truth_m: np.ndarray
    """Root-relative, camera axes."""
    K: np.ndarray
    up: np.ndarray
    """[views, 3], camera axes."""

    @property
    def rolls_deg(self) -> list[float]:
        return [pitch_roll(up)[1] for up in self.up]

    @property
    def lens(self) -> Intrinsics:
        return _lens(float(np.degrees(2 * np.arctan(SIDE_PX / 2 / self.K[0, 0]))))


Idea = Callable[[Views], np.ndarray]
"""A way to lift: root-relative poses in camera axes."""


def _lens(fov_deg: float) -> Intrinsics:
    return fov_intrinsics(fov_deg, SIDE_PX, SIDE_PX)


def clips_of(mocap: Path, count: int, frames: int, seed: int) -> list[np.ndarray]:
    """Moments of different recordings, at the lifter's rate, world metres."""
    rng = np.random.default_rng([seed, 1])
    halved = [recording.joints_m[::2] for recording in read_mocap_arrays(mocap, "test")]
    long = [joints_m for joints_m in halved if len(joints_m) >= frames]
    clips = []
    for number in rng.permutation(len(long))[:count]:
        start = rng.integers(len(long[number]) - frames + 1)
        clips.append(long[number][start : start + frames].astype(np.float64))
    return clips


def views_of(setting: Setting, clips: Sequence[np.ndarray], seed: int) -> Views:
    """Film every clip; the side, the distance and the noise depend on the clip and the seed alone."""
    half = np.tan(np.radians(setting.fov_deg / 2))
    closer = np.tan(np.radians(30)) / half
    ranges = CameraRanges(
        fov_deg=(setting.fov_deg, setting.fov_deg),
        distance_m=(2.8 * closer, 6.0 * closer),
        pitch_deg=(-setting.pitch_deg, -setting.pitch_deg),
        aim_offset_m=0.0,
        roll_deg=0.0,
        nearest_m=0.3,
        visible=0.0,
        pictures=((SIDE_PX, SIDE_PX),),
    )
    aside, roll = np.arctan(setting.off_centre * half), np.radians(setting.roll_deg)
    pan = np.array([[np.cos(aside), 0, np.sin(aside)], [0, 1, 0], [-np.sin(aside), 0, np.cos(aside)]])
    spin = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    seen = []
    for number, clip in enumerate(clips):
        camera = draw_camera(clip, ranges, np.random.default_rng([seed, number, 2]))
        assert camera is not None, "no camera sees a clip from far enough away"
        camera = dataclasses.replace(camera, R=spin @ pan @ camera.R)
        joints_m = camera.to_camera(clip)
        points_px = project(joints_m, camera.K)
        height_m = REFERENCE_HEIGHT_M * np.median(bone_lengths(clip, H36M_17).sum(-1)) / REFERENCE_BONE_SUM_M
        size_px = height_m * camera.focal_px / joints_m[:, H36M_17.root, 2]
        hidden = hidden_joints(joints_m, points_px, size_px, H36M_17)
        rng = np.random.default_rng([seed, number, 3])
        keypoints_px = corrupt_keypoints(points_px, size_px, hidden, FPS, H36M_17, DetectorNoise(), rng)
        seen.append((keypoints_px, joints_m - joints_m[:, :1], camera.R @ [0.0, 0.0, 1.0], camera.K))
    keypoints_px, truth_m, up, matrices = map(np.stack, zip(*seen, strict=True))
    # One lens and picture size: the same matrix for all.
    return Views(keypoints_px.astype(np.float64), truth_m, matrices[0], up)


def ideas(lifter: OnnxLifter) -> dict[str, Idea]:
    """Ways to lift the same keypoints; those that a user can have go through the functions that users have."""

    def turned(views: Views, rolls_deg: Sequence[float] = (), lens: Intrinsics | None = None) -> np.ndarray:
        """Lift through cameras without their roll that look at the person if the lens is known."""
        points = normalise_points(views.keypoints_px[..., :2], SIDE_PX, SIDE_PX)
        pose2d = np.concatenate([points, views.keypoints_px[..., 2:]], -1)
        if not any(rolls_deg) and lens is None:
            return lifter(pose2d.astype(np.float32))
        rolls_deg = rolls_deg or [0.0] * len(pose2d)
        lifts = [upright_predictor(lifter, lifter.spec, roll_deg, lens) for roll_deg in rolls_deg]
        return np.concatenate([lift(clip[None]) for lift, clip in zip(lifts, pose2d, strict=True)])

    def level(views: Views) -> np.ndarray:
        """Lift what level cameras see: another pitch, at the price of a strongly distorted picture."""
        turns = [look_rotation(_AHEAD - (_AHEAD @ up) * up, up) for up in views.up]
        pairs = zip(views.keypoints_px, turns, strict=True)
        level_px = np.stack([rotate_keypoints(keypoints_px, views.K, turn) for keypoints_px, turn in pairs])
        poses = turned(dataclasses.replace(views, keypoints_px=level_px)).astype(np.float64)
        return np.stack([rotate_pose(pose, turn.T) for pose, turn in zip(poses, turns, strict=True)])

    def settled(views: Views) -> np.ndarray:
        """The roll that the poses show; everybody alone, the lens assumed."""
        return np.concatenate([alone(Views(px[None], truth[None], views.K, up[None])) for px, truth, up in
                               zip(views.keypoints_px, views.truth_m, views.up, strict=True)])  # fmt: skip

    def alone(view: Views) -> np.ndarray:
        seen, frame = view.keypoints_px[0, ..., 2] >= _UNSEEN, np.arange(view.keypoints_px.shape[1])

        def roll_of(pose: np.ndarray) -> tuple[float, float]:
            track = LiftedTrack(
                id=0,
                frame=frame,
                time_s=frame / FPS,
                pose_norm=pose[0],
                valid=seen,
                bridged=np.zeros_like(seen),
                keypoints_px=view.keypoints_px[0],
            )
            world = place_people([track], lifter.spec, _lens(60))[1].world
            return world.roll_deg, world.tilt_std_deg

        return lift_and_find_roll(lambda roll_deg: turned(view, [roll_deg]), roll_of)[0]

    return {
        "as it is": turned,
        "roll known": lambda views: turned(views, views.rolls_deg),
        "lens known": lambda views: turned(views, lens=views.lens),
        "60° lens assumed": lambda views: turned(views, lens=_lens(60)),
        "roll and lens known": lambda views: turned(views, views.rolls_deg, views.lens),
        "roll, pitch and lens known: level": level,
        "roll found": settled,
    }
