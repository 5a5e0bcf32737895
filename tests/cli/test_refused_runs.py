"""What train.py refuses: one line, exit code 2, and not a byte of any file changed."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_store import write_run, write_split, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.files.processes import own_mark
from hyperlift.models.checkpoint import load_checkpoint


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Stores of two frame rates, one with a rate a split, and a finished run."""
    folder = tmp_path_factory.mktemp("refused")
    write_store(folder / "store")
    write_store(folder / "fast", fps=50.0)
    write_store(folder / "coco", skeleton="coco17")
    write_split(folder / "mixed" / "train")
    write_split(folder / "mixed" / "test", fps=50.0)
    store = folder / "store"
    write_run(folder / "plain.yaml", store)
    write_run(folder / "slow.yaml", store, data="fps: 25.0")
    write_run(folder / "fast.yaml", store, data="fps: 50.0")
    write_run(folder / "wrong.yaml", store, data="fps: 0.0")
    write_run(folder / "other.yaml", store, training="weight_decay: 0.5")
    write_run(folder / "finetune.yaml", store, training="finetune: true")
    limbs = "hypergraph: {hyperedges: [[Nose, LEye, REye]], skeleton: coco17}"
    write_run(folder / "partition.yaml", store, model=limbs)
    coco = "skeleton: coco17, hypergraph: {random_edges: 2, membership: learned}"
    write_run(folder / "coco.yaml", folder / "coco", model=coco, training="finetune: true")
    (folder / "parts.yaml").write_text(
        f"teacher: {folder / 'run' / 'last.safetensors'}\n"
        "spatial_mimicking: {student_layers: [0], teacher_layers: [0]}\n"
        "temporal_mimicking: {enabled: false}\ngeneration: {enabled: false}\n"
    )
    (folder / "layers.yaml").write_text(
        (folder / "parts.yaml").read_text().replace("teacher_layers: [0]", "teacher_layers: [3]")
    )
    command = ["--config", str(folder / "plain.yaml"), "--checkpoint", str(folder / "run"), "--no-progress"]
    assert hyperlift("train", command) == 0
    shutil.copytree(folder / "run", folder / "copy")
    (folder / "copy" / "last.resume.pt").unlink()
    for name in ("settings/config.json", "pictures/curves.png"):
        (folder / name).parent.mkdir()
        (folder / name).write_text('{"mine": 1}')
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


