"""Three stages and two stores from one command: each stage once, in order, from the weights of the one before."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.training.trainer import Trainer

RUN = """
name: {name}
data: {{root: store, more: [{more}], validation: test, crop_frames: {crop}}}
model:
  {{channels: 8, depth: {depth}, heads: 2, drop_path: 0.0, n_frames: 9, frame_patch: 3, input_frame: person,
    label_space: camera, frame_lifter: {{channels: 12, depth: 1}}}}
training: {{epochs: {epochs}, batch_size: 8, clips_per_epoch: 16, lr: 1.0e-2, ema: 0.5, {start}}}
"""
STAGES = {
    "frames": {"crop": 1, "depth": 0, "epochs": 1, "start": "", "more": "calm-9, calm-9"},
    "short": {
        "crop": 3,
        "depth": 1,
        "epochs": 2,
        "start": "after: [runs/frames.yaml], finetune: true",
        "more": "calm-9",
    },
    "whole": {"crop": "null", "depth": 1, "epochs": 1, "start": "after: [runs/short.yaml], finetune: true", "more": ""},
}
CLIPS = "n_frames: 27\nstride: 9\nview_frames: 45\nviews: {views}\n"


def write_stage(name: str, **changes) -> None:
    Path(f"runs/{name}.yaml").write_text(RUN.format(name=name, **STAGES[name] | changes))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    Path("runs").mkdir()
    Path("configs/data").mkdir(parents=True)
    for name in STAGES:
        write_stage(name)
    Path("configs/data/store.yaml").write_text(CLIPS.format(views=2))
    Path("configs/data/calm.yaml").write_text(CLIPS.format(views=1))
    yield tmp_path
    torch.set_num_threads(threads)


def wild(*more: str) -> int:
    return hyperlift("train-wild", ["runs/whole.yaml", "--out", "out/whole", "--no-progress", *more])


def skipped(text: str) -> list[str]:
    return re.findall(r"== (.+): \S+ is there, skipped", text)


def weights(run: str) -> dict[str, torch.Tensor]:
    return load_checkpoint(Path(run) / "last.safetensors").model.state_dict()


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_three_stages_interrupted_in_the_second(project, capsys, monkeypatch):
    """The result equals, bit for bit, three runs of train.py by hand that nothing interrupted."""
    save = Trainer._save

    def save_and_stop(self, record):
        save(self, record)
        if self.spec.name == "short":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", save_and_stop)
        assert wild("--procedural", "3") == 130
    said = capsys.readouterr().out
    assert re.findall(r"^== (.+?): (\S+)$", said, re.M) == [
        ("clips", "store"),
        ("clips", "calm-9"),
        ("training of frames", "out/frames"),
        ("training of short", "out/short"),
    ]
    # Each store was made by the recipe of its name, in the length of the network.
    for store, views in (("store", 2), ("calm-9", 1)):
        made_by = ClipStore(Path(store, "train")).meta.details["mocap"]
        assert (made_by["views"], made_by["n_frames"], made_by["stride"]) == (views, 9, 3)

    # It goes on in the second; neither the source nor the first stage is needed for that.
    shutil.move("out/frames", "moved")
    stores = contents(project / "store") | contents(project / "calm-9")
    assert wild() == 0
    said = capsys.readouterr().out
    assert "goes on after epoch 1" in said
    assert skipped(said)[:2] == ["clips", "clips"]
    assert "training of frames" not in said
    assert not Path("out/frames").exists()
    assert contents(project / "store") | contents(project / "calm-9") == stores
    epochs = [json.loads(line)["epoch"] for line in Path("out/short/log.jsonl").read_text().splitlines()]
    assert epochs == [1, 2]

    before: list[str] = []
    for name in STAGES:
        command = ["--config", f"runs/{name}.yaml", "--checkpoint", f"hand/{name}", "--no-progress", *before]
        assert hyperlift("train", command) == 0
        before = ["--pretrained", f"hand/{name}/best.safetensors"]
    by_hand, ours = weights("hand/whole"), weights("out/whole")
    assert by_hand.keys() == ours.keys()
    assert all(torch.equal(by_hand[name], ours[name]) for name in ours)
    # The stages did hand on: the last epoch has not come back to where the first one was.
    assert not torch.equal(ours["frame_lifter.embed.weight"], weights("hand/frames")["frame_lifter.embed.weight"])

    # With all stages there: nothing is trained, the picture of all stages and the card tell of the first one too.
    shutil.move("moved", "out/frames")
    Path("out/whole/whole.md").unlink()
    assert wild() == 0
    said = capsys.readouterr().out
    assert "training" in skipped(said)
    assert Path("out/whole/stages.png").stat().st_size > 1000
    card = Path("out/whole/whole.md").read_text()
    assert "after `frames` (1 epochs, " in card
    assert "`short` (2 epochs, " in card
    assert "an MLP over single frames (1 blocks of 12 channels)" in card
    # Only the last stage again: the one before is taken as it stands.
    shutil.rmtree("out/whole")
    assert wild() == 0
    said = capsys.readouterr().out
    assert skipped(said) == ["clips", "clips", "training of short", "curves"]
    assert all(torch.equal(by_hand[name], tensor) for name, tensor in weights("out/whole").items())

    # A finished stage that is not what is asked for.
    shutil.rmtree("out/whole")
    write_stage("short", crop=4)
    assert wild() == 2
    assert (
        "out/short: was trained with another configuration than runs/short.yaml: data.crop_frames (3 before, 4 now)"
        in (capsys.readouterr().err)
    )
    write_stage("short")
    assert wild("--seed", "1") == 2
    assert "seed (0 before, 1 now)" in capsys.readouterr().err
    assert not Path("out/whole").exists()
    # In place of the stages, a checkpoint by name.
    assert wild("--seed", "1", "--pretrained", "hand/short/last.safetensors") == 0
    assert "training of" not in capsys.readouterr().out


CHAINS = {
    "names a file that is not there": (
        {"whole": {"start": "after: [runs/none.yaml], finetune: true"}},
        "runs/whole.yaml: training.after is runs/none.yaml: no such file; paths in a configuration start at the work",
    ),
    "leads in a circle": (
        {"frames": {"start": "after: [runs/whole.yaml], finetune: true"}},
        "runs/frames.yaml: training.after is runs/whole.yaml, which comes after runs/frames.yaml itself: a circle",
    ),
    "seen from the file's own folder": (
        {"whole": {"start": "after: [short.yaml], finetune: true"}},
        "runs/whole.yaml: training.after is short.yaml: no such file; paths in a configuration start at the working "
        "directory: write runs/short.yaml",
    ),
    "of one name": (
        {"short": {"start": "after: [runs/other.yaml], finetune: true"}},
        "runs/whole.yaml: its stages are named frames, short, short, whole; each wants a name of its own",
    ),
    "wants finetune": (
        {"short": {"start": "after: [runs/frames.yaml]"}},
        "runs/short.yaml: training: after is runs/frames.yaml; a run that starts from other weights needs finetune",
    ),
    "weights that do not fit": (
        {"whole": {"depth": 2}},
        "runs/short.yaml for whole: weights of another network: missing transformer.spatial.1.",
    ),
    "crops longer than clips": (
        {"short": {"crop": 10}},
        "runs/short.yaml: data.crop_frames is 10; clips have at most model.n_frames, 9",
    ),
    "no recipe": (
        {"frames": {"more": "wild-9"}},
        "wild-9: there are no clips, and no recipe configs/data/wild_9.yaml to make them by",
    ),
    "no source": ({}, "store: there are no clips; give their source"),
}


@pytest.mark.parametrize("case", CHAINS)
def test_chains_that_are_refused_before_anything_is_made(project, capsys, case):
    changes, message = CHAINS[case]
    for name, change in changes.items():
        write_stage(name, **change)
    if case == "of one name":
        Path("runs/other.yaml").write_text(Path("runs/short.yaml").read_text().replace("other.yaml", "frames.yaml"))
    before = contents(project)
    source = () if case == "no source" else ("--procedural", "3")
    assert wild(*source) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert contents(project) == before


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"n_frames": 8}, "h36m17 in clips of 8 at 25 frames a second"),
        ({"fps": 50.0}, "h36m17 in clips of 9 at 50 frames a second"),
        ({"skeleton": "coco17"}, "coco17 in clips of 9 at 25 frames a second"),
    ],
)
def test_stores_that_are_not_alike(project, capsys, facts, said):
    """Both commands refuse them, before anything is made or written."""
    write_store(project / "drawn", **facts)
    write_stage("frames", more="drawn")
    before = contents(project)
    assert wild("--procedural", "3") == 2
    error = capsys.readouterr().err
    assert f"calm-9 has h36m17 in clips of 9 at 25 frames a second; drawn has {said}" in error
    assert error.count("\n") == 1
    assert contents(project) == before

    run = write_run(project / "run.yaml", write_store(project / "plain"), data="more: [drawn]")
    before = contents(project)
    assert hyperlift("train", ["--config", str(run), "--checkpoint", "run", "--no-progress"]) == 2
    error = capsys.readouterr().err
    assert "drawn" in error
    assert error.count("\n") == 1
    assert contents(project) == before


def test_train_alone_says_what_comes_first(project, capsys):
    assert hyperlift("train", ["--config", "runs/short.yaml", "--checkpoint", "run"]) == 2
    error = capsys.readouterr().err
    assert "starts from the weights that runs/frames.yaml trains (training.after)" in error
    assert not Path("run").exists()


def test_curves_of_what_is_no_log(project, capsys):
    Path("empty").mkdir()
    assert hyperlift("draw-curves", ["empty", "--out", "curves.png"]) == 2
    assert "empty/log.jsonl: no such file" in capsys.readouterr().err
    Path("empty/log.jsonl").touch()
    assert hyperlift("draw-curves", ["empty", "--out", "curves.png"]) == 2
    assert "has no epoch yet" in capsys.readouterr().err
    assert not Path("curves.png").exists()
