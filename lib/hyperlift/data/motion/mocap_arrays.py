"""Reader of a folder of motion capture arrays: ``index.json`` beside one ``<split>.npz`` a split.

``index.json`` holds ``fps``, ``metres_per_step``, ``joints``, ``up`` and, for every split, a list of entries
with ``id``, ``subject``, ``group`` and ``frames``. The archive holds one integer array [frames, joints, 3]
for each id, in steps of ``metres_per_step``.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.data.motion.recording import Recording
from hyperlift.documents.json_text import read_json
from hyperlift.documents.values import is_number, is_whole
from hyperlift.errors import InputError, one_line, quoted
from hyperlift.readers import reader
from hyperlift.skeletons import H36M_17

_SMALLEST = 1e-6
_MOST_FRAMES = 10**9
_ENTRY_KEYS = {"id", "subject", "group", "frames"}


@reader("motion capture arrays", remedy="copy the folder again")
def read_mocap_arrays(folder: Path, split: str) -> Iterator[Recording]:
    """Read the recordings of one split, one at a time, in the order of the index.

    Args:
        folder: holds ``index.json`` and ``<split>.npz``.
        split: a list in the index, such as "train".

    Yields:
        Recordings at the frame rate of the index.

    Raises:
        InputError: a file is missing or broken, the joints are others than ``H36M_17``, z is not up, or an
            array is missing or does not fit its entry.
    """
    index = _read_index(folder / "index.json", split)
    archive_path = folder / f"{split}.npz"
    if not archive_path.is_file():
        raise InputError(f"{archive_path}: no such file; it should hold the arrays of split {split!r}")
    # Checked first because numpy leaves the file open when it meets a broken archive.
    if not zipfile.is_zipfile(archive_path):
        raise InputError(f"{archive_path}: not a readable .npz archive; copy it again")
    with np.load(archive_path, allow_pickle=False) as archive:
        for entry in index[split]:
            yield _recording(archive, archive_path, entry, index)


def _recording(
    archive: "np.lib.npyio.NpzFile", archive_path: Path, entry: dict[str, Any], index: dict[str, Any]
) -> Recording:
    name = entry["id"]
    where = f"{archive_path}: {one_line(name)}"
    try:
        steps = archive[name]
    except KeyError:
        raise InputError(f"{where}: the index lists it, the archive has no such array; copy both again") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{where}: cannot be read ({error}); copy the archive again") from error
    expected = (entry["frames"], len(H36M_17), 3)
    if steps.shape != expected or not np.issubdtype(steps.dtype, np.integer):
        raise InputError(f"{where}: is {steps.dtype} {steps.shape}; expected integers of shape {expected}")
    return Recording(
        name=name,
        subject=_text(entry["subject"]),
        group=_text(entry["group"]),
        fps=float(index["fps"]),
        joints_m=steps.astype(np.float32) * np.float32(index["metres_per_step"]),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else quoted(value)


def _read_index(path: Path, split: str) -> dict[str, Any]:
    index = read_json(path, "point at the folder that holds index.json")
    if not isinstance(index, dict):
        raise InputError(f"{path}: holds a {type(index).__name__}; expected an object with fps, joints and splits")
    for key in ("fps", "metres_per_step"):
        value = index.get(key)
        if not is_number(value, _SMALLEST, 1 / _SMALLEST):
            raise InputError(f"{path}: {key} is {quoted(value)}; expected a positive number")
    if index.get("up") != "z":
        raise InputError(f"{path}: up is {quoted(index.get('up'))}; expected 'z'")
    if index.get("joints") != list(H36M_17.joints):
        raise InputError(
            f"{path}: joints are {quoted(index.get('joints'))}; expected those of {H36M_17.name}, "
            f"{list(H36M_17.joints)}"
        )
    if not isinstance(index.get(split), list):
        splits = [key for key, value in index.items() if key not in ("joints", "parents") and isinstance(value, list)]
        raise InputError(f"{path}: has no split {split!r}; it has {one_line(', '.join(splits)) or 'none'}")
    for number, entry in enumerate(index[split]):
        if not isinstance(entry, dict) or not entry.keys() >= _ENTRY_KEYS:
            raise InputError(f"{path}: entry {number} of {split!r} lacks one of {sorted(_ENTRY_KEYS)}")
        if not isinstance(entry["id"], str) or not is_whole(entry["frames"], 1, _MOST_FRAMES):
            raise InputError(
                f"{path}: entry {number} of {split!r} has the id {quoted(entry['id'])} and {quoted(entry['frames'])} "
                "frames; expected a text and a whole number"
            )
        if not all(isinstance(entry[key], str | int) for key in ("subject", "group")):
            raise InputError(
                f"{path}: entry {number} of {split!r} has the subject {quoted(entry['subject'])} and the group "
                f"{quoted(entry['group'])}; expected text"
            )
    return index
