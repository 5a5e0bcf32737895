"""Limits of joint angles: ranges of Euler angles, the clamp of rotations to them, and the file that states them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.geometry.rotations import equivalent_euler, matrix_from_euler, matrix_to_euler
from hyperlift.readers import reader
from hyperlift.safe_io.text import is_number
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_MAX_ANGLE = 1e6
"""Bound on numbers in a limits file, which rejects infinity. Chosen: far beyond any angle, in degrees or radians."""
ORDER = "ZXY"
"""Order of the intrinsic Euler angles; axes of the T-pose are x to the person's left, y backward, z up."""

_MIDDLE = {
    "LowerSpine": ("Spine", "Pelvis"),
    "Spine": ("Thorax", "Spine"),
    "Neck": ("Nose", "Thorax"),
    "Nose": ("Head", "Nose"),
}
_SIDED = {
    "Hip": ("Knee", "Hip"),
    "Knee": ("Ankle", "Knee"),
    "Clavicle": ("Shoulder", "Thorax"),
    "Shoulder": ("Elbow", "Thorax"),
    "Elbow": ("Wrist", "Elbow"),
}


def _limited_joints() -> dict[str, tuple[int, int]]:
    at = H36M_17.index
    turning = {name: (at(end), at(before)) for name, (end, before) in _MIDDLE.items()}
    for name, (end, before) in _SIDED.items():
        for side in "LR":
            turning[side + name] = (at(side + end), at(before if before == "Thorax" else side + before))
    return turning


LIMITED_JOINTS = _limited_joints()
"""Joints with angles, by name: end joint of the moving bone, and end joint of the bone that the angles are relative to.
``LowerSpine``, ``Neck`` and the clavicles rotate at pelvis and thorax. Shoulder angles are relative to the thorax, not
the clavicle."""


