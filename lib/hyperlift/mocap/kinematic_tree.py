"""Forward kinematics of a joint tree, vectorised over frames."""

from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.geometry.forward_kinematics import absolute_rotations, joints_from_bones
from hyperlift.shapes import Float

MAX_JOINTS = 2_000
"""Joints of a motion file. Chosen: far above a body with fingers and face. It bounds time and memory."""
MAX_DEPTH = 200
"""Joints between the root and a joint. Chosen: far above any skeleton (a chain for a rope has about 50)."""
MAX_POSITIONS = 20_000_000
"""Frames times joints of a motion. Chosen: it bounds memory (72 bytes each for rotations)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KinematicTree:
    """Joints with fixed offsets from their parents; parents precede their children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Parent index of each joint; -1 for the root, which is the first joint."""
    offsets: Float[np.ndarray, "joints 3"]
    """Position of each joint in the frame of its parent (of the root: in the world), in any unit."""

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.parents) == len(self.offsets):
            raise InputError(
                f"tree of {len(self.names)} names, {len(self.parents)} parents, {len(self.offsets)} places; "
                "give as many of each"
            )
        if not self.parents or self.parents[0] != -1:
            raise InputError("the first joint of a tree must be its root (parent -1)")
        for joint, parent in enumerate(self.parents[1:], start=1):
            if not 0 <= parent < joint:
                raise InputError(f"joint {quoted(self.names[joint])} must stand after its parent")

    def __len__(self) -> int:
        return len(self.names)

    def forward(
        self,
        rotations: Float[np.ndarray, "frames joints 3 3"],
        root: Float[np.ndarray, "frames 3"],
        translations: dict[int, Float[np.ndarray, "frames 3"]] | None = None,
    ) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, "frames joints 3 3"]]:
        """World positions and orientations of all joints.

        Args:
            rotations: rotation of each joint in the frame of its parent; columns are the axes of the joint.
            root: world position of the first joint.
            translations: time-varying offsets by joint index, in the frame of the parent.

        Returns:
            Positions in the unit of the offsets, and orientations whose columns are the axes of joints in the world.
        """
        orientations = absolute_rotations(rotations, self.parents)
        bones = np.zeros((*rotations.shape[:2], 3))
        for joint, parent in enumerate(self.parents[1:], start=1):
            offset = translations[joint] if translations and joint in translations else self.offsets[joint]
            bones[:, joint] = np.einsum("fij,fj->fi", orientations[:, parent], np.broadcast_to(offset, root.shape))
        return joints_from_bones(bones, root, self.parents), orientations

    def path(self, joint: int) -> list[int]:
        """Indices from the root to a joint, both included."""
        indices = [joint]
        while self.parents[indices[-1]] >= 0:
            indices.append(self.parents[indices[-1]])
        return indices[::-1]
