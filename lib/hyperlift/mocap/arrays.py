"""Reader of a folder of motion capture arrays: ``index.json`` and one or more ``.npz`` per split.

``index.json`` holds ``fps``, ``metres_per_step``, ``joints``, ``up`` and, per split, a list of entries with ``id``,
``subject``, ``group`` and ``frames``. Optional keys of an entry are ``dataset`` (default: CMU), ``unmeasured`` (joints
that the source lacks and that were computed) and ``file``, its archive (default: ``<split>.npz``). An archive holds one
integer array [frames, joints, 3] per id, in steps of ``metres_per_step``.

Feet and hands are in a second archive ``extra_<file>`` with the same frames and steps. The index lists them
(``extra_points``), and an entry states their origin (``feet`` and ``hands``: measured, derived or none).
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.mocap.recording import Recording
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import read_json
from hyperlift.safe_io.npz import Npz, open_npz
from hyperlift.safe_io.text import is_number, is_whole
from hyperlift.skeletons.extremities import EXTREMITIES, HANDS, PARENTS_OF_EXTREMITIES
from hyperlift.skeletons.joint_sets import H36M_17

_LOG = logging.getLogger(__name__)

_MIN_NUMBER = 1e-6
"""Range of frame rate and step: this to its inverse. Chosen: values outside are damage."""
_MAX_FRAMES = 10**9
"""Chosen: larger numbers of frames are damage."""
_ENTRY_KEYS = {"id", "subject", "group", "frames"}
_SPLITS = ("train", "val", "test")
_DEFAULT_DATASET = "CMU"
"""Data set of entries without ``dataset``."""


def mocap_splits(folder: Path) -> list[str]:
    """The splits among train, val and test in the index of a folder.

    Raises:
        InputError: the index is missing or damaged, or has none of them.
    """
    index = _read_index(folder / "index.json")
    splits = [split for split in _SPLITS if isinstance(index.get(split), list)]
    if not splits:
        raise InputError(f"{folder / 'index.json'}: has none of the splits {', '.join(_SPLITS)}")
    return splits


@reader("motion capture arrays", remedy="copy the folder again")
def read_mocap_arrays(
    folder: Path, split: str, leave_out: Collection[str] = (), *, extremities: bool = False
) -> Iterator[Recording]:
    """Read the recordings of one split, one at a time, in the order of the index.

    A missing archive is skipped with its entries and a warning, as long as the split has another archive: licences
    differ between archives.

    Args:
        folder: folder of ``index.json`` and the archives.
        split: a list in the index, such as "train".
        leave_out: data sets to skip.
        extremities: read feet and hands too. Points that an entry lacks are placed at ankle or wrist and marked as
            unmeasured.

    Yields:
        Recordings at the frame rate of the index.

    Raises:
        InputError: a file is missing or damaged, the joints differ from ``H36M_17``, z is not up, or an array is
            missing or does not match its entry.
    """
    index = _read_index(folder / "index.json")
    if extremities and index.get("extra_points") != list(EXTREMITIES):
        raise InputError(
            f"{folder / 'index.json'}: extra_points are {quoted(index.get('extra_points'))}; expected "
            f"{list(EXTREMITIES)}, for feet and hands"
        )
    entries = [e for e in _entries(folder / "index.json", index, split) if e["dataset"] not in leave_out]
    names = list(dict.fromkeys(entry["file"] for entry in entries))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing and len(missing) == len(names):
        raise InputError(f"{folder / missing[0]}: no such file; it should hold the arrays of split {split!r}")
    for name in missing:
        _LOG.warning("%s: no such file; its recordings are left out", folder / name)
    with ExitStack() as stack:
        archives = {name: stack.enter_context(open_npz(folder / name)) for name in names if name not in missing}
        extra: dict[str, Npz] = {}
        if extremities:
            beside = {name: folder / f"extra_{name}" for name in archives}
            extra = {name: stack.enter_context(open_npz(path)) for name, path in beside.items() if path.is_file()}
        for entry in entries:
            if entry["file"] not in archives:
                continue
            recording = _recording(archives[entry["file"]], entry, index)
            yield _with_extremities(recording, extra.get(entry["file"]), entry, index) if extremities else recording


def _recording(archive: Npz, entry: dict[str, Any], index: dict[str, Any]) -> Recording:
    name = entry["id"]
    where = f"{archive.path}: {one_line(name)}"
    if name not in archive:
        raise InputError(f"{where}: the index lists it, the archive has no such array; copy both again")
    steps = archive.read(name)
    expected = (entry["frames"], len(H36M_17), 3)
    if steps.shape != expected or not np.issubdtype(steps.dtype, np.integer):
        raise InputError(f"{where}: is {steps.dtype} {steps.shape}; expected integers of shape {expected}")
    return Recording(
        name=name,
        subject=_text(entry["subject"]),
        group=_text(entry["group"]),
        fps=float(index["fps"]),
        joints_m=steps.astype(np.float32) * np.float32(index["metres_per_step"]),
        dataset=entry["dataset"],
        unmeasured=tuple(entry["unmeasured"]),
    )


def _with_extremities(
    recording: Recording, archive: Npz | None, entry: dict[str, Any], index: dict[str, Any]
) -> Recording:
    """Extend a recording to the joints of ``H36M_25``."""
    has = {kind: entry.get(kind, "none") not in ("none", None) for kind in ("feet", "hands")}
    joints_m = recording.joints_m
    points_m = joints_m[:, PARENTS_OF_EXTREMITIES].copy()
    if any(has.values()):
        name = entry["id"]
        if archive is None or name not in archive:
            where = f"extra_{entry['file']}" if archive is None else str(archive.path)
            raise InputError(f"{where}: has no {one_line(name)}, whose feet or hands the index lists; copy both again")
        steps = archive.read(name)
        if steps.shape != points_m.shape or not np.issubdtype(steps.dtype, np.integer):
            raise InputError(
                f"{archive.path}: {one_line(name)} is {steps.dtype} {steps.shape}; expected integers of shape "
                f"{points_m.shape}"
            )
        for number, point in enumerate(EXTREMITIES):
            if has["hands" if point in HANDS else "feet"]:
                points_m[:, number] = steps[:, number].astype(np.float32) * np.float32(index["metres_per_step"])
    absent = tuple(point for point in EXTREMITIES if not has["hands" if point in HANDS else "feet"])
    return replace(
        recording,
        joints_m=np.concatenate([joints_m, points_m], axis=1),
        unmeasured=(*recording.unmeasured, *absent),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else quoted(value)


def _entries(path: Path, index: dict[str, Any], split: str) -> list[dict[str, Any]]:
    """Entries of a split, with defaults for optional keys."""
    if not isinstance(index.get(split), list):
        splits = [key for key, value in index.items() if key not in ("joints", "parents") and isinstance(value, list)]
        raise InputError(f"{path}: has no split {split!r}; it has {one_line(', '.join(splits)) or 'none'}")
    entries = []
    for number, entry in enumerate(index[split]):
        where = f"{path}: entry {number} of {split!r}"
        if not isinstance(entry, dict) or not entry.keys() >= _ENTRY_KEYS:
            raise InputError(f"{where} lacks one of {sorted(_ENTRY_KEYS)}")
        if not isinstance(entry["id"], str) or not is_whole(entry["frames"], 1, _MAX_FRAMES):
            raise InputError(
                f"{where} has the id {quoted(entry['id'])} and {quoted(entry['frames'])} frames; expected a text and a "
                "whole number"
            )
        if not all(isinstance(entry[key], str | int) for key in ("subject", "group")):
            raise InputError(
                f"{where} has the subject {quoted(entry['subject'])} and the group {quoted(entry['group'])}; "
                "expected text"
            )
        entry = {"dataset": _DEFAULT_DATASET, "unmeasured": [], "file": f"{split}.npz", **entry}
        dataset, file, unmeasured = entry["dataset"], entry["file"], entry["unmeasured"]
        if not isinstance(dataset, str) or not isinstance(file, str) or Path(file).name != file:
            raise InputError(
                f"{where} has the dataset {quoted(dataset)} and the file {quoted(file)}; expected a text and the name "
                "of an archive beside the index"
            )
        if not isinstance(unmeasured, list) or not all(isinstance(joint, str) for joint in unmeasured):
            raise InputError(f"{where}: unmeasured is {quoted(unmeasured)}; expected a list of joint names")
        entries.append(entry)
    return entries


def _read_index(path: Path) -> dict[str, Any]:
    index = read_json(path, "point at the folder that holds index.json")
    if not isinstance(index, dict):
        raise InputError(f"{path}: holds a {type(index).__name__}; expected an object with fps, joints and splits")
    for key in ("fps", "metres_per_step"):
        value = index.get(key)
        if not is_number(value, _MIN_NUMBER, 1 / _MIN_NUMBER):
            raise InputError(f"{path}: {key} is {quoted(value)}; expected a positive number")
    if index.get("up") != "z":
        raise InputError(f"{path}: up is {quoted(index.get('up'))}; expected 'z'")
    if index.get("joints") != list(H36M_17.joints):
        raise InputError(
            f"{path}: joints are {quoted(index.get('joints'))}; expected those of {H36M_17.name}, "
            f"{list(H36M_17.joints)}"
        )
    return index
