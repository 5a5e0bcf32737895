"""A moving body as root trajectory and bone vectors, with the axes of its pelvis and thorax."""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.forward_kinematics import joints_from_bones
from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.extremities import body_skeleton
from hyperlift.skeletons.joint_sets import H36M_17

_FEET = H36M_17.indices(("RAnkle", "LAnkle"))


@dataclass(eq=False)
class MovingBody:
    """A motion of ``H36M_17`` or ``H36M_25`` as root trajectory and bone vectors; world metres, z up."""

    root_m: Float[np.ndarray, "frames 3"]
    bones_m: Float[np.ndarray, "frames joints 3"]
    """Vector from the parent to each joint; 0 for the root."""
    lengths_m: Float[np.ndarray, " joints"]
    """Constant length of each bone; 0 for the root."""

    @classmethod
    def of(
        cls, joints_m: Float[np.ndarray, "frames joints 3"], lengths_m: Float[np.ndarray, " joints"]
    ) -> "MovingBody":
        """Decompose a motion; bones keep their directions and get the given lengths."""
        parents = body_skeleton(joints_m.shape[1]).parents
        bones_m = joints_m - joints_m[:, np.maximum(parents, 0)]
        bones_m *= (lengths_m / np.maximum(np.linalg.norm(bones_m, axis=-1), 1e-9))[..., None]
        return cls(joints_m[:, H36M_17.root].copy(), bones_m, lengths_m)

    def joints_m(self) -> Float[np.ndarray, "frames joints 3"]:
        """Compute the joints from root and bones."""
        return joints_from_bones(self.bones_m, self.root_m, body_skeleton(self.bones_m.shape[1]).parents)

    def lowest_foot_m(self) -> Float[np.ndarray, " frames"]:
        """Height of the lower ankle."""
        return self.joints_m()[:, _FEET, 2].min(-1)

    def pelvis_axes(self) -> Float[np.ndarray, "frames 3 3"]:
        """Columns: to the left hip, backward, up along the lower spine."""
        across = self.bones_m[:, _index("LHip")] - self.bones_m[:, _index("RHip")]
        return axes_of(across, self.bones_m[:, _index("Spine")])

    def thorax_axes(self) -> Float[np.ndarray, "frames 3 3"]:
        """Columns: to the left shoulder, backward, up along the upper spine."""
        across = self.bones_m[:, _index("LShoulder")] - self.bones_m[:, _index("RShoulder")]
        return axes_of(across, self.bones_m[:, _index("Thorax")])


def constant_lengths(joints_m: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, " joints"]:
    """Median length of the bone that ends in each joint, 0 for the root."""
    skeleton = body_skeleton(joints_m.shape[1])
    lengths_m = np.zeros(len(skeleton))
    lengths_m[[child for _, child in skeleton.bones]] = np.median(bone_lengths(joints_m, skeleton), axis=0)
    return lengths_m


def above(joint: str, joints: int = len(H36M_17)) -> Int[np.ndarray, " descendants"]:
    """Indices of a joint and its descendants, for a body with this number of joints."""
    found = [_index(joint)]
    for child, parent in enumerate(body_skeleton(joints).parents):
        if parent in found:
            found.append(child)
    return np.array(found)


def _index(joint: str) -> int:
    return H36M_17.index(joint)


def axes_of(
    across: Float[np.ndarray, "frames 3"], up: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 3 3"]:
    """Right-handed axes as columns: left (along ``across``), backward, up (``up`` made orthogonal to left)."""
    left = unit(across)
    # A shoulder line that lies along the spine has no plane of its own; 1e-9 keeps the axes finite.
    up = unit(up - (up * left).sum(-1, keepdims=True) * left)
    return np.stack([left, np.cross(up, left), up], axis=-1)
