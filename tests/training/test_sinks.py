"""What TensorBoard and Weights & Biases were given, read back with their own readers."""

import importlib.util
import json
import struct
import sys

import pytest
import torch
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift


@pytest.fixture
def command(tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    config = write_run(tmp_path / "t.yaml", write_store(tmp_path / "store"))
    yield ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress", "--log"]
    torch.set_num_threads(threads)


def logged(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def expected(record: dict) -> dict[str, float]:
    validation = {f"validation/{name}": value for name, value in record["validation"].items()}
    return {name: value for name, value in record.items() if name not in ("epoch", "validation")} | validation


def test_tensorboard(command, tmp_path):
    reason = "the package tensorboard is not installed"
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=reason)
    assert hyperlift("train", [*command, "tensorboard"]) == 0
    reader = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    reader.Reload()
    log = logged(tmp_path / "run")
    assert len(log) == 2
    assert set(reader.Tags()["scalars"]) == set(expected(log[0]))
    for record in log:
        for name, value in expected(record).items():
            (read,) = [event.value for event in reader.Scalars(name) if event.step == record["epoch"]]
            assert read == pytest.approx(value, rel=1e-6)


WANDB_HEADER = 7
BLOCK = 32768
FULL, LAST = 1, 4


def leveldb_records(log: bytes):
    """The records of a LevelDB log, which is what a .wandb file is after its header; the header counts as block."""
    position, parts = 0, b""
    while position + 7 <= len(log):
        left = BLOCK - (position + WANDB_HEADER) % BLOCK
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", log, position)
        parts += log[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (FULL, LAST):
            yield parts
            parts = b""


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_wandb(command, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the package wandb is not installed")
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hyperlift("train", [*command, "wandb"]) == 0
    (file,) = (tmp_path / "run").rglob("*.wandb")
    read = []
    for data in leveldb_records(file.read_bytes()[WANDB_HEADER:]):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            items = record.history.item
            read.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    log = logged(tmp_path / "run")
    assert [values["_step"] for values in read] == [record["epoch"] for record in log]
    for values, record in zip(read, log, strict=True):
        assert {name: values[name] for name in expected(record)} == pytest.approx(expected(record), rel=1e-6)


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_missing_package_is_said_before_anything_is_written(command, tmp_path, monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert importlib.util.find_spec(name) is None
    assert hyperlift("train", [*command, name]) == 2
    error = capsys.readouterr().err
    extra = {"tensorboard": "log", "wandb": "wandb"}[name]
    assert f"--log {name} needs {name}, which is not installed; pip install 'hyperlift[{extra}]'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
