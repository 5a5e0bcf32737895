"""What a registered reader is given: small real files, how each of them is damaged, and how it is called."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import hyperlift
from fuzz.mutators import Mutator
from hyperlift.readers import Reader, registered

OPTIONAL_PACKAGES = {"ezc3d", "ray", "rtmlib", "tensorboard", "wandb"}


@dataclass(frozen=True)
class Target:
    """One way to call a reader on files of one kind.

    Attributes:
        make: writes the undamaged files into an empty folder.
        read: calls the reader on what lies in that folder, and takes all it yields.
        damage: file name (relative to the folder) to what damages it; other files stay as they are.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], object]
    damage: Mapping[str, Mutator]


def product_readers() -> dict[str, Reader]:
    """All readers that the product registers, by name, after importing every module of it."""
    for module in pkgutil.walk_packages(hyperlift.__path__, "hyperlift."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL_PACKAGES:
                raise
    return {name: entry for name, entry in sorted(registered().items()) if entry.module.startswith("hyperlift.")}


def targets() -> dict[str, list[Target]]:
    """The targets by the name of their reader."""
    from fuzz import seeds_of_arrays, seeds_of_data, seeds_of_keypoints, seeds_of_text, seeds_of_weights

    found: dict[str, list[Target]] = {}
    for module in (seeds_of_text, seeds_of_arrays, seeds_of_data, seeds_of_keypoints, seeds_of_weights):
        for name, of_reader in module.TARGETS.items():
            found.setdefault(name, []).extend(of_reader)
    return found
