"""vis_attn.py as a user runs it: on a checkpoint alone, on a clip store, on a detector's keypoints."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from hyperlift.cli import attention
from hyperlift.cli.main import run as hyperlift
from hyperlift.config.loader import from_mapping
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import StoreMeta, StoreWriter, Video
from hyperlift.models.checkpoint import Checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "sports2d_demo.alphapose.json"
PARTITION = [0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr("hyperlift.rendering.pictures.attention_page._DPI", 30)


def write_checkpoint(folder: Path, hypergraph: dict | None = None, skeleton: str = "h36m17") -> str:
    torch.manual_seed(0)
    config = from_mapping(hypergraph or {"joint_label": PARTITION}, HypergraphConfig, "h")
    sizes = {"channels": 8, "depth": 2, "heads": 2, "n_frames": 12, "frame_patch": 3}
    model = HyperLifter(ModelConfig(skeleton=skeleton, hypergraph=config, **sizes))
    spec = LifterSpec(name="tiny one", skeleton=skeleton, n_frames=12, credit="somebody")
    path = folder / "tiny.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=spec))
    return str(path)


def write_store(folder: Path, skeleton: str = "h36m17", fps: float = 25.0) -> Path:
    meta = StoreMeta(skeleton=skeleton, fps=fps, n_frames=12, stride=12, slicing="published", source="invented")
    with StoreWriter(folder / "test", meta) as writer:
        rng = np.random.default_rng(0)
        arrays = {name: rng.random((24, 17, 3)).astype("f4") for name in ("pose2d_norm", "label_norm")}
        video = Video(source="a walk", subject="a", action="a", frames=24, width=100.0, height=100.0)
        writer.add_video(video, arrays)
        writer.finish(np.array([[0, 12, 0], [12, 12, 0]]))
    return folder


def test_a_checkpoint_alone_makes_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    checkpoint = write_checkpoint(tmp_path)
    hyper = str(ROOT / "hyper_config/method2/manual_joint_label2.yaml")
    line = ["--hyper_cfg", hyper, "--hyper_relation_bias", "uniform", "--version", "2", "--evaluate", checkpoint]
    assert hyperlift("attention", line) == 0
    out = tmp_path / "vis_data" / "tiny_one"
    assert str(Path("vis_data/tiny_one/index.html")) in capsys.readouterr().out
    with np.load(out / "attention.npz") as saved:
        assert saved["spatial"].shape == (2, 2, 4, 17, 17)
        assert saved["hyperedge"].shape == (2, 1, 2, 4, 17, 17)
        assert saved["temporal"].shape == (2, 2, 17, 4, 4)
        assert saved["incidence_0"].shape == (2, 17, 3)
        assert saved["joints"].tolist() == list(H36M_17.joints)
        assert saved["frame"].tolist() == [0, 3, 6, 9]
        assert "invented" in json.loads(str(saved["meta"]))["facts"]["Clip"]
        assert np.isfinite(saved["pose2d_norm"]).all()
    page = (out / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == 6
    assert base64.b64decode(pictures[0]) == (out / "clip.png").read_bytes()
    assert base64.b64decode(pictures[1]) == (out / "overview.png").read_bytes()
    assert not re.search(r'(src|href)="(?!data:)', page)  # nothing from elsewhere
    for words in ("tiny one", "somebody", "2: Thorax, Nose, Head, LShoulder", "LWrist", "layer 1"):
        assert words in page


def test_a_second_run_gets_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = tmp_path / "vis_data" / "tiny_one"
    first.mkdir(parents=True)
    (first / "index.html").write_text("mine")
    checkpoint = write_checkpoint(tmp_path)
    choice = ["--layers", "1", "--heads", "0", "--frames", "0-2,11"]
    assert hyperlift("attention", ["--evaluate", checkpoint, *choice]) == 0
    assert (first / "index.html").read_text() == "mine"
    with np.load(tmp_path / "vis_data" / "tiny_one-2" / "attention.npz") as saved:
        assert saved["spatial"].shape == (1, 1, 2, 17, 17)
        assert saved["temporal"].shape == (1, 1, 17, 2, 4)
        assert saved["frame"].tolist() == [0, 9]


def test_clips_of_a_store_and_keypoints_of_a_detector(tmp_path, monkeypatch):
    monkeypatch.setattr(attention, "write_attention_page", lambda *args: None)
    checkpoint = write_checkpoint(tmp_path)
    one = ["--evaluate", checkpoint, "--layers", "0", "--heads", "0"]
    store = write_store(tmp_path / "store")
    assert hyperlift("attention", [*one, "--data", str(store), "--clip", "1", "--out", str(tmp_path / "a")]) == 0
    stored = np.load(store / "test" / "pose2d_norm.npy")
    with np.load(tmp_path / "a" / "attention.npz") as saved:
        assert np.array_equal(saved["pose2d_norm"], stored[12:])
        assert "clip 1" in str(saved["meta"])
    video = ["--keypoints", str(EXAMPLE), "--video-size", "1768x994", "--fps", "30"]
    assert hyperlift("attention", [*one, *video, "--out", str(tmp_path / "b")]) == 0
    with np.load(tmp_path / "b" / "attention.npz") as saved:
        assert saved["pose2d_norm"].shape == (12, 17, 3)
        assert np.abs(saved["pose2d_norm"][..., :2]).max() < 1.2


BAD = [
    (["--layers", "2"], "layer 2: the network has layers 0 to 1"),
    (["--heads", "0,2"], "head 2: the network has heads 0 to 1"),
    (["--frames", "0-12"], "frame 12: the clip has frames 0 to 11"),
    (["--layers", "one"], "--layers is 'one'; expected numbers from 0 such as 0,2,5-8"),
    (["--hyper_cfg", "{coco}"], "leave the arguments out, the checkpoint has its own"),
    (["--config", "{config}", "--hyper_cfg", "{coco}"], "made for skeleton coco17, the model has h36m17"),
    (["--data", "{folder}/none"], "meta.json: no such file"),
    (["--data", "{store}", "--clip", "2"], "--clip is 2; {store}/test has clips 0 to 1"),
    (["--data", "{other}"], "holds skeleton coco17, the lifter wants h36m17"),
    (["--data", "{fast}"], "has 50 frames a second, the lifter wants 25"),
    (["--clip", "3"], "there is no clip store"),
    (["--keypoints", "{example}"], "give --video-size and --fps"),
    (
        ["--keypoints", "{example}", "--video-size", "big", "--fps", "30"],
        "expected width x height in pixels, such as 1920x1080",
    ),
    (["--keypoints", "{example}", "--video-size", "1768x994", "--fps", "30", "--start", "9999"], "--start is 9999"),
    (["--version", "1"], "--version is 1"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, capsys, arguments, message):
    paths = {"example": EXAMPLE, "folder": tmp_path, "coco": ROOT / "hyper_config/coco17/limbs.yaml"}
    paths["config"] = ROOT / "configs/pose3d/train_h36m_tiny.yaml"
    paths["store"] = write_store(tmp_path / "store")
    paths["other"] = write_store(tmp_path / "other", skeleton="coco17")
    paths["fast"] = write_store(tmp_path / "fast", fps=50.0)
    out = tmp_path / "out"
    line = [argument.format(**paths) for argument in arguments]
    assert hyperlift("attention", ["--evaluate", write_checkpoint(tmp_path), "--out", str(out), *line]) == 2
    error = capsys.readouterr().err
    assert message.format(**paths) in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_another_skeleton_wants_its_own_clips(tmp_path, capsys):
    hyperedges = [list(COCO_17.joints[:5]), list(COCO_17.joints[5:])]
    checkpoint = write_checkpoint(tmp_path, {"hyperedges": hyperedges}, skeleton="coco17")
    assert hyperlift("attention", ["--evaluate", checkpoint, "--out", str(tmp_path / "a")]) == 2
    assert "give a clip store (--data) with skeleton coco17" in capsys.readouterr().err
    store = write_store(tmp_path / "store", skeleton="coco17")
    few = ["--layers", "0", "--heads", "0"]
    assert (
        hyperlift("attention", ["--evaluate", checkpoint, "--data", str(store), *few, "--out", str(tmp_path / "a")])
        == 0
    )
    assert "LEye" in (tmp_path / "a" / "index.html").read_text(encoding="utf-8")
