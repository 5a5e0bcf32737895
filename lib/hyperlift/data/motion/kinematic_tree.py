"""Forward kinematics of a tree of joints, for all frames at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.shapes import Float

MOST_JOINTS = 2_000
MOST_LEVELS = 200
"""Of joints between the root and a joint that a motion file may have; a rope or a tail has about 50."""
MOST_PLACES = 20_000_000
"""Frames times joints of a motion: 72 bytes each for the rotations alone."""

_AXES = {"x": 0, "y": 1, "z": 2}


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
        positions = np.empty((*rotations.shape[:2], 3))
        orientations = np.empty(rotations.shape)
        positions[:, 0], orientations[:, 0] = root, rotations[:, 0]
        for joint, parent in enumerate(self.parents[1:], start=1):
            offset = translations[joint] if translations and joint in translations else self.offsets[joint]
            turned = np.einsum("fij,fj->fi", orientations[:, parent], np.broadcast_to(offset, root.shape))
            positions[:, joint] = positions[:, parent] + turned
            orientations[:, joint] = orientations[:, parent] @ rotations[:, joint]
        return positions, orientations

    def rest_positions(self) -> Float[np.ndarray, "joints 3"]:
        """Places of the joints with no rotation anywhere and the root at its offset."""
        still = np.broadcast_to(np.eye(3), (1, len(self), 3, 3))
        return self.forward(still, self.offsets[None, 0].astype(np.float64))[0][0]

    def path(self, joint: int) -> list[int]:
        """Indices from the root down to a joint, both included."""
        indices = [joint]
        while self.parents[indices[-1]] >= 0:
            indices.append(self.parents[indices[-1]])
        return indices[::-1]


def axis_rotation(axis: str, angles_rad: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any 3 3"]:
    """Right-handed rotations about the axis "x", "y" or "z"; they turn column vectors."""
    first, second = (_AXES[axis] + 1) % 3, (_AXES[axis] + 2) % 3
    matrices = np.zeros((*angles_rad.shape, 3, 3))
    matrices[..., _AXES[axis], _AXES[axis]] = 1.0
    matrices[..., first, first] = matrices[..., second, second] = np.cos(angles_rad)
    matrices[..., second, first] = np.sin(angles_rad)
    matrices[..., first, second] = -matrices[..., second, first]
    return matrices


def euler_rotation(axes: Sequence[str], angles_rad: Float[np.ndarray, "*any angles"]) -> Float[np.ndarray, "*any 3 3"]:
    """The product R(axes[0]) R(axes[1]) …: each rotation about an axis already turned by those before it.

    Rotations about fixed axes, given in the order in which they happen, are the same product with both lists
    reversed. No axes at all give the identity.
    """
    product = np.broadcast_to(np.eye(3), (*angles_rad.shape[:-1], 3, 3))
    for column, axis in enumerate(axes):
        product = product @ axis_rotation(axis, angles_rad[..., column])
    return product
