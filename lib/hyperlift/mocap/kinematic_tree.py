"""Forward kinematics of a tree of joints, for all frames at once."""

from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.geometry.forward_kinematics import absolute_rotations, joints_from_bones
from hyperlift.shapes import Float

MOST_JOINTS = 2_000
MOST_LEVELS = 200
"""Of joints between the root and a joint that a motion file may have; a rope or a tail has about 50."""
MOST_PLACES = 20_000_000
"""Frames times joints of a motion: 72 bytes each for the rotations alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KinematicTree:
    """Joints with fixed offsets from their parents. Every parent stands before its children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Parent index of every joint, -1 at the root, which is the first."""
    offsets: Float[np.ndarray, "joints 3"]
    """Place of every joint in the frame of its parent, of the root in the world; in the caller's unit."""

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
        """Places and orientations of all joints in the world.

        Args:
            rotations: of every joint in the frame of its parent; the columns are the joint's own axes.
            root: place of the first joint in the world.
            translations: joints whose offset changes with time, by index; in the frame of the parent.

        Returns:
            Positions in the unit of the offsets, and orientations whose columns are the joints' axes in the
            world.
        """
        orientations = absolute_rotations(rotations, self.parents)
        bones = np.zeros((*rotations.shape[:2], 3))
        for joint, parent in enumerate(self.parents[1:], start=1):
            offset = translations[joint] if translations and joint in translations else self.offsets[joint]
            bones[:, joint] = np.einsum("fij,fj->fi", orientations[:, parent], np.broadcast_to(offset, root.shape))
        return joints_from_bones(bones, root, self.parents), orientations

    def path(self, joint: int) -> list[int]:
        """Indices from the root down to a joint, both included."""
        indices = [joint]
        while self.parents[indices[-1]] >= 0:
            indices.append(self.parents[indices[-1]])
        return indices[::-1]
