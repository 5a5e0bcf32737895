"""How the error grows as the camera tilts, rolls, sees wider or sees people off-centre, and what helps.

python benchmarks/tilt.py MOCAP [--onnx FILE]

MOCAP is a folder of motion capture arrays (index.json, test.npz; z up). Virtual cameras see clips of its test split,
one factor at a time: every row has the same clips, sides from which they are seen, distances (at another field of view:
sizes in the picture) and the same draws of detector noise. The picture has no border, so that a row differs from the
next by its angle alone.
"""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from report import PAGE, write_section

from hyperlift.data.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.data.motion.mocap_arrays import read_mocap_arrays
from hyperlift.data.virtual_cameras import CameraRanges, draw_camera
from hyperlift.files import atomic_file
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.cameras import project
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.geometry.turned_view import turn_keypoints, turn_pose, turn_towards
from hyperlift.runtime import OnnxLifter, load_lifter
from hyperlift.skeletons import H36M_17
from hyperlift.trajectory.intrinsics import Intrinsics, fov_intrinsics
from hyperlift.trajectory.place import place_people
from hyperlift.trajectory.world import pitch_roll
from hyperlift.wild.keypoints import LiftedPerson
from hyperlift.wild.levelling import settle_roll, upright

FPS, SIDE_PX = 25.0, 1000
AHEAD = np.array([0.0, 0.0, 1.0])
UNSEEN = 0.05
CURVES = ("as it is", "roll known", "roll found", "lens known")
NOT_DRAWN = ("roll, looking down 30°",)


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
COMPARED = {
    "careful": PLAIN,
    "roll 20°": Setting(roll_deg=20),
    "roll 60°": Setting(roll_deg=60),
    "pitch -45°": Setting(pitch_deg=-45),
    "pitch +45°": Setting(pitch_deg=45),
    "pitch -30°, roll 30°": Setting(pitch_deg=-30, roll_deg=30),
    "off-centre 0.6, 60° lens": Setting(off_centre=0.6),
    "off-centre 0.6, 40° lens": Setting(fov_deg=40, off_centre=0.6),
    "off-centre 0.9, 40° lens": Setting(fov_deg=40, off_centre=0.9),
    "off-centre 0.6, 90° lens": Setting(fov_deg=90, off_centre=0.6),
    "off-centre 0.6, 60° lens, roll 30°": Setting(off_centre=0.6, roll_deg=30),
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

    @property
    def confidence(self) -> np.ndarray:
        return self.keypoints_px[..., 2:]

    @property
    def rolls_deg(self) -> list[float]:
        return [pitch_roll(up)[1] for up in self.up]

    @property
    def lens(self) -> Intrinsics:
        return lens_of(float(np.degrees(2 * np.arctan(SIDE_PX / 2 / self.K[0, 0]))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("--onnx", help="a lifter; default: the bundled one")
    parser.add_argument("--clips", type=int, default=8, help="clips a seed (default %(default)s)")
    parser.add_argument("--frames", type=int, default=54, help="frames a clip (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="draws of clips, sides and noise (default %(default)s)")
    parser.add_argument("--figure", type=Path, default=PAGE.parent / "tilt.png", metavar="PNG")
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    lifter = load_lifter(args.onnx, threads=1)
    clips = {seed: clips_of(args.mocap, args.clips, args.frames, seed) for seed in range(args.seeds)}
    seen = lru_cache(lambda setting: [views_of(setting, clips[seed], seed) for seed in clips])
    ideas = Ideas(lifter)

    @lru_cache
    def scored(idea: str, setting: Setting) -> Score:
        return score(ideas.all[idea], seen(setting))

    helped = CURVES[1:]
    lines = [
        f"| camera | N-MPJPE mm | PA-MPJPE mm | N: {' | N: '.join(helped)} |",
        "|---|---|---|" + "---|" * len(helped),
    ]
    for factor, levels in FACTORS.items():
        for name, setting in levels:
            plain, *others = (scored(idea, setting) for idea in CURVES)
            lines.append(
                f"| {factor} {name} | {plain.n_mm:.1f} ± {plain.n_spread_mm:.1f} | {plain.pa_mm:.1f} ± "
                f"{plain.pa_spread_mm:.1f} | {' | '.join(f'{other.n_mm:.1f}' for other in others)} |"
            )
            print(lines[-1], flush=True)
    lines += ["", "| camera | " + " | ".join(ideas.all) + " |", "|---|" + "---|" * len(ideas.all)]
    for name, setting in COMPARED.items():
        cells = [f"{one.n_mm:.1f} / {one.pa_mm:.1f}" for one in (scored(idea, setting) for idea in ideas.all)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    views = args.clips * args.seeds
    lines += [
        "",
        f"Lifter `{lifter.spec.name}`{'' if args.onnx is None else f' ({Path(args.onnx).name})'}, no mirror average; "
        f"{views} views a row ({args.clips} clips, {args.seeds} seeds), {args.frames} frames each; ± is the standard "
        "deviation over the seeds. Second table: N-MPJPE / PA-MPJPE.",
    ]
    draw(args.figure, {idea: {s: scored(idea, s) for levels in FACTORS.values() for _, s in levels} for idea in CURVES})
    if not args.no_page:
        write_section("tilt", "\n".join(lines))


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
    keypoints, truth, ups, matrices = [], [], [], []
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
        matrices.append(camera.K)
    # One lens and picture size: the same matrix for all.
    return Views(np.stack(keypoints).astype(np.float64), np.stack(truth), matrices[0], np.stack(ups))


class Ideas:
    """Ways to lift the same keypoints; those that a user can have go through the functions that users have."""

    def __init__(self, lifter: OnnxLifter) -> None:
        self.lifter = lifter
        self.all: dict[str, Callable[[Views], np.ndarray]] = {
            "as it is": lambda views: self.turned(views, [0.0] * len(views.up)),
            "roll known": lambda views: self.turned(views, views.rolls_deg),
            "lens known": lambda views: self.turned(views, [0.0] * len(views.up), views.lens),
            "60° lens assumed": lambda views: self.turned(views, [0.0] * len(views.up), lens_of(60)),
            "roll and lens known": lambda views: self.turned(views, views.rolls_deg, views.lens),
            "roll, pitch and lens known: level": self.level,
            "roll found": self.settled,
        }

    def turned(self, views: Views, rolls_deg: Sequence[float], lens: Intrinsics | None = None) -> np.ndarray:
        """Lift through cameras without their roll that look at the person if the lens is known."""
        points = np.concatenate([normalise_points(views.keypoints_px[..., :2], SIDE_PX, SIDE_PX), views.confidence], -1)
        if not any(rolls_deg) and lens is None:
            return self.lifter(points.astype(np.float32))
        predictors = [upright(self.lifter, self.lifter.spec, roll, lens) for roll in rolls_deg]
        return np.concatenate([predict(clip[None]) for predict, clip in zip(predictors, points, strict=True)])

    def level(self, views: Views) -> np.ndarray:
        """Lift what level cameras see: another pitch, at the price of a strongly distorted picture."""
        turns = [turn_towards(AHEAD - (AHEAD @ up) * up, up) for up in views.up]
        level_px = np.stack(
            [turn_keypoints(k, views.K, turn) for k, turn in zip(views.keypoints_px, turns, strict=True)]
        )
        poses = self.turned(Views(level_px, views.truth_m, views.K, views.up), [0.0] * len(turns)).astype(np.float64)
        return np.stack([turn_pose(pose, turn.T) for pose, turn in zip(poses, turns, strict=True)])

    def settled(self, views: Views) -> np.ndarray:
        """The roll that the poses show; everybody alone, the lens assumed."""
        poses = []
        for row in range(len(views.up)):
            one = slice(row, row + 1)
            alone = Views(views.keypoints_px[one], views.truth_m[one], views.K, views.up[one])
            seen = alone.keypoints_px[0, ..., 2] >= UNSEEN
            number = np.arange(len(seen))

            def lift_at(roll_deg: float, alone: Views = alone) -> np.ndarray:
                return self.turned(alone, [roll_deg])

            def roll_of(pose: np.ndarray, alone: Views = alone, seen=seen, number=number) -> tuple[float, float]:
                person = LiftedPerson(0, number, number / FPS, pose[0], seen, alone.keypoints_px[0])
                world = place_people([person], self.lifter.spec, lens_of(60)).world
                return world.roll_deg, world.tilt_std_deg

            poses.append(settle_roll(lift_at, roll_of)[0])
        return np.concatenate(poses)


def lens_of(fov_deg: float) -> Intrinsics:
    return fov_intrinsics(fov_deg, SIDE_PX, SIDE_PX)


@dataclass(frozen=True)
class Score:
    """Means over the seeds, and their standard deviations."""

    n_mm: float
    n_spread_mm: float
    pa_mm: float
    pa_spread_mm: float


def score(idea: Callable[[Views], np.ndarray], seeds: Sequence[Views]) -> Score:
    n_mm, pa_mm = [], []
    for views in seeds:
        pose = idea(views)
        pose = pose - pose[:, :, :1]
        n_mm.append(1000 * joint_distance(align_scale(pose, views.truth_m), views.truth_m).mean())
        pa_mm.append(1000 * joint_distance(align_similarity(pose, views.truth_m), views.truth_m).mean())
    return Score(*(float(value) for value in (np.mean(n_mm), np.std(n_mm), np.mean(pa_mm), np.std(pa_mm))))


def draw(path: Path, scores: dict[str, dict[Setting, Score]]) -> None:
    """Error against each factor."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    drawn = [factor for factor in FACTORS if factor not in NOT_DRAWN]
    for axes, factor in zip(figure.subplots(1, len(drawn), sharey=True), drawn, strict=True):
        names, settings = zip(*FACTORS[factor], strict=True)
        values = [float(name.rstrip("°")) for name in names]
        for (idea, of), colour in zip(scores.items(), ("#20242b", "#1f8a5b", "#b8741a", "#2e86de"), strict=True):
            n_mm, spread = ([getattr(of[s], key) for s in settings] for key in ("n_mm", "n_spread_mm"))
            # What is measured first lies on top: where nothing helps, the other curves are the same.
            first = idea == CURVES[0]
            axes.errorbar(
                values,
                n_mm,
                spread if first else None,
                color=colour,
                ls="-" if first else "--",
                marker="o",
                ms=3,
                capsize=2,
                lw=1.4,
                label=idea,
                zorder=4 if first else 3,
            )
        pa_mm = [scores["as it is"][s].pa_mm for s in settings]
        axes.plot(values, pa_mm, color="#20242b", ls=":", lw=1.2, label="as it is, PA-MPJPE")
        axes.set(title=factor, xlabel="degrees" if names[0].endswith("°") else "halves of the width")
        axes.grid(alpha=0.3)
    figure.axes[0].set(ylabel="N-MPJPE, mm", ylim=(0, None))  # of all: they share it
    figure.axes[1].legend(frameon=False, fontsize=8)
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=100, format="png")


if __name__ == "__main__":
    main()
