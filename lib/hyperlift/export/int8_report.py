"""Distances between an 8-bit lifter, its fp32 original, and both at each level of graph optimisation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.contract import LifterSpec
from hyperlift.export.calibration import Calibration
from hyperlift.export.rounding import WEIGHT_BITS
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.runtime.session import INT8_KEY, Optimisation, open_session
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named

CLIPS = (1, 3)
"""Clips per call. Chosen: one clip, and a batch."""
FRAMES = (1, 7, 27)
"""Clip lengths besides the maximum. Chosen: one frame, and lengths from short to medium."""
_CALLS = 4
"""Calls per number and length of clips. Chosen: it samples all calibration tracks in a short time."""
_MM_PER_M = 1000.0
"""Unit conversion."""
_LEVELS: tuple[Optimisation, ...] = ("none", "basic", "extended", "all")


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Distances between the joints of two lifters, in millimetres."""

    mean_mm: float
    median_mm: float
    p99_mm: float
    max_mm: float

    @classmethod
    def of(cls, distances_mm: Float[np.ndarray, "..."]) -> "Distances":
        """Statistics of the distances of any number of joints and frames."""
        return cls(
            mean_mm=float(distances_mm.mean()),
            median_mm=float(np.median(distances_mm)),
            p99_mm=float(np.percentile(distances_mm, 99)),
            max_mm=float(distances_mm.max()),
        )

    @property
    def cells(self) -> str:
        """Mean, median, 99th percentile and maximum as table cells."""
        return f"{self.mean_mm:8.3f} {self.median_mm:8.3f} {self.p99_mm:8.3f} {self.max_mm:8.3f}"


@dataclass(frozen=True, kw_only=True)
class AtShape:
    """Distance of int8 to fp32 for one number and length of clips, with full graph optimisation."""

    clips: int
    frames: int
    distance: Distances


@dataclass(frozen=True, kw_only=True)
class AtLevel:
    """Distances to the unoptimised fp32 graph at one optimisation level, over all numbers and lengths of clips."""

    level: str
    fp32: Distances
    int8: Distances


@dataclass(frozen=True, kw_only=True)
class Int8Report:
    """Result of the comparison."""

    calibration: str
    kept_fp32: tuple[str, ...]
    weight_bits: int
    distance: Distances
    """Over all numbers and lengths of clips."""
    joints: dict[str, Distances]
    shapes: tuple[AtShape, ...]
    levels: tuple[AtLevel, ...]
    fp32_mb: float
    int8_mb: float

    @property
    def worst_mean_mm(self) -> float:
        """Largest mean distance over the numbers and lengths of clips."""
        return max(shape.distance.mean_mm for shape in self.shapes)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {**asdict(self), "worst_mean_mm": self.worst_mean_mm}

    @property
    def table(self) -> str:
        """The report as text."""
        head = f"{'':28} {'mean':>8} {'median':>8} {'99 %':>8} {'max':>8}"
        lines = [f"int8 against fp32, millimetres a joint, on {self.calibration}", head]
        lines += [f"{f'{shape.clips} x {shape.frames} frames':28} {shape.distance.cells}" for shape in self.shapes]
        lines.append(f"{'all':28} {self.distance.cells}")
        worst = max(self.joints, key=lambda joint: self.joints[joint].mean_mm)
        lines.append(f"{f'worst joint: {worst}':28} {self.joints[worst].cells}")
        lines.append("against fp32 without graph optimisation")
        for level in self.levels:
            lines.append(f"{f'fp32, level {level.level}':28} {level.fp32.cells}")
            lines.append(f"{f'int8, level {level.level}':28} {level.int8.cells}")
        kept = ", ".join(self.kept_fp32) or "none"
        lines.append(f"left in fp32: {kept}; {self.fp32_mb:.1f} MB became {self.int8_mb:.1f} MB")
        return "\n".join(lines)


