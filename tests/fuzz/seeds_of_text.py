"""Targets of the readers whose files are text: configurations, metadata, logs, motions."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fuzz.archive_mutators import damaged_npz
from fuzz.mutators import Mutator, damaged_json, damaged_json_lines, damaged_text, damaged_yaml
from fuzz.targets import Target
from hyperlift.body.joint_limits import read_limits
from hyperlift.cli.training_chain import read_run_record
from hyperlift.config.loader import load_config, load_yaml, to_mapping
from hyperlift.contract import METADATA_KEY, STREAM_METADATA_KEY, LifterSpec, StreamSpec
from hyperlift.errors import InputError
from hyperlift.evaluation.run_files import read_scores, read_training_log
from hyperlift.keypoints.formats.alphapose_writer import read_recording, recording_path
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.asfamc import read_asfamc
from hyperlift.mocap.bvh import read_bvh
from hyperlift.mocap.collection import read_trials
from hyperlift.mocap.mocap_clips import MocapStoreConfig
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.pipeline.results import Results
from hyperlift.placement.lens import given_intrinsics
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.config import RunConfig
from hyperlift.training.distillation.config import DistillationConfig

ROOT = Path(__file__).resolve().parents[2]
_FIXTURES = ROOT / "tests" / "mocap" / "fixtures"


def written(name: str, content: str, read: Callable[[Path], object], damage: Mutator) -> Target:
    """A target of one file with that text."""
    return Target(
        lambda folder: (folder / name).write_text(content, encoding="utf-8"),
        lambda folder: read(folder / name),
        {name: damage},
    )


def shipped(source: str, read: Callable[[Path], object], damage: Mutator) -> Target:
    """A target of one file of this repository."""
    return written("copy" + Path(source).suffix, (ROOT / source).read_text(encoding="utf-8"), read, damage)


def _copied(*names: str) -> Callable[[Path], object]:
    return lambda folder: [shutil.copy(_FIXTURES / name, folder) for name in names]


def _mocap_arrays(folder: Path) -> None:
    arrays = {"A_1": np.ones((3, 17, 3), np.int16), "A_2": np.ones((4, 17, 3), np.int32)}
    entries = [{"id": name, "subject": "07", "group": "walk", "frames": len(array)} for name, array in arrays.items()]
    index = {"fps": 50, "metres_per_step": 0.001, "up": "z", "joints": list(H36M_17.joints), "test": entries}
    (folder / "index.json").write_text(json.dumps(index))
    np.savez(folder / "test.npz", **arrays)


def _log_lines() -> str:
    return "\n".join((ROOT / "docs/training_logs/nano.jsonl").read_text().splitlines()[:5])


_FACTS = '{"frames": 9, "width": 96, "height": 64, "detector": "movenet", "skeleton": "coco17"}'


def _results(folder: Path) -> None:
    """A folder of one table, as a run leaves it."""
    (folder / "a.csv").write_text("person\n")
    facts = {"sha256": hashlib.sha256(b"person\n").hexdigest(), "bytes": 7}
    report = {"format": "hyperlift-report", "version": 2, "outputs": ["a.csv"], "files": {"a.csv": facts}}
    (folder / "report.json").write_text(json.dumps(report))


def _standing(folder: Path) -> None:
    """What a second run asks of the report of the first."""
    results = Results.of(folder)
    standing = results.complete, results.holds("a.csv")
    assert standing in ((True, True), (False, False), (False, True), (True, False))
    # A damaged report is no report, so that nothing is refused in the reading alone.
    if not results.files:
        raise InputError("no report of ours")


_BENCH = {"views": 2, "frames": 9, "n_mpjpe_mm": 1.0, "pa_mpjpe_mm": 1.0, "jitter_mm": 1.0, "bone": 0.1, "flip": True}
_ERRORS = {"frames": 3, "p1_mm": 1.0, "p2_mm": 1.0, "n_mpjpe_mm": 1.0}
_STORE = {
    "actions": {"walk": _ERRORS, "sit": _ERRORS},
    "overall": {"joints": {"Hip": {"p1_mm": 1.0}}},
    "mean_over_frames": _ERRORS,
    "size_given": False,
    "protocol": {"flip": True},
}
_LIMITS = (
    "unit: degrees\njoints:\n  Knee: {X: [0, 160]}\n  LElbow: {Z: [-150, 0], X: [-5, 5]}\n  Spine: {X: [-20, 90]}\n"
)
_INTRINSICS = "fx: 900\nfy: 900.5\ncx: 480\ncy: 270\nwidth: 960\nheight: 540\n"
_MATRIX = "K:\n- [900, 0, 480]\n- [0, 900, 270]\n- [0, 0, 1]\n"
_TRIALS = 'trial,description,fps\n35_01,walk,120\n35_02,"run, jog",60\n'


def _intrinsics(path: Path) -> object:
    return given_intrinsics(path, 960, 540)


def _spec(path: Path) -> object:
    return LifterSpec.from_metadata({METADATA_KEY: path.read_text("utf-8", "surrogatepass")}, "the lifter")


def _stream(path: Path) -> object:
    return StreamSpec.from_metadata({STREAM_METADATA_KEY: path.read_text("utf-8", "surrogatepass")}, "the lifter")


def _with_bytes(damage: Mutator) -> Mutator:
    """Metadata are text by the time they are read: bytes that are none are replaced."""
    return lambda content, rng: damage(content, rng).decode("utf-8", "replace").encode()


def _record() -> str:
    run = to_mapping(load_config(ROOT / "configs/wild/nano.yaml", RunConfig))
    return json.dumps({"run": run, "seed": 1})


def _configurations() -> list[Target]:
    kinds = {
        "configs/wild/small.yaml": RunConfig,
        "configs/pose3d/train_h36m_small_distill.yaml": RunConfig,
        "configs/data/mocap_wild.yaml": MocapStoreConfig,
        "hyper_config/method2/multi_head.yaml": HypergraphConfig,
        "distill_config/distillation_config.yaml": DistillationConfig,
    }

    def reading(kind: type) -> Callable[[Path], object]:
        return lambda path: load_config(path, kind)

    return [shipped(source, reading(kind), damaged_yaml) for source, kind in kinds.items()]


TARGETS: dict[str, list[Target]] = {
    "YAML of keys": [shipped("configs/wild/nano.yaml", load_yaml, damaged_yaml)],
    "configuration": _configurations(),
    "limits of joint angles": [written("limits.yaml", _LIMITS, read_limits, damaged_yaml)],
    "intrinsics": [
        written("camera.yaml", _INTRINSICS, _intrinsics, damaged_yaml),
        written("camera.yml", _MATRIX, _intrinsics, damaged_yaml),
        written("camera.json", '{"K": [[900, 0, 480], [0, 900, 270], [0, 0, 1]]}', _intrinsics, damaged_json),
        written("flat.json", '{"fx": 900, "fy": 900, "cx": 480, "cy": 270.5}', _intrinsics, damaged_json),
    ],
    "lifter metadata": [
        written("spec.json", LifterSpec(name="tiny").to_json(), _spec, _with_bytes(damaged_json)),
        written("spec.json", LifterSpec(name="m", label_space="camera").to_json(), _spec, _with_bytes(damaged_json)),
    ],
    "metadata of a streaming lifter": [
        written("spec.json", StreamSpec(look_ahead=4, look_back=27).to_json(), _stream, _with_bytes(damaged_json)),
    ],
    "training log": [
        written("log.jsonl", _log_lines(), lambda path: read_training_log(path, ("lr", "seconds")), damaged_json_lines),
    ],
    "scores": [
        written("scores.json", json.dumps(_BENCH), read_scores, damaged_json),
        written("scores.json", json.dumps(_STORE), read_scores, damaged_json),
    ],
    "record of a training run": [
        written("config.json", _record(), lambda path: read_run_record(path, "train it again"), damaged_json),
    ],
    "report of results": [Target(_results, _standing, {"report.json": damaged_json})],
    "facts of a recording": [
        Target(
            lambda folder: recording_path(folder / "a.json").write_text(_FACTS),
            lambda folder: read_recording(folder / "a.json"),
            {"a.recording.json": damaged_json},
        )
    ],
    "list of trials": [written("trials.csv", _TRIALS, read_trials, damaged_text)],
    "BVH motion": [
        Target(_copied("35_17.bvh"), lambda folder: read_bvh(folder / "35_17.bvh"), {"35_17.bvh": damaged_text})
    ],
    "Acclaim motion": [
        Target(
            _copied("35.asf", "35_01.amc"),
            lambda folder: read_asfamc(folder / "35_01.amc"),
            {"35_01.amc": damaged_text, "35.asf": damaged_text},
        )
    ],
    "motion capture arrays": [
        Target(
            _mocap_arrays,
            lambda folder: list(read_mocap_arrays(folder, "test")),
            {"index.json": damaged_json, "test.npz": damaged_npz},
        )
    ],
}