REFUSED = [
    ("--config P/fast.yaml --checkpoint P/new", "store/train: holds 25 frames a second, data.fps of the config is 50"),
    (
        "--config P/slow.yaml --data P/fast --checkpoint P/new",
        "fast/train: holds 50 frames a second, data.fps of the con",
    ),
    ("--config P/wrong.yaml --checkpoint P/new", "fps is 0; it must be positive"),
    (
        "--config P/plain.yaml --data P/mixed --checkpoint P/new",
        "mixed/test: holds 50 frames a second, the training clips have 25",
    ),
    (
        "--config P/finetune.yaml --data P/fast -p P/run/last.safetensors --checkpoint P/new",
        "last.safetensors: knows h36m17 at 25 frames a second, the clips are h36m17 at 50",
    ),
    (
        "--config P/coco.yaml -p P/run/last.safetensors --checkpoint P/new",
        "last.safetensors: knows h36m17 at 25 frames a second, the clips are coco17 at 25",
    ),
    ("--config P/plain.yaml --data P/coco --checkpoint P/new", "holds skeleton coco17, the config asks for h36m17"),
    ("--config P/partition.yaml --checkpoint P/new", "made for skeleton coco17, the model has h36m17"),
    ("--config P/plain.yaml --checkpoint P/run", "run: already holds a run; resume it (--resume "),
    ("--config P/other.yaml --checkpoint P/run", "run: already holds a run; resume it (--resume "),
    (
        "--config P/plain.yaml --checkpoint P/copy",
        "copy: holds last.safetensors, best.safetensors, log.jsonl of another",
    ),
    ("--config P/plain.yaml --checkpoint P/settings", "settings/config.json: is of no training run and would be repl"),
    ("--config P/plain.yaml --checkpoint P/pictures", "pictures/curves.png: is of no training run and would be repl"),
    (
        "--config P/other.yaml --checkpoint P/run -r P/run/last.resume.pt",
        "training.weight_decay (0.01 before, 0.5 now)",
    ),
    (
        "--config P/plain.yaml --checkpoint P/copy -r P/run/last.resume.pt",
        "run/last.resume.pt: lies in another folder than --checkpoint",
    ),
    (
        "--config P/plain.yaml --checkpoint P/new -r P/run/last.safetensors",
        "run/last.safetensors: lies in another folder than --checkpoint",
    ),
    ("--config P/plain.yaml --checkpoint P/run -r P/run/last.resume.pt --seed 7", "was trained with seed 0, not 7"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_training(project, capsys, arguments, message):
    check(project, capsys, "train", arguments, message)


DISTILLED = [
    (
        "--config P/plain.yaml --distill_cfg P/parts.yaml --data P/fast",
        "the teacher knows 25 frames a second, the clips have 50",
    ),
    ("--config P/plain.yaml --distill_cfg P/layers.yaml", "names layer 3; the teacher has layers 0 to 0"),
    ("--config P/coco.yaml --distill_cfg P/parts.yaml -p P/run/last.safetensors", "knows h36m17"),
]


@pytest.mark.parametrize(("arguments", "message"), DISTILLED, ids=[message for _, message in DISTILLED])
def test_distillation(project, capsys, arguments, message):
    check(project, capsys, "distill", f"{arguments} --checkpoint P/new", message)


def check(project, capsys, command: str, arguments: str, message: str) -> None:
    before = contents(project)
    capsys.readouterr()
    assert hyperlift(command, [word.replace("P/", f"{project}/") for word in arguments.split()]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert contents(project) == before
    assert not (project / "new").exists()


def test_a_resumed_run_goes_on_in_its_own_folder(project, tmp_path, monkeypatch):
    """Without --checkpoint too, and clear of what a killed process left behind."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "mine"
    config = ["--config", str(write_run(tmp_path / "r.yaml", project / "store")), "--no-progress"]
    assert hyperlift("train", [*config, "--checkpoint", str(run)]) == 0
    dead = f".hyperlift-{replace(own_mark(), started='0123456789ab')}.0.partial"  # its number is ours now
    (run / dead).mkdir()
    (run / dead / "last.resume.pt").write_bytes(b"half")
    assert hyperlift("train", [*config, "-r", str(run / "last.resume.pt")]) == 0
    assert not (tmp_path / "checkpoint").exists()
    assert not list(run.glob(".*"))


def test_frame_rates_that_agree_train_and_finetune_and_are_kept(project, tmp_path):
    first = ["--config", str(project / "slow.yaml"), "--checkpoint", str(tmp_path / "a"), "--no-progress", "--preload"]
    assert hyperlift("train", first) == 0
    assert load_checkpoint(tmp_path / "a" / "last.safetensors").spec.fps == 25.0
    second = ["--config", str(project / "finetune.yaml"), "-p", str(tmp_path / "a" / "last.safetensors")]
    assert hyperlift("train", [*second, "--checkpoint", str(tmp_path / "b"), "--no-progress"]) == 0


def state_of(folder: Path, edit) -> Path:
    """The resume state of a run with its record changed, as an older or newer version would have written it."""
    state = torch.load(folder / "last.resume.pt", weights_only=True)
    record = json.loads(state["run"])
    edit(record)
    torch.save({**state, "run": json.dumps(record)}, folder / "last.resume.pt")
    return folder / "last.resume.pt"


def copy_of(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project / "run", tmp_path / "older"))


def test_a_state_from_before_a_key_existed_goes_on(project, tmp_path):
    def older(record):
        for section, key in (("data", "fps"), ("training", "amp_on_cpu"), ("loss", "limb_angle")):
            del record[section][key]
        del record["model"]["hypergraph"]["relation_term"]

    state = state_of(copy_of(project, tmp_path), older)
    assert hyperlift("train", ["--config", str(project / "plain.yaml"), "-r", str(state), "--no-progress"]) == 0


@pytest.mark.parametrize(
    ("edit", "config", "message"),
    [
        (lambda record: record["data"].pop("fps"), "slow", "differs in data.fps (None before, 25.0 now)"),
        (lambda record: record["training"].update(colour="red"), "plain", "unknown key colour"),
        (lambda record: record.update(distillation={}), "plain", "unknown key distillation"),
    ],
    ids=["another value than the default", "unknown key", "of another command"],
)
def test_an_older_state_that_differs_is_refused_by_name(project, tmp_path, capsys, edit, config, message):
    state = state_of(copy_of(project, tmp_path), edit)
    before = contents(state.parent)
    capsys.readouterr()
    assert hyperlift("train", ["--config", str(project / f"{config}.yaml"), "-r", str(state)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert contents(state.parent) == before


def test_a_distillation_from_before_a_key_existed_goes_on(project, tmp_path, capsys):
    run = tmp_path / "student"
    command = ["--config", str(project / "plain.yaml"), "--distill_cfg", str(project / "parts.yaml"), "--no-progress"]
    assert hyperlift("distill", [*command, "--checkpoint", str(run)]) == 0
    state = state_of(run, lambda record: record["distillation"].pop("balance_every"))
    assert hyperlift("distill", [*command, "-r", str(state)]) == 0
    state_of(run, lambda record: record["distillation"].update(colour="red"))
    capsys.readouterr()
    assert hyperlift("distill", [*command, "-r", str(state)]) == 2
    assert "unknown key colour" in capsys.readouterr().err
