import json
from functools import partial

import numpy as np
import pytest
import synthetic_3dhp
import synthetic_h36m
import torch
from wild_people import write_flat_lifter

from hyperlift.cli.main import run as hyperlift
from hyperlift.contract import LifterSpec
from hyperlift.datasets.h36m_clips import ClipPlan, convert_h36m
from hyperlift.evaluation.benchmark_file import BenchFile, load_poses, score_bench
from hyperlift.evaluation.report import bench_text
from hyperlift.models.checkpoint import Checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig

main = partial(hyperlift, "evaluate")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A Human3.6M pickle and its store, a benchmark file, a checkpoint, and an ONNX lifter (flat poses)."""
    folder = tmp_path_factory.mktemp("evaluate")
    source = synthetic_h36m.write(folder / "h36m.pkl", synthetic_h36m.build())
    convert_h36m(source, folder / "store", ClipPlan(n_frames=27, stride=27, test_stride=27))
    joints_m = synthetic_h36m.camera_motion_m(40, np.random.default_rng(0)).astype(np.float32)
    points = joints_m[..., :2] / joints_m[..., 2:] * 800 + [320, 240]
    keypoints = np.concatenate([points, np.ones((40, 17, 1))], -1).astype(np.float32)
    view = {"kp": keypoints, "cam": joints_m, "K": np.eye(3), "wh": np.array([640, 480], np.int32)}
    np.savez(folder / "bench.npz", **{f"a@0/{key}": array for key, array in view.items()})
    torch.manual_seed(0)
    model = HyperLifter(ModelConfig(channels=8, depth=1, heads=2, n_frames=27))
    run = {"data": {"root": str(folder / "store")}}
    save_checkpoint(
        folder / "tiny.safetensors",
        Checkpoint(model=model, spec=LifterSpec(name="tiny", n_frames=27), run=run),
    )
    write_flat_lifter(folder / "flat.onnx", n_frames=27)
    return folder


def test_a_checkpoint_on_its_own_data(files, capsys):
    assert main(["--evaluate", str(files / "tiny.safetensors"), "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "Human3.6M; mean over actions" in out
    assert "SittingDown" in out
    assert "published, windows of 27" in out


def test_an_onnx_lifter_on_a_store(files, tmp_path, capsys):
    common = [
        "--onnx",
        str(files / "flat.onnx"),
        "--data",
        str(files / "store"),
        "--json",
        str(tmp_path / "r.json"),
    ]
    assert main(common) == 0
    published = json.loads((tmp_path / "r.json").read_text())
    assert published["protocol"]["flip"] is True
    assert list(published["actions"]) == ["Directions", "Sitting", "SittingDown"]
    assert 50 < published["overall"]["p2_mm"] < published["overall"]["p1_mm"] < 500
    options = ["--slicing", "complete", "--no-flip", "--all-sequences", "--mean", "frame"]
    assert main([*common, *options]) == 0
    complete = json.loads((tmp_path / "r.json").read_text())
    assert complete["overall"]["frames"] == complete["frames_total"] > published["overall"]["frames"]
    assert "Greeting" in complete["actions"]
    assert "flip:      off" in capsys.readouterr().out


def test_all_variants_side_by_side(files, tmp_path, capsys):
    lifter = ["--onnx", str(files / "flat.onnx"), "--data", str(files / "store")]
    assert main([*lifter, "--protocol", "all", "--json", str(tmp_path / "all.json")]) == 0
    out = capsys.readouterr().out
    for words in ("published   complete", "without", "mean over actions *", "mean over frames", "P2 by joint"):
        assert words in out
    variants = json.loads((tmp_path / "all.json").read_text())["variants"]
    assert len(variants) == 8
    assert main([*lifter, "--slicing", "complete", "--all-sequences", "--json", str(tmp_path / "one.json")]) == 0
    one = json.loads((tmp_path / "one.json").read_text())
    same = next(v for v in variants if v["flip"] and not v["excluded"] and v["slicing"] == "complete")
    assert same["mean_over_actions"] == one["mean_over_actions"] == one["overall"]
    assert same["actions"] == one["actions"]
    assert {
        "p1_mm",
        "p2_mm",
        "r_mpjpe_mm",
        "n_mpjpe_mm",
        "n_mpjpe_frame_mm",
        "mpjve_mm_per_frame",
        "pck_150",
        "auc_150",
    } <= set(one["overall"]["joints"]["Head"])


def test_mpi_inf_3dhp_from_files_to_numbers(files, tmp_path, capsys):
    folder = synthetic_3dhp.write(tmp_path / "3dhp")
    convert = ["--dt_root", str(folder), "--out", str(folder), "--n_frames", "27", "--stride", "27"]
    assert hyperlift("convert-mpi-inf-3dhp", convert) == 0
    assert "clips of 27 frames" in capsys.readouterr().out
    assert hyperlift("convert-mpi-inf-3dhp", convert) == 2
    assert "already exists" in capsys.readouterr().err
    write_flat_lifter(tmp_path / "flat.onnx", n_frames=27, skeleton="mpi_inf_3dhp17")
    lifter = ["--onnx", str(tmp_path / "flat.onnx"), "--data", str(folder)]
    assert main(lifter) == 0
    out = capsys.readouterr().out
    assert "MPI-INF-3DHP; mean over all frames" in out
    assert "TS5" in out
    assert main([*lifter, "--protocol", "all", "--json", str(tmp_path / "r.json")]) == 0
    assert len(json.loads((tmp_path / "r.json").read_text())["variants"]) == 4
    capsys.readouterr()
    assert main([*lifter, "--protocol", "h36m"]) == 2
    assert "does not score" in capsys.readouterr().err
    assert main(["--onnx", str(files / "flat.onnx"), "--data", str(folder)]) == 2
    assert "holds skeleton mpi_inf_3dhp17" in capsys.readouterr().err


def test_a_benchmark_file(files, tmp_path, capsys):
    save = tmp_path / "new" / "pred.npz"
    arguments = ["--bench", str(files / "bench.npz"), "--save", str(save), "--json", str(tmp_path / "r.json")]
    assert main(["--onnx", str(files / "flat.onnx"), *arguments]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert line == bench_text(score_bench(BenchFile(files / "bench.npz"), load_poses(save)))
    assert json.loads((tmp_path / "r.json").read_text())["frames"] == 40
    assert main(["--evaluate", str(files / "tiny.safetensors"), "--bench", str(files / "bench.npz")]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--evaluate F/absent.safetensors --data F/store", "absent.safetensors"),
        ("--onnx F/absent.onnx --data F/store", "absent.onnx"),
        ("--onnx F/flat.onnx", "(--data)"),
        ("--onnx F/flat.onnx --data F/nowhere", "nowhere"),
        ("--onnx F/flat.onnx --bench F/h36m.pkl --save T/pred.npz", "h36m.pkl"),
        ("--onnx F/flat.onnx --bench F/nan.npz --save T/pred.npz --json T/r.json", "holds NaN"),
        ("--onnx F/flat.onnx --bench F/bench.npz --slicing complete", "--slicing"),
        ("--onnx F/flat.onnx --data F/store --save T/pred.npz", "--save"),
        ("--onnx F/flat.onnx --data F/store --version 3", "--version"),
        ("--onnx F/flat.onnx --data F/store --protocol h37m --json T/r.json", "unknown protocol 'h37m'; known: data"),
        ("--onnx F/flat.onnx --data F/store --protocol mpi_inf_3dhp", "does not score"),
        ("--onnx F/flat.onnx --data F/store --protocol all --mean frame", "leave --mean out"),
        ("--onnx F/flat.onnx --bench F/bench.npz --protocol all", "--protocol"),
        ("--onnx F/slow.onnx --bench F/bench.npz", "50"),
        ("--onnx F/flat.onnx --data F/pickled", "hyperlift convert-h36m"),
        ("--evaluate F/tiny.safetensors --hyper_cfg F/other.yaml --data F/store", "hypergraph"),
    ],
)
def test_mistakes_are_one_line(files, tmp_path, capsys, arguments, message):
    with np.load(files / "bench.npz") as arrays:
        spoiled = {**arrays, "a@0/kp": arrays["a@0/kp"] * np.nan}
    np.savez(files / "nan.npz", **spoiled)
    write_flat_lifter(files / "slow.onnx", fps=50.0)
    if not (files / "pickled").exists():
        convert_h36m(files / "h36m.pkl", files / "pickled", ClipPlan(n_frames=27), "pkl")
    (files / "other.yaml").write_text("joint_label: [0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]\n")
    words = [word.replace("F/", f"{files}/").replace("T/", f"{tmp_path}/") for word in arguments.split()]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not list(tmp_path.iterdir())
