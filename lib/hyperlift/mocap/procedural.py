"""Procedural motions for tests and demonstrations without files: walking, turning, reaching, squatting, waving.

They are smooth, keep bone lengths and joint limits, and stand on the floor. They do not replace recordings.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.rotations import axis_rotation
from hyperlift.mocap.procedural_body import SIDES, Body
from hyperlift.mocap.recording import Recording, centred
from hyperlift.shapes import Float

_STANDING_STRETCH = 0.994
"""Leg length in standing and walking, relative to its maximum. Chosen: knees are slightly bent."""
_STANCE_PART = 0.44
"""Share of the gait cycle in which a foot is flat and still. Chosen: stance without heel strike and push-off."""
_SETTLE_S = 0.06
"""Half width of the smoothing of the pelvis height. Chosen: it removes corners between steps."""


def procedural_recordings(count: int, seconds: float, seed: int, fps: float = 50.0) -> list[Recording]:
    """Generate recordings; equal arguments give equal bytes, and a longer list starts with the shorter one.

    Args:
        count: number of recordings; kinds of motion alternate.
        seconds: duration of each.
        seed: seed of the random generator.
        fps: frame rate.

    Returns:
        Recordings of different people in metres, z up, facing any direction; ``group`` is the kind of motion.

    Raises:
        InputError: fewer than two frames would result, or the count is negative.
    """
    frames = round(seconds * fps) if 0 < fps < np.inf and 0 < seconds < np.inf else 0
    if frames < 2 or count < 0:
        raise InputError(f"{count} motions of {seconds} s at {fps} frames a second; each needs at least two frames")
    recordings = []
    for index in range(count):
        generator = np.random.default_rng([seed, index])
        group, motion = list(_MOTIONS.items())[index % len(_MOTIONS)]
        stage = _Stage(generator, np.arange(frames) / fps, Body.drawn(generator))
        motion(stage)
        name = f"procedural_{seed}_{index:04d}"
        joints_m = centred(stage.joints_m()).astype(np.float32)
        recordings.append(Recording(name=name, subject=name, group=group, fps=float(fps), joints_m=joints_m))
    return recordings


@dataclass(eq=False)
class _Stage:
    """A body and the time courses of its pose, which a motion fills in."""

    generator: np.random.Generator
    times_s: Float[np.ndarray, " frames"]
    body: Body
    angles_deg: dict[str, Float[np.ndarray, " frames"]] = field(default_factory=dict)
    pelvis_xy_m: Float[np.ndarray, "frames 2"] = field(init=False)
    heading: Float[np.ndarray, " frames"] = field(init=False)
    """Radians counter-clockwise from facing +y, seen from above."""
    pelvis_turn: Float[np.ndarray, "frames 3"] = field(init=False)
    """Lean forward, drop of the right hip and turn to the left, against the heading; radians."""
    sink_m: Float[np.ndarray, " frames"] = field(init=False)
    """How far the pelvis is below standing."""
    ankles_m: dict[str, Float[np.ndarray, "frames 3"]] = field(init=False)

    def __post_init__(self) -> None:
        frames = len(self.times_s)
        self.heading = np.full(frames, self.generator.uniform(-np.pi, np.pi))
        self.pelvis_xy_m, self.pelvis_turn = np.zeros((frames, 2)), np.zeros((frames, 3))
        self.sink_m = np.zeros(frames)
        self.ankles_m = {}

    def joints_m(self) -> Float[np.ndarray, "frames joints 3"]:
        lean, drop, turn = self.pelvis_turn.T
        pelvis = axis_rotation("Z", self.heading + turn) @ axis_rotation("Y", drop) @ axis_rotation("X", -lean)
        height_m = self.body.highest_pelvis_m(self.pelvis_xy_m, pelvis, self.ankles_m, _STANDING_STRETCH)
        height_m = _smooth_lower_bound(height_m, max(1, round(_SETTLE_S / (self.times_s[1] - self.times_s[0]))))
        pelvis_m = np.column_stack([self.pelvis_xy_m, height_m - self.sink_m])
        facing = np.column_stack([*_ahead(self.heading).T, np.zeros(len(self.times_s))])
        return self.body.joints(pelvis_m, pelvis, self.ankles_m, facing, self.angles_deg)

    def stand(self, half_width_m: float, stagger_m: float = 0.0) -> None:
        """Plant both feet beside the origin, the left one ``stagger_m`` further ahead than the right."""
        for letter, sign in SIDES.items():
            xy_m = sign * (half_width_m * _aside(self.heading) - stagger_m / 2 * _ahead(self.heading))
            self.ankles_m[letter] = np.column_stack([xy_m, np.full(len(xy_m), self.body.ankle_height_m)])

    def wander(self, spread: float, slowest_s: float, fastest_s: float = 1.5) -> Float[np.ndarray, " frames"]:
        """A smooth random curve about 0 with a standard deviation near ``spread``."""
        periods_s = np.exp(self.generator.uniform(np.log(fastest_s), np.log(slowest_s), 5))
        phases = self.generator.uniform(0, 2 * np.pi, 5)
        waves = np.sin(2 * np.pi * self.times_s[:, None] / periods_s + phases)
        return spread * np.sqrt(2 / 5) * waves.sum(-1)

    def poses(
        self, low: float, high: float, starts_s: Float[np.ndarray, " moves"], move_s: float
    ) -> Float[np.ndarray, " frames"]:
        """A curve that goes from one random value to the next, each move beginning at its time."""
        values = self.generator.uniform(low, high, len(starts_s) + 1)
        return values[0] + _ease((self.times_s[:, None] - starts_s) / move_s) @ np.diff(values)

    def moments(self, shortest_s: float, longest_s: float) -> Float[np.ndarray, " moves"]:
        """Random times, a while apart, until the end."""
        count = int(self.times_s[-1] / shortest_s) + 2
        return np.cumsum(self.generator.uniform(shortest_s, longest_s, count)) - shortest_s

    def idle(self) -> None:
        """Small movements that nobody can help, for all angles that the motion leaves alone."""
        spreads = {"spine_flexion": 2.0, "spine_side": 1.5, "thorax_twist": 3.0, "neck_twist": 12.0}
        spreads |= {"neck_flexion": 6.0, "neck_side": 3.0}
        for letter in SIDES:
            spreads |= {f"{letter}_shoulder_elevation": 3.0, f"{letter}_elbow_flexion": 4.0}
        for name, spread in spreads.items():
            self._add(name, self.wander(spread, 6.0))
        for letter in SIDES:
            for kind, rest in (
                ("elbow_flexion", 14.0),
                ("shoulder_plane", 40.0),
                ("shoulder_elevation", 6.0),
            ):
                self._add(f"{letter}_{kind}", np.full(len(self.times_s), rest))

    def _add(self, name: str, angle_deg: Float[np.ndarray, " frames"]) -> None:
        self.angles_deg[name] = self.angles_deg.get(name, np.zeros(len(self.times_s))) + angle_deg


def _walk(stage: _Stage) -> None:
    speed = stage.generator.uniform(0.6, 1.6)
    heading = stage.heading + stage.wander(stage.generator.uniform(0.05, 0.5), 12.0, 5.0)
    _step_along(stage, heading, speed, cycles_hz=(0.55 + 0.3 * speed) * stage.generator.uniform(0.93, 1.07))
    stage.idle()


def _turn(stage: _Stage) -> None:
    starts_s = stage.moments(0.8, 2.2)
    heading = stage.heading + stage.poses(-2.5, 2.5, starts_s, stage.generator.uniform(1.2, 2.0))
    _step_along(stage, heading, stage.generator.uniform(0.02, 0.2), stage.generator.uniform(0.7, 1.0))
    stage.idle()


def _step_along(stage: _Stage, heading: Float[np.ndarray, " frames"], speed: float, cycles_hz: float) -> None:
    """Walk: feet stand where the path passes in the middle of their stance, and swing from there to the next.

    The cycle begins with the middle of the left stance.
    """
    generator, times_s = stage.generator, stage.times_s
    step_s = times_s[1] - times_s[0]
    stage.heading = heading
    path_m = np.cumsum(speed * step_s * _ahead(heading), axis=0)
    half_width_m = generator.uniform(0.06, 0.11)
    lift_m = generator.uniform(0.05, 0.07) + 0.05 * speed
    start = generator.uniform()

    for letter, sign in SIDES.items():
        offset = start + (0.5 if letter == "R" else 0.0)
        cycles = np.arange(-2, int(times_s[-1] * cycles_hz) + 4) + offset - 1
        middles_s = cycles / cycles_hz
        places_m = _at(times_s, path_m, middles_s) + sign * half_width_m * _aside(_at(times_s, heading, middles_s))
        swing_s = (1 - _STANCE_PART) / cycles_hz
        progress = (times_s[:, None] - middles_s[:-1] - _STANCE_PART / 2 / cycles_hz) / swing_s
        xy_m = places_m[0] + _ease(progress) @ np.diff(places_m, axis=0)
        # The heel rises early and the foot then swings low, so the highest place comes before the middle.
        rise = np.sin(np.pi * np.clip(progress, 0, 1) ** 0.75) ** 2
        z_m = stage.body.ankle_height_m + lift_m * rise.sum(-1)
        stage.ankles_m[letter] = np.column_stack([xy_m, z_m])

    phase = 2 * np.pi * (times_s * cycles_hz - start)
    left_ahead = -np.sin(phase)
    sway = 0.02 * np.cos(phase)[:, None]
    stage.pelvis_xy_m = path_m - sway * _aside(heading)
    swing = np.radians(2 + 3 * min(speed, 1.2))
    stage.pelvis_turn = np.column_stack(
        [np.full(len(times_s), np.radians(4.0)), np.radians(2.5) * np.cos(phase), -swing * left_ahead]
    )
    stage.angles_deg["spine_twist"] = np.degrees(swing) * 0.7 * left_ahead
    stage.angles_deg["thorax_twist"] = np.degrees(swing) * 0.9 * left_ahead
    stage.angles_deg["spine_side"] = -2.5 * np.cos(phase)
    reach = generator.uniform(8, 14) * (0.4 + speed)
    for letter, sign in SIDES.items():
        # Arms swing against the legs, forward in a plane that is nearly straight ahead.
        forward = sign * left_ahead
        stage.angles_deg[f"{letter}_shoulder_elevation"] = reach * forward
        stage.angles_deg[f"{letter}_shoulder_plane"] = np.full(len(times_s), -35.0)
        stage.angles_deg[f"{letter}_elbow_flexion"] = 10.0 + 0.5 * reach * (1 + forward)


def _reach(stage: _Stage) -> None:
    stage.stand(stage.generator.uniform(0.09, 0.18), stage.generator.uniform(-0.2, 0.2))
    starts_s, move_s = stage.moments(0.9, 2.0), stage.generator.uniform(0.7, 1.1)
    busy = "R" if stage.generator.uniform() < 0.6 else "L"
    for letter in SIDES:
        most = 140.0 if letter == busy else 60.0
        stage.angles_deg[f"{letter}_shoulder_elevation"] = stage.poses(15.0, most, starts_s, move_s)
        stage.angles_deg[f"{letter}_shoulder_plane"] = stage.poses(-55.0, 40.0, starts_s, move_s)
        stage.angles_deg[f"{letter}_shoulder_rotation"] = stage.poses(-40.0, 40.0, starts_s, move_s)
        stage.angles_deg[f"{letter}_elbow_flexion"] = stage.poses(0.0, 70.0, starts_s, move_s)
    for part in ("spine", "thorax"):
        stage.angles_deg[f"{part}_flexion"] = stage.poses(-5.0, 25.0, starts_s, move_s)
        stage.angles_deg[f"{part}_twist"] = stage.poses(-20.0, 20.0, starts_s, move_s)
        stage.angles_deg[f"{part}_side"] = stage.poses(-8.0, 8.0, starts_s, move_s)
    lean = np.radians(stage.poses(0.0, 25.0, starts_s, move_s))
    stage.pelvis_turn = np.column_stack([lean, np.zeros_like(lean), np.radians(stage.wander(5.0, 6.0))])
    stage.pelvis_xy_m = stage.poses(-0.03, 0.03, starts_s, move_s)[:, None] * _aside(stage.heading)
    stage.pelvis_xy_m -= 0.2 * lean[:, None] * _ahead(stage.heading)
    stage.sink_m = stage.poses(0.0, 0.12, starts_s, move_s)
    stage.idle()


def _squat(stage: _Stage) -> None:
    stage.stand(stage.generator.uniform(0.13, 0.22))
    move_s = stage.generator.uniform(0.8, 1.4)
    starts_s = stage.generator.uniform(0.0, 0.5) + np.arange(0.0, stage.times_s[-1] + 1, 1.25 * move_s)
    down = _ease((stage.times_s[:, None] - starts_s) / move_s) @ (-1.0) ** np.arange(len(starts_s))
    depth_m = stage.generator.uniform(0.3, 0.55) * stage.body.leg_m
    stage.sink_m = depth_m * down
    lean = np.radians(stage.generator.uniform(20.0, 40.0)) * down
    stage.pelvis_turn = np.column_stack([lean, np.zeros_like(lean), np.zeros_like(lean)])
    stage.pelvis_xy_m = -0.45 * depth_m * down[:, None] * _ahead(stage.heading)
    stage.angles_deg["spine_flexion"] = 8.0 * down
    stage.angles_deg["neck_flexion"] = -20.0 * down
    raised = stage.generator.uniform(0.0, 105.0)
    for letter in SIDES:
        stage.angles_deg[f"{letter}_shoulder_elevation"] = raised * down
        stage.angles_deg[f"{letter}_shoulder_plane"] = np.full_like(down, -35.0)
    stage.idle()


def _gesture(stage: _Stage) -> None:
    """Stand and wave with one hand, the upper arm out to the side and the forearm up."""
    generator, times_s = stage.generator, stage.times_s
    stage.stand(generator.uniform(0.08, 0.16), generator.uniform(-0.1, 0.1))
    letter = "R" if generator.uniform() < 0.5 else "L"
    up_s = generator.uniform(0.1, 0.4) * times_s[-1]
    lower_s = max(up_s + 1.0, generator.uniform(0.75, 1.1) * times_s[-1])
    raised = _ease((times_s - up_s) / 0.9) - _ease((times_s - lower_s) / 0.9)
    wave = np.sin(2 * np.pi * generator.uniform(1.0, 2.0) * times_s)
    stage.angles_deg[f"{letter}_shoulder_elevation"] = generator.uniform(60, 95) * raised
    stage.angles_deg[f"{letter}_shoulder_plane"] = generator.uniform(20, 50) * raised
    stage.angles_deg[f"{letter}_shoulder_rotation"] = (-75.0 + 8.0 * wave) * raised
    stage.angles_deg[f"{letter}_elbow_flexion"] = (80.0 + 22.0 * wave) * raised
    stage.pelvis_xy_m = stage.wander(0.02, 5.0)[:, None] * _aside(stage.heading)
    stage.pelvis_turn = np.radians(np.column_stack([stage.wander(2.0, 6.0) for _ in range(3)]))
    stage.idle()


_MOTIONS: dict[str, Callable[[_Stage], None]] = {
    "walk": _walk,
    "reach": _reach,
    "squat": _squat,
    "gesture": _gesture,
    "turn": _turn,
}


def _ease(progress: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """0 before 0, 1 after 1, between them the path of least jerk (Flash and Hogan 1985)."""
    u = np.clip(progress, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def _ahead(heading: Float[np.ndarray, " frames"]) -> Float[np.ndarray, "frames 2"]:
    return np.column_stack([-np.sin(heading), np.cos(heading)])


def _aside(heading: Float[np.ndarray, " frames"]) -> Float[np.ndarray, "frames 2"]:
    """To the person's right."""
    return np.column_stack([np.cos(heading), np.sin(heading)])


def _at(times_s: np.ndarray, values: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """Linear interpolation, carried on straight before the first and after the last frame."""
    columns = values.reshape(len(values), -1)
    inside = np.column_stack([np.interp(at_s, times_s, column) for column in columns.T])
    slope_start = (columns[1] - columns[0]) / (times_s[1] - times_s[0])
    slope_end = (columns[-1] - columns[-2]) / (times_s[1] - times_s[0])
    before = np.minimum(at_s - times_s[0], 0.0)[:, None] * slope_start
    after = np.maximum(at_s - times_s[-1], 0.0)[:, None] * slope_end
    return (inside + before + after).reshape(len(at_s), *values.shape[1:])


def _smooth_lower_bound(values: Float[np.ndarray, " frames"], radius: int) -> Float[np.ndarray, " frames"]:
    """A smooth curve nowhere above the given one: the mean over a window of the least over that window."""
    windows = np.lib.stride_tricks.sliding_window_view
    least = windows(np.pad(values, 2 * radius, mode="edge"), 2 * radius + 1).min(-1)
    weights = np.hanning(2 * radius + 3)[1:-1]
    return windows(least, 2 * radius + 1) @ (weights / weights.sum())
