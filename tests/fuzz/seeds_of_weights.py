"""Targets of the readers of training: checkpoints, resume states, clip stores, and the data set's MATLAB files."""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import torch
from tiny_store import write_split

from fuzz.archive_mutators import damaged_npy, damaged_safetensors
from fuzz.mutators import Mutator, damaged_bytes, damaged_json
from fuzz.targets import Target
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import read_store
from hyperlift.datasets.mpi_inf_3dhp_mat import TRAIN_JOINTS, read_test_folder, read_train_folder
from hyperlift.models.checkpoint import Checkpoint, load_bin_weights, load_checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.resume_state import read_resume

_RNG = np.random.default_rng(0)
_JOINT_LABEL = (0,) * 7 + (1,) + (2,) * 9
_CONFIG = ModelConfig(channels=4, depth=1, heads=2, n_frames=3, hypergraph=HypergraphConfig(joint_label=_JOINT_LABEL))


def _model() -> HyperLifter:
    torch.manual_seed(0)
    return HyperLifter(_CONFIG).eval()


_MODEL = _model()


def _checkpoint(folder: Path) -> None:
    checkpoint = Checkpoint(model=_MODEL, spec=LifterSpec(name="t", n_frames=3), run={"name": "t"}, metrics={"m": 0.1})
    save_checkpoint(folder / "a.safetensors", checkpoint)


def damaged_checkpoint(content: bytes, rng: random.Random) -> bytes:
    """One of the JSON texts among the metadata damaged, or the file."""
    if rng.random() < 0.5:
        return damaged_safetensors(content, rng)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header["__metadata__"]
    key = rng.choice(sorted(metadata))
    metadata[key] = damaged_json(metadata[key].encode(), rng).decode("utf-8", "replace")
    made = json.dumps(header).encode()
    return len(made).to_bytes(8, "little") + made + content[8 + length :]


def _torch_file(name: str, value: object, read: Callable[[Path], object]) -> Target:
    return Target(
        lambda folder: torch.save(value, folder / name), lambda folder: read(folder / name), {name: damaged_bytes}
    )


def _resume() -> dict[str, object]:
    optimizer = torch.optim.AdamW(_MODEL.parameters())
    state = {"epoch": 1, "best": 0.5, "seed": 0, "run": '{"name": "t"}', "average": None, "step": None}
    return state | {"model": _MODEL.state_dict(), "optimizer": optimizer.state_dict()}


_STORE_FILES: dict[str, Mutator] = {
    "meta.json": damaged_json,
    "videos.json": damaged_json,
    "clips.npy": damaged_npy,
    "pose2d_norm.npy": damaged_npy,
    "mm_per_px.npy": damaged_npy,
}


def _store(folder: Path) -> None:
    write_split(folder / "store", clips=2, n_frames=3)


def _read_store(folder: Path) -> None:
    read_store(folder / "store")


def _train_mat(folder: Path, packed: bool) -> None:
    cells = {key: np.empty((14, 1), object) for key in ("annot2", "univ_annot3")}
    for camera in range(14):
        for key, numbers in (("annot2", 2), ("univ_annot3", 3)):
            cells[key][camera, 0] = _RNG.normal(size=(3, TRAIN_JOINTS * numbers))
    home = folder / "S1" / "Seq1"
    home.mkdir(parents=True)
    scipy.io.savemat(home / "annot.mat", cells, do_compression=packed)


def _test_mat(folder: Path) -> None:
    (folder / "TS1").mkdir()
    with h5py.File(folder / "TS1" / "annot_data.mat", "w", userblock_size=512) as file:
        file["annot2"] = _RNG.normal(size=(4, 1, 17, 2))
        file["univ_annot3"] = _RNG.normal(size=(4, 1, 17, 3))
        file["valid_frame"] = np.ones((4, 1))


TARGETS: dict[str, list[Target]] = {
    "checkpoint": [
        Target(
            _checkpoint, lambda folder: load_checkpoint(folder / "a.safetensors"), {"a.safetensors": damaged_checkpoint}
        )
    ],
    "older .bin": [
        _torch_file("a.bin", {"model_pos": _MODEL.state_dict()}, lambda path: load_bin_weights(path, _model()))
    ],
    "resume state": [_torch_file("last.resume.pt", _resume(), read_resume)],
    "clip store": [Target(_store, _read_store, {f"store/{name}": damage for name, damage in _STORE_FILES.items()})],
    "MATLAB 5 file": [
        Target(
            partial(_train_mat, packed=packed),
            lambda folder: list(read_train_folder(folder)),
            {"S1/Seq1/annot.mat": damaged_bytes},
        )
        for packed in (False, True)
    ],
    "MATLAB 7.3 file": [
        Target(_test_mat, lambda folder: list(read_test_folder(folder)), {"TS1/annot_data.mat": damaged_bytes})
    ],
}
