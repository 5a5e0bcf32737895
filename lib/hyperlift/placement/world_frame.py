"""Estimation of gravity and of the floor.

The up direction n minimises a sum of terms that are quadratic in n, so it is the eigenvector of the smallest
eigenvalue. The terms are: the axes of standing people are parallel to n; the resting feet of a person have one height
n·c; cameras are roughly level. Each term is weighted by the inverse of its variance, over all people; Cauchy weights
suppress outliers such as a climber's feet or a person lying down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_HEIGHT_M
from hyperlift.geometry.rotations import unit
from hyperlift.placement.foot_contacts import standing_feet
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

ANKLE_HEIGHT = 0.076 / REFERENCE_HEIGHT_M
"""Height of the ankle of a standing foot, relative to standing height (median of 20 recorded subjects: 7.6 cm for a
body of 1.70 m)."""
_LEAN = np.radians(2.5)
"""Forward lean of the line ankles–thorax of a standing person, whose centre of mass is in front of the ankles (2.6° ±
1.9° over recordings of eight kinds of motion)."""
_AXIS_STD = np.radians(3.5)
"""Standard deviation of the mean axis of one person, which more frames do not reduce. Chosen: the spread of the lean,
1.9°, plus errors of the pose."""
_POSTURE_STD = np.radians(10.0)
"""Standard deviation of the axis at one time. Chosen: postures of a person who stands or walks."""
_POSTURE_TIME_S = 0.1
"""Correlation time of the posture. Chosen: a tenth of a stride."""
_BENT_SHARE = 0.1
"""Weight of a frame with a bent body or a lifted leg, relative to a frame with a straight body. Chosen: such frames
count only if there are no others."""
_TORSO_SHARE = 0.5
"""Weight of pelvis–thorax in the axis; the rest is ankles–thorax. Chosen: equal, since their errors are independent."""
_TORSO_ONLY = 2.0
"""Factor on the standard deviation of an axis without feet. Chosen: a torso bends more than a whole body."""
_OUTLIER_AXIS = np.radians(15.0)
"""Scale of the Cauchy weights of axes. Chosen: above the lean of a walker, far below a person lying down."""
_CONTACT_STD_M = 0.04
"""Standard deviation of the height of a resting ankle, for every ``_CONTACT_TIME_S`` of rest. Chosen: error of the
pose, and of the depth that a slanted view turns into height."""
_CONTACT_TIME_S = 0.5
"""Correlation time of the height of a resting ankle. Chosen: about one stance phase."""
_OUTLIER_CONTACT_M = 0.10
"""Scale of the Cauchy weights of contacts. Chosen: below the height of a step (0.15 m)."""
_REST_S = 1.0
"""Rest of a foot beyond this time adds no weight to a floor level. Chosen: two correlation times."""
_PITCH_STD, _ROLL_STD = np.radians(25.0), np.radians(10.0)
"""Prior of the camera's tilt. Chosen: cameras often look down, but are rarely rolled."""
_UPRIGHT_SPEED_M_S = 1.5
"""Frames lose weight at a higher speed of the root, because runners lean. Chosen: a brisk walk."""
_MAX_ITERATIONS, _CONVERGED_RAD = 60, 1e-4
"""Reweighting stops when up moves by less than 1e-4 rad (0.006°), far below its standard deviation."""
MAX_UP_STD_DEG = 8.0
"""The estimate of up is rejected if its standard deviation is larger. Chosen: near that of the prior of the roll."""


@dataclass(frozen=True, eq=False)
class PlacedBody:
    """One person in camera space: input of the estimation of gravity and floor."""

    joints_m: Float[np.ndarray, "frames joints 3"]
    """Metres in camera axes."""
    valid: Bool[np.ndarray, "frames joints"]
    time_s: Float[np.ndarray, " frames"]
    height_m: float
    """Standing height."""


