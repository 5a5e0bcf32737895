"""Writer of marker tables (``.trc``) for OpenSim."""

from pathlib import Path

import numpy as np

from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.errors import InputError, printable, quoted
from hyperlift.files.atomic import atomic_file
from hyperlift.motion.formats.node_tree import joints_y_up_m

_PER_M = {"m": 1.0, "mm": 1000.0}
"""Units per metre."""


def write_trc(path: Path | str, fitted: FittedMotion, *, unit: str = "m", guessed: bool = False) -> None:
    """Write the joints of one person as markers atomically.

    Axes are y up, as OpenSim's ground frame; the header states the unit. Cells of joints that were not detected are
    empty, as the format defines.

    Args:
        path: the file.
        fitted: the motion.
        unit: of positions, m or mm.
        guessed: also write joints that were not detected.

    Raises:
        InputError: the unit is unknown, or the folder cannot be written.
    """
    if unit not in _PER_M:
        raise InputError(f"unit is {quoted(unit)}; choose from {', '.join(_PER_M)}")
    path = Path(path)
    names, frames = fitted.skeleton.joints, len(fitted.time_s)
    places = joints_y_up_m(fitted) * _PER_M[unit]
    if not guessed:
        places = np.where(fitted.seen[..., None], places, np.nan)
    rate = f"{fitted.fps:.6f}"
    axes = [f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"]
    rows = [
        ["PathFileType", "4", "(X/Y/Z)", printable(path.name)],
        ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"]
        + ["OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"],
        [rate, rate, str(frames), str(len(names)), unit, rate, "1", str(frames)],
        ["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))],
        ["", "", *axes],
        [],
    ]

    for frame in range(frames):
        cells = ["" if np.isnan(number) else f"{number:.6f}" for number in places[frame].ravel().tolist()]
        rows.append([str(frame + 1), f"{fitted.time_s[frame]:.6f}", *cells])
    with atomic_file(path) as partial:
        partial.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")