@dataclass(frozen=True)
class JointLimits:
    """Ranges of angles; joints and axes that are not named have no limits."""

    ranges_rad: Mapping[str, Mapping[str, tuple[float, float]]]
    """Joint name to axis (X, Y or Z) to lowest and highest angle. ``Knee`` sets both knees: the range applies to the
    left one, and its mirror image (Y and Z negated) to the right one."""

    def __post_init__(self) -> None:
        for joint, axes in self.ranges_rad.items():
            if joint not in LIMITED_JOINTS and joint not in _SIDED:
                known = ", ".join([*_MIDDLE, *_SIDED, *(side + name for side in "LR" for name in _SIDED)])
                raise InputError(f"limits name the joint {quoted(joint)}; known: {known}")
            for axis, (low, high) in axes.items():
                if axis not in tuple(ORDER):
                    raise InputError(f"limits of {quoted(joint)} name the axis {quoted(axis)}; choose from X, Y, Z")
                if not low <= high:
                    raise InputError(f"limits of {joint} {axis}: {low} to {high} is no range; give the lower one first")
                if not low <= 0.0 <= high:
                    raise InputError(
                        f"limits of {joint} {axis} exclude the rest pose, which is 0; let the range hold 0"
                    )

    def bounds_rad(self, joint: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Lowest and highest angles of a joint in the order of ``ORDER``; infinite without a limit."""
        low, high = np.full(3, -np.inf), np.full(3, np.inf)
        own = self.ranges_rad.get(joint)
        both = self.ranges_rad.get(joint[1:]) if own is None and joint[0] in "LR" and joint[1:] in _SIDED else None
        for axis, (least, most) in (own or both or {}).items():
            if both and joint.startswith("R") and axis != "X":
                least, most = -most, -least
            low[ORDER.index(axis)], high[ORDER.index(axis)] = least, most
        return low, high

    def clamp(self, rotations: Float[np.ndarray, "*any joints 3 3"]) -> Float[np.ndarray, "*any joints 3 3"]:
        """Absolute rotations with every angle clamped to its range.

        Clamping goes from the pelvis outwards. Bones after a clamped joint keep their absolute rotation as far as their
        own range allows, so that hands and feet move least.
        """
        clamped = rotations.copy()
        for joint, (end, before) in LIMITED_JOINTS.items():  # parents first
            low, high = self.bounds_rad(joint)
            if np.isinf(low).all() and np.isinf(high).all():
                continue
            between = _between(clamped, end, before)
            angles = _angles(between)
            outside = (_beyond(angles, low, high).max(-1) > 0)[..., None, None]
            inside = matrix_from_euler(np.clip(angles, low, high), ORDER)
            clamped[..., end, :, :] = np.where(outside, clamped[..., before, :, :] @ inside, clamped[..., end, :, :])
        return clamped


@reader("limits of joint angles")
def read_limits(path: Path | str) -> JointLimits:
    """Read limits from YAML: ``unit: degrees`` (or ``radians``) and ``joints: {Knee: {X: [0, 160]}, …}``.

    Raises:
        InputError: the file does not exist or has another form, a joint or axis is unknown, or a range excludes 0.

    Example:
        >>> from pathlib import Path
        >>> from hyperlift.body.joint_limits import read_limits
        >>> _ = Path("limits.yaml").write_text("{unit: radians, joints: {Knee: {X: [0, 2.5]}}}")
        >>> read_limits("limits.yaml").ranges_rad
        {'Knee': {'X': (0.0, 2.5)}}
    """
    from hyperlift.safe_io.yaml_text import read_yaml  # PyYAML is slow to import and rarely needed

    path = Path(path)
    stated = read_yaml(path, "give limits of joint angles as YAML with unit and joints, see docs/animation.md")
    if not isinstance(stated, dict) or set(stated) != {"unit", "joints"} or not isinstance(stated["joints"], dict):
        raise InputError(f"{path}: expected the two keys unit and joints; see docs/animation.md")
    if stated["unit"] not in ("degrees", "radians"):
        raise InputError(f"{path}: unit is {quoted(stated['unit'])}; choose degrees or radians")
    factor = np.pi / 180.0 if stated["unit"] == "degrees" else 1.0
    ranges: dict[str, dict[str, tuple[float, float]]] = {}
    for joint, axes in stated["joints"].items():
        if not isinstance(axes, dict):
            raise InputError(f"{path}: {quoted(joint)} is {quoted(axes)}; expected a mapping such as {{X: [0, 160]}}")
        ranges[_name(joint, path)] = {
            _name(axis, path): _range(bounds, factor, f"{path}: {joint} {axis}") for axis, bounds in axes.items()
        }
    try:
        return JointLimits(ranges)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _name(key: object, path: Path) -> str:
    if not isinstance(key, str):
        raise InputError(f"{path}: has the name {quoted(key)}; expected text, the name of a joint or an axis")
    return one_line(key)


def _range(value: object, factor: float, where: str) -> tuple[float, float]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 2 or not all(is_number(n, -_MAX_ANGLE, _MAX_ANGLE) for n in numbers):
        raise InputError(f"{where} is {quoted(value)}; expected [lowest, highest]")
    return float(numbers[0]) * factor, float(numbers[1]) * factor


def _between(rotations: Float[np.ndarray, "*any joints 3 3"], end: int, before: int) -> Float[np.ndarray, "*any 3 3"]:
    return np.swapaxes(rotations[..., before, :, :], -1, -2) @ rotations[..., end, :, :]


def _angles(matrix: Float[np.ndarray, "*any 3 3"]) -> Float[np.ndarray, "*any 3"]:
    """The smaller one of the two triples of Euler angles of each rotation: 110° of knee flexion, instead of 70° with a
    leg rotated by 180°. Clamping a triple towards 0 keeps it the smaller one."""
    first = matrix_to_euler(matrix, ORDER)
    second = np.remainder(equivalent_euler(first) + np.pi, 2 * np.pi) - np.pi
    larger = np.asarray((first**2).sum(-1) > (second**2).sum(-1))
    return np.where(larger[..., None], second, first)


def _beyond(
    angles: Float[np.ndarray, "*any 3"], low: Float[np.ndarray, "3"], high: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "*any 3"]:
    return np.maximum(low - angles, 0.0) + np.maximum(angles - high, 0.0)


BODY_LIMITS = JointLimits(
    {
        "LowerSpine": {"Z": (-0.52, 0.61), "X": (-0.52, 1.31), "Y": (-0.61, 0.61)},
        "Spine": {"X": (-0.35, 1.66)},
        "Neck": {"X": (-0.79, 1.22)},
        "Nose": {"Z": (-1.22, 1.22), "X": (-0.96, 1.39), "Y": (-0.61, 0.61)},
        "Shoulder": {"Z": (-2.27, 1.30), "X": (-1.57, 3.14), "Y": (-2.28, 2.00)},
        "Elbow": {"Z": (-2.62, 0.0)},
        "Hip": {"Z": (-0.79, 0.79), "X": (-2.09, 0.52), "Y": (-0.87, 0.35)},
        "Knee": {"X": (0.0, 2.79)},
    }
)
"""Default limits in radians. Chosen: a flexible adult, so that common motion is not clamped. Flexion of spine and neck
is positive X; see ``ORDER``."""
