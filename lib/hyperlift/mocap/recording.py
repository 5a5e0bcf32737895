"""A recorded motion of any source as Human3.6M joints in metres, z up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.forward_kinematics import joints_from_bones
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import body_skeleton
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25
from hyperlift.skeletons.skeleton import Skeleton

_SAMPLE_TOLERANCE = 1e-9
"""Tolerance in frames for a last sample past the last frame: rounding of seconds * fps."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """A motion of one person.

    ``joints_m`` [frames, joints, 3] float32: the joints of ``H36M_17`` or ``H36M_25`` in metres, world axes,
    right-handed, z up. A person facing +y has the left side at -x.
    """

    name: str
    """Name, unique within the source, such as CMU_01_03_a."""
    subject: str
    group: str
    """Kind of motion, such as walk; evaluation calls it the action."""
    fps: float
    joints_m: Float[np.ndarray, "frames joints 3"]
    dataset: str = ""
    """Data set, such as UI-PRMD; empty if the source names none."""
    unmeasured: tuple[str, ...] = ()
    """Joints that the source lacks; their positions are computed, and training ignores them."""

    def __post_init__(self) -> None:
        if not (0 < self.fps < np.inf):
            raise InputError(f"{self.name}: {self.fps} frames a second; the frame rate must be positive and finite")
        shape = self.joints_m.shape
        if len(shape) != 3 or shape[1:] not in ((len(H36M_17), 3), (len(H36M_25), 3)):
            raise InputError(
                f"{self.name}: joints have shape {shape}; expected (frames, {len(H36M_17)}, 3), "
                f"the joints of skeleton {H36M_17.name}, or {len(H36M_25)} for {H36M_25.name}"
            )
        unknown = [joint for joint in self.unmeasured if joint not in self.skeleton.joints]
        if unknown or H36M_17.joints[H36M_17.root] in self.unmeasured:
            raise InputError(
                f"{self.name}: unmeasured joints are {list(self.unmeasured)}; name joints of {self.skeleton.name} "
                f"other than its root {H36M_17.joints[H36M_17.root]}"
            )
        if len(self.joints_m) < 2:
            raise InputError(f"{self.name}: {len(self.joints_m)} frame(s); a motion needs at least 2")
        if not np.isfinite(self.joints_m).all():
            frame, joint = np.argwhere(~np.isfinite(self.joints_m).all(-1))[0]
            raise InputError(
                f"{self.name}: joint {self.skeleton.joints[joint]} of frame {frame} is not finite; "
                "cut the recording there or leave it out"
            )
        if self.joints_m.dtype != np.float32:
            object.__setattr__(self, "joints_m", self.joints_m.astype(np.float32))

    @property
    def skeleton(self) -> Skeleton:
        """Names of the joints."""
        return body_skeleton(self.joints_m.shape[1])

    @property
    def seconds(self) -> float:
        """Duration from the first to the last frame."""
        return (len(self.joints_m) - 1) / self.fps

    def resampled(self, fps: float) -> "Recording":
        """Resample with natural cubic splines.

        The first frame keeps its time, and no frame is later than the last one. Frames that coincide with original
        frames keep their values.

        Raises:
            InputError: the rate is not positive, or so low that fewer than two frames are left.
        """
        from scipy.interpolate import CubicSpline  # deferred because its import is slow

        if fps == self.fps:
            return self
        if not (0 < fps < np.inf):
            raise InputError(f"{self.name}: cannot resample to {fps} frames a second; give a positive rate")
        count = int(np.floor(self.seconds * fps + _SAMPLE_TOLERANCE)) + 1
        at_frames = np.minimum(np.arange(count) * (self.fps / fps), len(self.joints_m) - 1)
        spline = CubicSpline(np.arange(len(self.joints_m)), self.joints_m.astype(np.float64), bc_type="natural")
        return replace(self, fps=float(fps), joints_m=spline(at_frames))


def centred(joints_m: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
    """Shift x and y so that the mean root position is 0, 0; z is unchanged."""
    shift = joints_m[:, H36M_17.root].mean(axis=0)
    return joints_m - shift * np.array([1.0, 1.0, 0.0], joints_m.dtype)


def with_constant_bones(
    joints_m: Float[np.ndarray, "frames joints 3"],
) -> Float[np.ndarray, "frames joints 3"]:
    """Set each bone to its median length; directions and the root trajectory are unchanged.

    Distances between landmarks vary in recordings, for example to a thorax that is interpolated on a bending neck.
    """
    skeleton = body_skeleton(joints_m.shape[1])
    bones_m = joints_m - joints_m[:, np.maximum(skeleton.parents, 0)]
    child = [child for _, child in skeleton.bones]
    lengths_m = bone_lengths(joints_m, skeleton)
    # A bone of length 0 has no direction and is unchanged.
    bones_m[:, child] *= (np.median(lengths_m, axis=0) / np.maximum(lengths_m, 1e-9))[..., None]
    return joints_from_bones(bones_m, joints_m[:, skeleton.root], skeleton.parents)


def h36m_joints(
    landmarks: Mapping[str, Float[np.ndarray, "frames 3"]],
) -> Float[np.ndarray, "frames joints 3"]:
    """Stack landmarks in joint order; the pelvis is the midpoint of the hips.

    Args:
        landmarks: all joints of ``H36M_17`` except the pelvis, by name.
    """
    pelvis = between(landmarks["LHip"], landmarks["RHip"], 0.5)
    return np.stack([{**landmarks, "Pelvis": pelvis}[joint] for joint in H36M_17.joints], axis=1)


def between(
    start: Float[np.ndarray, "frames 3"], end: Float[np.ndarray, "frames 3"], part: float
) -> Float[np.ndarray, "frames 3"]:
    """Interpolate linearly from start (0) to end (1)."""
    return start + part * (end - start)


def y_up_to_z_up(points: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Rotate (x, y, z) with y up to (-x, z, y) with z up: the direction +z becomes +y."""
    return np.stack([-points[..., 0], points[..., 2], points[..., 1]], axis=-1)
