"""How the error grows as the camera tilts, rolls, sees wider or sees people off-centre, and what helps.

python benchmarks/tilt.py MOCAP [--onnx FILE] [--figure docs/tilt.png]

MOCAP is a folder of motion capture arrays (index.json, test.npz; z up). Virtual cameras see clips of its test split, one
factor at a time: every row has the same clips, sides from which they are seen, distances (at another field of view:
sizes in the picture) and the same draws of detector noise. The picture has no border, so that a row differs from the
next by its angle alone.
"""

import argparse
import dataclasses
from functools import lru_cache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.data.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.data.motion.mocap_arrays import read_mocap_arrays
from hyperlift.data.virtual_cameras import CameraRanges, draw_camera
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.cameras import project
from hyperlift.geometry.contract import Predictor
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.geometry.turned_view import CAMERA_UP, turn_keypoints, turn_pose, turn_towards
from hyperlift.runtime import OnnxLifter, load_lifter
from hyperlift.skeletons import H36M_17
from hyperlift.trajectory.intrinsics import fov_intrinsics
from hyperlift.trajectory.place import place_people
from hyperlift.trajectory.world import pitch_roll, up_from_pitch_roll
from hyperlift.wild.keypoints import LiftedPerson

FPS, SIDE_PX = 25.0, 1000
AHEAD = np.array([0.0, 0.0, 1.0])
SEEDS = (0, 1, 2)


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


PLAIN = Setting()
FACTORS: dict[str, list[tuple[str, Setting]]] = {
    "pitch": [(f"{p:+d}°", Setting(pitch_deg=p)) for p in (-60, -45, -30, -15, 0, 15, 30, 45, 60)],
    "roll": [(f"{r}°", Setting(roll_deg=r)) for r in (0, 10, 20, 30, 45, 60, 90)],
    "field of view": [(f"{f}°", Setting(fov_deg=f)) for f in (35, 50, 60, 80, 100)],
    "off-centre, 60° lens": [(f"{o:g}", Setting(off_centre=o)) for o in (0, 0.3, 0.6, 0.9)],
    "off-centre, 90° lens": [(f"{o:g}", Setting(fov_deg=90, off_centre=o)) for o in (0, 0.3, 0.6, 0.9)],
    "roll, looking down 30°": [(f"{r}°", Setting(pitch_deg=-30, roll_deg=r)) for r in (0, 30, 60)],
}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("--onnx", help="a lifter; default: the bundled one")
    parser.add_argument("--clips", type=int, default=24, help="clips a seed")
    parser.add_argument("--frames", type=int, default=54, help="frames a clip")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--probe", action="store_true", help="print every idea on every factor")
    args = parser.parse_args()
    lifter = load_lifter(args.onnx, threads=1)
    clips = {seed: clips_of(args.mocap, args.clips, args.frames, seed) for seed in range(args.seeds)}
    seen = lru_cache(lambda setting: [views_of(setting, clips[seed], seed) for seed in clips])
    ideas = Ideas(lifter)
    for factor, levels in FACTORS.items():
        print(factor)
        for name, setting in levels:
            cells = [f"{score(idea, seen(setting))}" for idea in ideas.all.values()]
            print(f"  {name:>6} ", " ".join(cells), flush=True)


def clips_of(mocap: Path, count: int, frames: int, seed: int) -> list[np.ndarray]:
    """Moments of different recordings, at the lifter's rate, world metres."""
    rng = np.random.default_rng([seed, 1])
    halved = [r.joints_m[::2] for r in read_mocap_arrays(mocap, "test")]
    long = [joints_m for joints_m in halved if len(joints_m) >= frames]
    clips = []
    for number in rng.permutation(len(long))[:count]:
        joints_m = long[number]
        start = rng.integers(len(joints_m) - frames + 1)
        clips.append(joints_m[start : start + frames].astype(np.float64))
    return clips


def views_of(setting: Setting, clips: Sequence[np.ndarray], seed: int) -> Views:
    """Film every clip; the side, the distance and the noise depend on the clip and the seed alone."""
    closer = np.tan(np.radians(30)) / np.tan(np.radians(setting.fov_deg / 2))
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
    aside = np.arctan(setting.off_centre * np.tan(np.radians(setting.fov_deg / 2)))
    roll = np.radians(setting.roll_deg)
    pan = np.array([[np.cos(aside), 0, np.sin(aside)], [0, 1, 0], [-np.sin(aside), 0, np.cos(aside)]])
    spin = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    keypoints, truth, ups = [], [], []
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
        keypoints.append(corrupt_keypoints(points_px, size_px, hidden, FPS, H36M_17, DetectorNoise(), rng))
        truth.append(joints_m - joints_m[:, :1])
        ups.append(camera.R @ [0.0, 0.0, 1.0])
    return Views(np.stack(keypoints).astype(np.float64), np.stack(truth), camera.K, np.stack(ups))


