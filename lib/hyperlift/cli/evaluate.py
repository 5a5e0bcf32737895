"""``hyperlift evaluate``: score a lifter with the Human3.6M protocols on a clip store, or on a benchmark file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.cli.training_commands import Evaluate
from hyperlift.config.loader import to_mapping
from hyperlift.contract import LifterSpec, Predictor
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.evaluation.benchmark_file import FPS, SKELETON, BenchFile, lift_bench, save_poses, score_bench
from hyperlift.evaluation.named_protocols import ALL, OF_THE_DATA, check_protocol_name, protocol_named, variants
from hyperlift.evaluation.protocol import Protocol
from hyperlift.evaluation.report import bench_json, bench_text, report_json, report_text
from hyperlift.evaluation.store_evaluation import evaluate_protocols, evaluate_store
from hyperlift.evaluation.variants_report import variants_json, variants_text
from hyperlift.files.atomic import atomic_file
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.lifting.windows import lift_windows
from hyperlift.runtime.loading import load_lifter


def main(options: Evaluate) -> int:
    """Run the command; returns its exit code."""
    check_protocol_name(options.protocol)
    _refuse_mixture(options)
    lifter = _lifter(options)
    bench = options.bench
    text, as_json = _bench(options, bench, lifter.predict, lifter.spec) if bench else _store(options, lifter)
    print(text)
    if options.json:
        with atomic_file(options.json) as partial:
            partial.write_text(as_json)
    return 0


def _refuse_mixture(options: Evaluate) -> None:
    choices = {"slicing": options.slicing, "mean": options.mean, "all_sequences": options.all_sequences}
    in_all = [f"`{name}`" for name, value in choices.items() if value] + ["`flip=False`"] * (not options.flip)
    if options.protocol == ALL and in_all:
        raise InputError(f"`protocol` {ALL} shows {in_all[0]} beside the others; leave {in_all[0]} out")
    named = options.protocol if options.protocol != OF_THE_DATA else None
    given = [f"`{name}`" for name, value in {"data": options.data, "protocol": named, **choices}.items() if value]
    if options.bench and given:
        raise InputError(f"{given[0]} has no meaning with `bench`, whose views are scored whole; leave one of them out")
    if options.leave_out and not options.bench:
        raise InputError(
            "`leave_out` names joints of a benchmark file; a clip store says itself which were not measured"
        )
    if options.save and not options.bench:
        raise InputError("`save` writes the predictions of a benchmark file; give `bench` with it")


@dataclass(frozen=True)
class _Lifter:
    predict: Predictor
    spec: LifterSpec
    data: Mapping[str, Any]
    """The data section of its training run; empty if that is unknown."""


def _lifter(options: Evaluate) -> _Lifter:
    data = None
    if options.network.config:
        from hyperlift.cli.run_config import resolve_run_config

        data = to_mapping(resolve_run_config(options.network).data)
    if options.onnx:
        lifter = load_lifter(options.onnx)
        return _Lifter(lifter, lifter.spec, data or {})
    # An ONNX lifter needs no torch; a checkpoint does.
    import torch

    from hyperlift.cli.predictors import load_checkpoint_for
    from hyperlift.models.predictor import TorchPredictor

    assert options.weights is not None, "the options ask for a lifter"
    checkpoint = load_checkpoint_for(options.weights, options.network)
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return _Lifter(TorchPredictor(checkpoint.model.to(device)), checkpoint.spec, data or checkpoint.run.get("data", {}))


def _store(options: Evaluate, lifter: _Lifter) -> tuple[str, str]:
    folder = options.data or lifter.data.get("root")
    if folder is None:
        raise InputError("there is no data to score on; give a clip store with a test split (`data`)")
    store = _open_test_split(Path(folder))
    protocol = replace(protocol_named(options.protocol, store), gt_2d=bool(lifter.data.get("gt_2d")))
    if options.protocol == ALL:
        results = evaluate_protocols(lifter.predict, lifter.spec, store, variants(protocol))
        return variants_text(results, protocol), variants_json(results, protocol)
    result = evaluate_store(lifter.predict, lifter.spec, store, _chosen(options, protocol))
    return report_text(result), report_json(result)


def _open_test_split(folder: Path) -> ClipStore:
    split = folder if (folder / "meta.json").exists() else folder / "test"
    if not (split / "meta.json").exists() and any(split.glob("*.pkl")):
        raise InputError(
            f"{split}: one-pickle-a-clip folders hold no millimetres to score in; "
            "convert the data to a clip store (hyperlift convert-h36m)"
        )
    return ClipStore(split)


def _chosen(options: Evaluate, protocol: Protocol) -> Protocol:
    if options.all_sequences:
        protocol = replace(protocol, excluded=())
    return replace(protocol, mean=options.mean or protocol.mean, flip=options.flip, slicing=options.slicing)


def _bench(options: Evaluate, file: Path, predict: Predictor, spec: LifterSpec) -> tuple[str, str]:
    if spec.fps != FPS or spec.skeleton != SKELETON.name:
        raise InputError(
            f"{file}: benchmark files hold {SKELETON.name} at {FPS:g} frames a second; "
            f"the lifter {spec.name} expects {spec.skeleton} at {spec.fps:g}"
        )
    flip = options.flip
    lift = FlipAveraged(predict, SKELETON) if flip else predict

    def lift_view(pose2d_norm: np.ndarray) -> np.ndarray:
        return lift_windows(lift, pose2d_norm, spec.longest_clip)

    bench = BenchFile(file)
    poses = lift_bench(bench, lift_view)
    leave_out = [joint for joint in options.leave_out.split(",") if joint]
    result = score_bench(bench, poses, leave_out)
    if options.save:
        save_poses(options.save, poses)
    without = f" without {', '.join(leave_out)}" if leave_out else ""
    statement = (
        f"{spec.name} on {file.name}: {result.views} views, {result.frames} frames{without}; "
        f"flip {'on' if flip else 'off'}; "
        "mean over views weighted by frames; mm, roots at 0, one scale a view; jitter in mm a frame²"
    )
    return f"{bench_text(result)}\n{statement}", bench_json(result, spec.name, flip)
