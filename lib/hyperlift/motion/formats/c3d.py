"""Writer of C3D files, the exchange format of motion capture laboratories; needs the extra ``c3d``."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np

from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.errors import missing_package
from hyperlift.files.atomic import atomic_file
from hyperlift.motion.formats.node_tree import joints_y_up_m

_TURN = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Rotation from y up to z up, which readers of C3D expect."""


def check_c3d() -> None:
    """Check that ezc3d is installed.

    Raises:
        InputError: it is not installed.
    """
    _ezc3d()


def write_c3d(path: Path | str, fitted: FittedMotion, *, guessed: bool = False) -> None:
    """Write the joints of one person as points atomically; in millimetres, z up, as the file states.

    Args:
        path: the file.
        fitted: the motion.
        guessed: also write joints that were not detected; otherwise these points are invalid.

    Raises:
        InputError: ezc3d is not installed, or the folder cannot be written.
    """
    ezc3d = _ezc3d()
    points = joints_y_up_m(fitted) @ _TURN.T * 1000.0
    if not guessed:
        points = np.where(fitted.seen[..., None], points, np.nan)
    file = ezc3d.c3d()
    point = file["parameters"]["POINT"]
    point["RATE"]["value"] = [fitted.fps]
    point["LABELS"]["value"] = list(fitted.skeleton.joints)
    point["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    homogeneous = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=-1)
    file["data"]["points"] = homogeneous.transpose(2, 1, 0)
    # ezc3d accepts only paths in UTF-8, and reports no error on a full disk.
    with atomic_file(path) as partial, TemporaryDirectory() as elsewhere:
        whole = Path(elsewhere) / "motion.c3d"
        file.write(str(whole))
        content = whole.read_bytes()
        if len(content) < _least_size(content, points.shape[0] * points.shape[1]):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), elsewhere)
        partial.write_bytes(content)


def _least_size(content: bytes, points: int) -> int:
    """Smallest size in bytes of a file with this header and number of points (4 numbers of 4 bytes each)."""
    blocks_before = int.from_bytes(content[16:18], "little") - 1 if len(content) >= 512 else 1
    return 512 * blocks_before + 16 * points


def _ezc3d() -> ModuleType:
    try:
        import ezc3d
    except ImportError as error:
        raise missing_package("ezc3d", "C3D files need") from error
    return ezc3d