@dataclass(frozen=True, eq=False)
class WorldFrame:
    """World axes: right-handed, z up (against gravity), y the camera's viewing direction along the floor, x to the
    camera's right. The origin is on the floor under the first person's pelvis in their first frame.
    """

    R: Float[np.ndarray, "3 3"]
    """Rotation from camera to world, determinant +1: ``world = R (camera - origin)``."""
    origin_m: Float[np.ndarray, " 3"]
    """Origin of the world in camera axes."""
    tilt_source: str
    """Origin of the up direction in words: given angles, or the evidence for an estimate."""
    tilt_std_deg: float
    """Standard deviation of the up direction, degrees; NaN if it was given."""
    floor_source: str
    seen_roll_deg: float | None = None
    """Roll of the camera estimated from people who contradict the given roll; else None."""

    def contradicted(self, seen_roll_deg: float) -> "WorldFrame":
        """The same frame with a note that the people contradict the given roll."""
        source = f"{self.tilt_source}; the people contradict the roll: they show about {seen_roll_deg:.0f} degrees"
        return replace(self, tilt_source=source, seen_roll_deg=seen_roll_deg)

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> "WorldFrame":
        """The inverse of ``as_dict``.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or has the wrong type.
        """
        std_deg, seen_deg = stated["tilt_std_deg"], stated.get("seen_roll_deg")
        return cls(
            R=np.asarray(stated["R"], np.float64).reshape(3, 3),
            origin_m=np.asarray(stated["origin_m"], np.float64).reshape(3),
            tilt_source=str(stated["tilt_source"]),
            tilt_std_deg=float("nan") if std_deg is None else float(std_deg),
            floor_source=str(stated["floor_source"]),
            seen_roll_deg=None if seen_deg is None else float(seen_deg),
        )

    @property
    def up(self) -> Float[np.ndarray, " 3"]:
        """The up direction in camera axes."""
        return self.R[2]

    @property
    def pitch_deg(self) -> float:
        """Pitch of the camera; positive looks up."""
        return pitch_roll(self.up)[0]

    @property
    def roll_deg(self) -> float:
        """Roll of the camera; positive is clockwise as seen from behind it."""
        return pitch_roll(self.up)[1]

    @property
    def camera_height_m(self) -> float:
        """Height of the camera above the floor."""
        return float(-self.up @ self.origin_m)

    def to_world(self, points_m: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """Transform points from camera to world axes, metres."""
        return (points_m - self.origin_m) @ self.R.T

    def as_dict(self) -> dict[str, Any]:
        """For the ``meta`` of outputs."""
        return {
            "axes": "z up; y the camera's viewing direction along the floor; x to the camera's right; right-handed",
            "origin": "on the floor under the first person's pelvis in their first frame",
            "formula": "world_m = R (joints_m - origin_m) + [0, 0, floor_shift_m of the person]",
            "R": self.R.tolist(),
            "origin_m": self.origin_m.tolist(),
            "camera_height_m": self.camera_height_m,
            "camera_pitch_deg": self.pitch_deg,
            "camera_roll_deg": self.roll_deg,
            "tilt_source": self.tilt_source,
            "tilt_std_deg": None if np.isnan(self.tilt_std_deg) else self.tilt_std_deg,
            "seen_roll_deg": self.seen_roll_deg,
            "floor_source": self.floor_source,
        }


def up_from_pitch_roll(pitch_deg: float, roll_deg: float) -> Float[np.ndarray, " 3"]:
    """Up in camera axes (x right, y down, z forward).

    Args:
        pitch_deg: positive looks up: a camera that looks 10° down has -10.
        roll_deg: positive is clockwise as seen from behind the camera (the picture content then appears rotated
            counter-clockwise).

    Raises:
        InputError: the pitch is outside of -90 … 90, or the roll outside of -180 … 180 degrees.
    """
    if not -90 <= pitch_deg <= 90:
        raise InputError(f"`camera_pitch_deg` is {pitch_deg:g}; give degrees within -90 … 90 (positive looks up)")
    if not -180 <= roll_deg <= 180:
        raise InputError(f"`camera_roll_deg` is {roll_deg:g}; give degrees within -180 … 180 (positive is clockwise)")
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return np.array([-np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), np.sin(pitch)])


def pitch_roll(up: Float[np.ndarray, " 3"]) -> tuple[float, float]:
    """Pitch and roll of a camera in degrees, from up in camera axes; the inverse of ``up_from_pitch_roll``."""
    pitch = np.degrees(np.arctan2(up[2], np.hypot(up[0], up[1])))
    return float(pitch), float(np.degrees(np.arctan2(-up[0], -up[1])))


def find_up(bodies: Sequence[PlacedBody], skeleton: Skeleton) -> tuple[Float[np.ndarray, " 3"], float, str]:
    """Estimate the up direction from body axes and resting feet of all people.

    Returns:
        Unit vector in camera axes, its standard deviation in degrees (root mean square over two directions), and the
        evidence in words.
    """
    prior = np.diag([np.sin(_ROLL_STD) ** -2, 0.0, np.sin(_PITCH_STD) ** -2])
    axes = [_axes(body, skeleton) for body in bodies]
    up = np.array([0.0, -1.0, 0.0])
    information, seconds, rests = prior, 0.0, 0
    for turn in range(_MAX_ITERATIONS):
        information, seconds, rests = prior.copy(), 0.0, 0
        for body, (axis, weight_s, spread) in zip(bodies, axes, strict=True):
            term, standing_s = _axis_term(axis, weight_s, spread, up)
            information += term
            seconds += standing_s
            if turn > 0:  # contacts need a first estimate of up
                term, count = _contact_term(body, skeleton, up)
                information += term
                rests += count
        values, vectors = np.linalg.eigh(information)
        before, up = up, vectors[:, 0] * np.sign(vectors[:, 0] @ up)
        if turn > 1 and np.linalg.norm(up - before) < _CONVERGED_RAD:
            break
    values, _ = np.linalg.eigh(information)
    open_ = 1 / np.maximum(values[1:] - values[0], 1e-9)
    evidence = f"estimated from {seconds:.1f} s of upright bodies and {rests} resting feet"
    return up, float(np.degrees(np.sqrt(open_.mean()))), evidence