def compare_int8(
    fp32: Path, int8: Path, spec: LifterSpec, calibration: Calibration, kept_fp32: Sequence[str] = ()
) -> Int8Report:
    """Lift the same windows with both files, for several numbers and lengths of clips and optimisation levels.

    Label space "camera" is metres of the reference body. Poses in label space "image" are scaled to that body by the
    median bone sum of the fp32 poses.

    Args:
        fp32: ONNX file of the lifter.
        int8: quantised file.
        spec: contract of both.
        calibration: tracks to lift.
        kept_fp32: products kept in fp32, for the report.

    Raises:
        InputError: a file cannot be opened, or the calibration has no frames.
    """
    skeleton = skeleton_named(spec.skeleton)
    longest = min(spec.n_frames, calibration.longest)
    shapes = [(clips, frames) for clips in CLIPS for frames in sorted({*(f for f in FRAMES if f < longest), longest})]
    windows = {
        (clips, frames): np.split(calibration.windows(clips * _CALLS, frames), _CALLS) for clips, frames in shapes
    }
    exact = _Lifted(fp32, "none", windows)
    to_mm = mm_per_unit(list(exact.poses.values()), spec)
    by_level = {
        level: (exact if level == "none" else _Lifted(fp32, level, windows), _Lifted(int8, level, windows))
        for level in _LEVELS
    }
    usual, quantised = by_level["all"]
    at_shape = {shape: to_mm * joint_distance(quantised.poses[shape], usual.poses[shape]) for shape in shapes}
    together = np.concatenate([distances.reshape(-1, len(skeleton)) for distances in at_shape.values()])
    return Int8Report(
        calibration=calibration.source,
        kept_fp32=tuple(kept_fp32),
        weight_bits=WEIGHT_BITS,
        distance=Distances.of(together),
        joints={joint: Distances.of(together[:, i]) for i, joint in enumerate(skeleton.joints)},
        shapes=tuple(
            AtShape(clips=clips, frames=frames, distance=Distances.of(distances))
            for (clips, frames), distances in at_shape.items()
        ),
        levels=tuple(
            AtLevel(
                level=level,
                fp32=Distances.of(to_mm * _all_distances(plain, exact)),
                int8=Distances.of(to_mm * _all_distances(small, exact)),
            )
            for level, (plain, small) in by_level.items()
        ),
        fp32_mb=fp32.stat().st_size / 1e6,
        int8_mb=int8.stat().st_size / 1e6,
    )


class _Lifted:
    """Poses of all windows at one optimisation level: shape to [windows, frames, joints, 3]."""

    def __init__(self, path: Path, level: Optimisation, windows: dict[tuple[int, int], list[np.ndarray]]) -> None:
        session = open_session(path, str(path), optimisation=level)
        name = session.get_inputs()[0].name
        # As in the runtime, an 8-bit file runs clip by clip.
        alone = INT8_KEY in session.get_modelmeta().custom_metadata_map
        self.poses = {
            shape: np.concatenate(
                [
                    np.asarray(session.run(None, {name: part})[0], np.float64)
                    for call in calls
                    for part in (np.split(call, len(call)) if alone else [call])
                ]
            )
            for shape, calls in windows.items()
        }


def _all_distances(one: _Lifted, other: _Lifted) -> Float[np.ndarray, " any"]:
    return np.concatenate([joint_distance(one.poses[shape], other.poses[shape]).ravel() for shape in one.poses])


def mm_per_unit(poses: Sequence[Float[np.ndarray, "... joints 3"]], spec: LifterSpec) -> float:
    """Millimetres per unit of the label space for a body of reference size; "image" is scaled by these poses."""
    if spec.label_space == "camera":
        return _MM_PER_M
    skeleton = skeleton_named(spec.skeleton)
    sums = np.concatenate([bone_lengths(some, skeleton).sum(-1).ravel() for some in poses])
    return _MM_PER_M * REFERENCE_BONE_SUM_M / float(np.median(sums))