class Ideas:
    """Ways to lift the same keypoints."""

    def __init__(self, lifter: OnnxLifter) -> None:
        self.lifter = lifter
        self.predict: Predictor = lifter
        self.all: dict[str, Callable[[Views], np.ndarray]] = {
            "plain": self.plain,
            "roll": self.roll,
            "level": self.level,
            "towards": self.towards,
            "towards, roll": lambda v: self.towards(v, "roll"),
            "towards, up": lambda v: self.towards(v, "up"),
            "towards, up/clip": lambda v: self.towards(v, "up", clip=True),
            "towards, up, f": lambda v: self.towards(v, "up", canonical=1.8),
            "towards, up, 60": lambda v: self.towards(v, "up", fov=60),
            "twice roll": lambda v: self.twice(v, "roll"),
            "twice towards": lambda v: self.twice(v, "up"),
        }

    def turned(self, views: Views, turns: np.ndarray, K: np.ndarray, stretch: float = 1.0) -> np.ndarray:
        new = np.stack([turn_keypoints(k, K, t) for k, t in zip(views.keypoints_px, turns, strict=True)])
        points = normalise_points(new[..., :2], SIDE_PX, SIDE_PX) * stretch
        pose = self.predict(np.concatenate([points, new[..., 2:]], -1).astype(np.float32)).astype(np.float64)
        return np.stack([turn_pose(p, np.swapaxes(t, -1, -2)) for p, t in zip(pose, turns, strict=True)])

    def plain(self, views: Views) -> np.ndarray:
        return self.turned(views, np.broadcast_to(np.eye(3), (len(views.up), 3, 3)), views.K)

    def roll(self, views: Views) -> np.ndarray:
        return self.turned(views, np.stack([roll_turn(up) for up in views.up]), views.K)

    def level(self, views: Views) -> np.ndarray:
        return self.turned(views, np.stack([turn_towards(AHEAD - (AHEAD @ up) * up, up) for up in views.up]), views.K)

    def towards(self, views: Views, know: str = "", clip=False, canonical: float | None = None, fov=None, ups=None):
        K = views.K if fov is None else fov_intrinsics(fov, SIDE_PX, SIDE_PX).K
        ups = views.up if ups is None else ups
        turns = []
        for keypoints_px, up in zip(views.keypoints_px, ups, strict=True):
            if know == "":
                up = CAMERA_UP
            if know == "roll":
                up = up_from_pitch_roll(0, pitch_roll(up)[1])
            turns.append(turn_towards(person_direction(keypoints_px, K, clip), up))
        stretch = 1.0 if canonical is None else canonical * SIDE_PX / 2 / K[0, 0]
        return self.turned(views, np.stack(turns), K, stretch)

    def twice(self, views: Views, how: str) -> np.ndarray:
        first = self.plain(views)
        intrinsics = fov_intrinsics(60, SIDE_PX, SIDE_PX)
        ups = []
        for pose, keypoints_px in zip(first, views.keypoints_px, strict=True):
            valid = keypoints_px[..., 2] >= 0.05
            frames = len(pose)
            person = LiftedPerson(0, np.arange(frames), np.arange(frames) / FPS, pose, valid, keypoints_px)
            ups.append(place_people([person], self.lifter.spec, intrinsics).world.up)
        ups = np.stack(ups)
        if how == "roll":
            return self.turned(views, np.stack([roll_turn(up) for up in ups]), views.K)
        return self.towards(views, "up", ups=ups, fov=60)


def roll_turn(up: np.ndarray) -> np.ndarray:
    return turn_towards(AHEAD, up_from_pitch_roll(0.0, pitch_roll(up)[1]))


def person_direction(keypoints_px: np.ndarray, K: np.ndarray, clip: bool) -> np.ndarray:
    weight = np.maximum(keypoints_px[..., 2:], 0.05)
    centre_px = (keypoints_px[..., :2] * weight).sum(1) / weight.sum(1)
    if clip:
        centre_px = np.broadcast_to(centre_px.mean(0), centre_px.shape)
    rays = (centre_px - K[:2, 2]) / K[[0, 1], [0, 1]]
    return np.concatenate([rays, np.ones_like(rays[:, :1])], -1)


def score(idea: Callable[[Views], np.ndarray], seeds: Sequence[Views]) -> str:
    n, pa = [], []
    for views in seeds:
        pose = idea(views)
        pose = pose - pose[:, :, :1]
        n.append(1000 * joint_distance(align_scale(pose, views.truth_m), views.truth_m).mean())
        pa.append(1000 * joint_distance(align_similarity(pose, views.truth_m), views.truth_m).mean())
    return f"{np.mean(n):5.1f}/{np.mean(pa):4.1f}"


if __name__ == "__main__":
    main()