def world_frame(
    bodies: Sequence[PlacedBody],
    skeleton: Skeleton,
    pitch_deg: float | None = None,
    roll_deg: float | None = None,
) -> WorldFrame:
    """Estimate gravity and floor of a scene.

    Args:
        bodies: all people; the first one defines the origin.
        skeleton: of their joints.
        pitch_deg: of the camera, positive looks up; None estimates it.
        roll_deg: of the camera, positive is clockwise as seen from behind it; None estimates it.

    Raises:
        InputError: ``bodies`` is empty, or an angle is out of range.
    """
    if not bodies:
        raise InputError("there are no people to find the floor from; at least one person is needed")
    up, std_deg, source = find_up(bodies, skeleton)
    if pitch_deg is not None or roll_deg is not None:
        found = pitch_roll(up)
        given = [
            f"camera {name} given as {angle:g} degrees"
            for name, angle in (("pitch", pitch_deg), ("roll", roll_deg))
            if angle is not None
        ]
        up = up_from_pitch_roll(
            found[0] if pitch_deg is None else pitch_deg, found[1] if roll_deg is None else roll_deg
        )
        source = "; ".join([*given, *([f"the other {source}"] if len(given) == 1 else [])])
        std_deg = float("nan") if len(given) == 2 else std_deg
    levels = [floor_level(body, skeleton, up) for body in bodies]
    # Rest beyond ``_REST_S`` adds no weight; of two levels with equal weight, the lower one is the floor.
    standing = [(level, min(rest_s, _REST_S)) for level, rest_s in levels if rest_s > 0]
    if standing:
        floor_m = _weighted_median(*np.array(standing).T)
        floor_source = f"resting feet of {len(standing)} of {len(bodies)} people"
    else:
        floor_m = float(np.median([level for level, _ in levels]))
        floor_source = "no foot rests: the lowest ankles"
    R = world_axes(up)
    first_m = bodies[0].joints_m[0, skeleton.root]
    origin_m = first_m - (first_m @ up - floor_m) * up
    return WorldFrame(R=R, origin_m=origin_m, tilt_source=source, tilt_std_deg=std_deg, floor_source=floor_source)


def floor_level(body: PlacedBody, skeleton: Skeleton, up: Float[np.ndarray, " 3"]) -> tuple[float, float]:
    """Height of the floor under a person's resting feet relative to the camera, in metres, and the seconds of rest.

    Without a resting foot it is the level below the lowest ankles, with 0 s.
    """
    ankles_m, seen = _ankles(body, skeleton)
    heights_m = ankles_m @ up - ANKLE_HEIGHT * body.height_m
    resting = standing_feet(ankles_m, seen, body.time_s, up)
    if not resting.any():
        return float(np.quantile(heights_m[seen] if seen.any() else heights_m, 0.05)), 0.0
    rest_m = heights_m[resting]
    # Feet also rest on steps and chairs; the lowest such level is the floor.
    lowest = np.quantile(rest_m, 0.1)
    return float(np.median(rest_m[rest_m < lowest + 0.15])), float(resting.sum() * _frame_s(body))


def _axis_term(
    axis: Float[np.ndarray, "frames 3"],
    weight_s: Float[np.ndarray, " frames"],
    spread: float,
    up: Float[np.ndarray, " 3"],
) -> tuple[Float[np.ndarray, "3 3"], float]:
    """Information matrix of one person's mean axis, and the weighted seconds of standing."""
    angle = np.arccos(np.clip(axis @ up, -1.0, 1.0))
    # Cauchy weights relative to the current up, so that the tilt of the camera itself is no outlier.
    weight_s = weight_s / (1 + (angle / _OUTLIER_AXIS) ** 2)
    standing_s = float(weight_s.sum())
    mean = (axis * weight_s[:, None]).sum(0)
    length = np.linalg.norm(mean)
    if standing_s < 1e-6 or length < 1e-9:
        return np.zeros((3, 3)), 0.0
    mean /= length
    variance = spread**2 * (_AXIS_STD**2 + _POSTURE_STD**2 * _POSTURE_TIME_S / standing_s)
    return (np.eye(3) - np.outer(mean, mean)) / variance, standing_s


