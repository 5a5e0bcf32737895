"""``Skeleton``: a named, ordered joint set. All index lists of the library derive from joint names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.shapes import Float, Int


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joint names in storage order, and the parent of each joint.

    ``parent_of`` is empty for a set of keypoints without a tree.
    """

    name: str
    joints: tuple[str, ...]
    parent_of: Mapping[str, str]
    """Maps each child to its parent; the root has no entry."""

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise InputError(f"skeleton {self.name}: a joint name occurs twice")
        unknown = (set(self.parent_of) | set(self.parent_of.values())) - set(self.joints)
        if unknown:
            raise InputError(f"skeleton {self.name}: bones name unknown joints {sorted(unknown)}")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Index of a joint.

        Raises:
            InputError: the skeleton has no joint of that name.
        """
        try:
            return self.joints.index(joint)
        except ValueError:
            raise InputError(
                f"skeleton {self.name} has no joint {quoted(joint)}; it has {', '.join(self.joints)}"
            ) from None

    def indices(self, joints: Iterable[str]) -> list[int]:
        """Indices of several joints."""
        return [self.index(joint) for joint in joints]

    @cached_property
    def root(self) -> int:
        """Index of the only joint without a parent."""
        roots = [i for i, joint in enumerate(self.joints) if joint not in self.parent_of]
        if len(roots) != 1:
            raise InputError(f"skeleton {self.name} is no tree: {len(roots)} joints have no parent")
        return roots[0]

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Parent index of every joint, -1 at the root."""
        return tuple(self.index(self.parent_of[j]) if j in self.parent_of else -1 for j in self.joints)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs, in the order of the children."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(right, left) index pairs: joints whose names differ only in the leading R or L."""
        return tuple(
            (i, self.joints.index("L" + joint[1:]))
            for i, joint in enumerate(self.joints)
            if joint[0] == "R" and "L" + joint[1:] in self.joints
        )

    @cached_property
    def mirror(self) -> Int[np.ndarray, " joints"]:
        """Permutation that swaps left and right; it is its own inverse."""
        order = np.arange(len(self))
        for right, left in self.pairs:
            order[[right, left]] = left, right
        return order

    @cached_property
    def adjacency(self) -> Float[np.ndarray, "joints joints"]:
        """Symmetric 0/1 adjacency matrix of the bones, without self loops."""
        matrix = np.zeros((len(self), len(self)))
        for parent, child in self.bones:
            matrix[parent, child] = matrix[child, parent] = 1.0
        return matrix
