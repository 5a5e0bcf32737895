"""What must hold of a folder of results at any moment: every file is whole, and belongs to one set of the others."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.files.swap import SWAP_NAME

_OWN = ("seconds", "stages_s", "timings", "time", "clips_per_s", "outcome", "message", "removed", "out", "stamp")
"""Keys of what each run has of its own: times, where it writes, what was there before."""
_HASHES = ("report_sha256", "report.json")


def torn(folder: Path) -> list[str]:
    """Files under their final names that do not read to their end, with why."""
    found = []
    for path in files(folder):
        try:
            _read(path)
        except Exception as error:  # whatever its reader says
            found.append(f"{path.relative_to(folder)}: {type(error).__name__}: {error}")
    return found


def files(folder: Path) -> list[Path]:
    """Everything under a final name."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def leftovers(folder: Path, foreign: set[str]) -> list[str]:
    """Hidden files and folders that a finished run must have removed."""
    return sorted(path.name for path in folder.rglob(".*") if path.name not in foreign)


def content(folder: Path) -> dict[str, str]:
    """Every file's name and a hash of what two equal runs must have in common."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_comparable(path)).hexdigest()
        for path in files(folder)
        if path.name != "last.resume.pt"  # holds what the next epoch needs, and how long the last ones took
    }


def broken_promises(folder: Path) -> list[str]:
    """Reports that list other files than those beside them."""
    found = []
    for report in folder.rglob("report.json"):
        if any(part.startswith(".") for part in report.relative_to(folder).parts):
            continue
        for name, listed in json.loads(report.read_text())["files"].items():
            path = report.with_name(name)
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != listed["sha256"]:
                found.append(f"{report.relative_to(folder)} lists {name}, which is missing or another one")
    return found


def lost(folder: Path, old: dict[str, str], new: dict[str, str], foreign: set[str]) -> list[str]:
    """Files that belong to neither set, and files of the old one that are gone before the new one is there.

    Args:
        folder: of the results.
        old: ``content`` of the folder before the work.
        new: ``content`` after it.
        foreign: names that belong to nobody here.
    """
    now = {name: what for name, what in content(folder).items() if name not in foreign}
    found = [f"{name} is of neither set" for name, what in now.items() if what not in (old.get(name), new.get(name))]
    for name in old:
        there = (folder / name).parent
        if name in now or (there / SWAP_NAME).is_dir():  # decided: the new set is there, and comes to its place
            continue
        set_of = {other for other in new if (folder / other).parent == there}
        if name in set_of or any(now.get(other) != new[other] for other in set_of):
            found.append(f"{name} is gone, and the new set is not there")
    return found


def _read(path: Path) -> None:
    kind = path.suffix
    if kind == ".json":
        json.loads(path.read_text())
    elif kind == ".jsonl":
        for line in path.read_text().splitlines():
            json.loads(line)
    elif kind == ".npz":
        with np.load(path) as arrays:
            for name in arrays.files:
                arrays[name]
    elif kind == ".npy":
        np.load(path, mmap_mode="r")
    elif kind == ".csv":
        text = path.read_text()
        assert text.endswith("\n")
        assert len({len(row) for row in csv.reader(text.splitlines())}) == 1
    elif kind == ".bvh":
        motion = path.read_text().split("MOTION\n")[1].splitlines()
        assert int(motion[0].removeprefix("Frames:")) == len(motion) - 2
    elif kind == ".glb":
        assert int.from_bytes(path.read_bytes()[8:12], "little") == path.stat().st_size
    elif kind == ".mp4":
        from hyperlift.video.reading import read_frames

        assert sum(1 for _ in read_frames(path)) > 0
    elif kind == ".safetensors":
        from hyperlift.models.checkpoint import load_checkpoint

        load_checkpoint(path)
    elif kind == ".pt":
        import torch

        torch.load(path, weights_only=True)
    elif kind == ".onnx":
        import onnx

        onnx.checker.check_model(onnx.load(path))
    elif kind == ".png":
        from PIL import Image

        Image.open(path).load()
    elif kind in (".yaml", ".txt", ".md"):
        assert path.read_text()
    else:
        raise AssertionError(f"nobody here reads {kind}")


def _comparable(path: Path) -> bytes:
    if path.suffix == ".json" and path.name != "keypoints.json":
        return json.dumps(_shared(json.loads(path.read_text())), sort_keys=True).encode()
    if path.suffix == ".jsonl":
        return json.dumps([_shared(json.loads(line)) for line in path.read_text().splitlines()]).encode()
    if path.suffix == ".safetensors":
        whole = path.read_bytes()
        end = 8 + int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8:end])
        header["__metadata__"]["metrics"] = _shared(json.loads(header["__metadata__"]["metrics"]))
        return json.dumps(header, sort_keys=True).encode() + whole[end:]
    return path.read_bytes()


def _shared(value: Any) -> Any:
    """What two equal runs have in common; a list of outputs in any order."""
    if isinstance(value, dict):
        return {key: _shared(inside) for key, inside in value.items() if key not in (*_OWN, *_HASHES)}
    if isinstance(value, list) and all(isinstance(inside, str) for inside in value):
        return sorted(value)
    return [_shared(inside) for inside in value] if isinstance(value, list) else value