def _contact_term(
    body: PlacedBody, skeleton: Skeleton, up: Float[np.ndarray, " 3"]
) -> tuple[Float[np.ndarray, "3 3"], int]:
    """Information matrix of one person's resting feet, which have one unknown height, and the number of rests."""
    ankles_m, seen = _ankles(body, skeleton)
    resting = standing_feet(ankles_m, seen, body.time_s, up)
    if resting.sum() < 2:
        return np.zeros((3, 3)), 0
    places_m = ankles_m[resting]
    heights_m = places_m @ up
    off_m = heights_m - np.median(heights_m)
    weight = 1 / (1 + (off_m / _OUTLIER_CONTACT_M) ** 2)
    centred = places_m - (places_m * weight[:, None]).sum(0) / weight.sum()
    # Contacts that do not lie in one plane (a climber's) have a larger variance.
    variance = max(_CONTACT_STD_M**2, float(np.median(np.abs(off_m)) * 1.4826) ** 2)
    share = min(1.0, _frame_s(body) / _CONTACT_TIME_S) / variance
    starts = (resting[1:] & ~resting[:-1]).sum() + resting[0].sum()
    return share * (centred * weight[:, None]).T @ centred, int(starts)


def _axes(
    body: PlacedBody, skeleton: Skeleton
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, " frames"], float]:
    """Body axis in every frame, weight of each frame in seconds, and a factor on the standard deviation of the axis."""
    joint = {name: body.joints_m[:, skeleton.index(name)] for name in skeleton.joints}
    seen = {name: body.valid[:, skeleton.index(name)] for name in skeleton.joints}
    torso = unit(joint["Thorax"] - joint["Pelvis"])
    slow = 1 / (1 + (_speed(joint["Pelvis"], body.time_s) / _UPRIGHT_SPEED_M_S) ** 2)
    weight_s = _frame_s(body) * slow * (seen["Thorax"] & seen["Pelvis"])
    feet = seen["LAnkle"] & seen["RAnkle"]
    if feet.sum() < 0.2 * max(weight_s.astype(bool).sum(), 1):
        return torso, weight_s, _TORSO_ONLY
    legs = unit(joint["Pelvis"] - (joint["LAnkle"] + joint["RAnkle"]) / 2)
    knees = [
        (unit(joint[f"{side}Hip"] - joint[f"{side}Knee"]) * unit(joint[f"{side}Knee"] - joint[f"{side}Ankle"])).sum(-1)
        for side in "LR"
    ]
    # 1 for a straight body on straight legs, 0 for one that bends, sits or squats. Thresholds chosen: a knee loses
    # weight from 0° and all of it at 46° (cosine 0.7), the hip at 37° (cosine 0.8).
    straight = np.clip(((torso * legs).sum(-1) - 0.8) / 0.2, 0, 1) ** 2
    straight *= np.clip((np.minimum(*knees) - 0.7) / 0.3, 0, 1)
    straight = np.maximum(straight, _BENT_SHARE)
    axis = unit(joint["Thorax"] - (joint["LAnkle"] + joint["RAnkle"]) / 2)
    leftward = joint["LHip"] - joint["RHip"] + joint["LShoulder"] - joint["RShoulder"]
    forward = np.cross(unit(leftward - axis * (leftward * axis).sum(-1, keepdims=True)), axis)
    standing = unit(axis - np.tan(_LEAN) * forward)
    return unit((1 - _TORSO_SHARE) * standing + _TORSO_SHARE * torso), weight_s * straight * feet, 1.0


def world_axes(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation from camera to world axes for an up direction; its rows are the world axes in camera axes."""
    forward = np.array([0.0, 0.0, 1.0])
    ahead = forward - (forward @ up) * up
    if np.linalg.norm(ahead) < 1e-3:  # the camera looks straight up or down: the top of the picture defines y
        top = np.array([0.0, -np.sign(-forward @ up) or -1.0, 0.0])
        ahead = top - (top @ up) * up
    y = ahead / np.linalg.norm(ahead)
    return np.stack([np.cross(y, up), y, up])


def _ankles(
    body: PlacedBody, skeleton: Skeleton
) -> tuple[Float[np.ndarray, "frames 2 3"], Bool[np.ndarray, "frames 2"]]:
    feet = skeleton.indices(["LAnkle", "RAnkle"])
    return body.joints_m[:, feet], body.valid[:, feet]


def _frame_s(body: PlacedBody) -> float:
    return float(np.median(np.diff(body.time_s))) if len(body.time_s) > 1 else 0.04


def _speed(
    place_m: Float[np.ndarray, "frames 3"], time_s: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " frames"]:
    if len(time_s) < 2:
        return np.zeros(len(time_s))
    return np.linalg.norm(np.gradient(place_m, time_s, axis=0), axis=-1)


def _weighted_median(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
