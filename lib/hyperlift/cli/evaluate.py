"""Score a lifter: the Human3.6M protocols on a clip store, or a benchmark file."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from hyperlift.cli.app import guarded
from hyperlift.cli.arguments import OneLineParser
from hyperlift.cli.config_arguments import add_config_arguments, check_version
from hyperlift.config import to_mapping
from hyperlift.data.slicing import SLICINGS
from hyperlift.data.store import ClipStore
from hyperlift.errors import InputError
from hyperlift.evaluation.bench import FPS, SKELETON, BenchFile, lift_bench, save_poses, score_bench
from hyperlift.evaluation.named_protocols import (
    ALL,
    OF_THE_DATA,
    PROTOCOLS,
    check_protocol_name,
    protocol_named,
    variants,
)
from hyperlift.evaluation.protocol import Mean, Protocol
from hyperlift.evaluation.report import bench_json, bench_text, report_json, report_text
from hyperlift.evaluation.store_evaluation import evaluate_protocols, evaluate_store
from hyperlift.evaluation.variants_report import variants_json, variants_text
from hyperlift.files import atomic_file
from hyperlift.geometry.contract import LifterSpec, Predictor
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import load_lifter
from hyperlift.wild.windows import lift_windows


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = OneLineParser(
        description="Score a lifter by the Human3.6M or MPI-INF-3DHP protocol on a clip store, or on a benchmark file.",
        epilog="--config and --hyper_cfg are needed for older .bin files only; a contradiction is an error.",
    )
    add_config_arguments(arguments, config_required=False)
    lifter = arguments.add_mutually_exclusive_group(required=True)
    lifter.add_argument("--evaluate", type=Path, metavar="CHECKPOINT", help="weights to score")
    lifter.add_argument("--onnx", type=Path, metavar="FILE", help="ONNX lifter to score")
    arguments.add_argument("--data", type=Path, metavar="FOLDER", help="clip store; the default is the run's own data")
    arguments.add_argument(
        "--protocol",
        default=OF_THE_DATA,
        metavar="NAME",
        help=f"{', '.join(PROTOCOLS)}; {OF_THE_DATA}: what fits the data (the default); "
        f"{ALL}: that in both slicings, with and without flip and the excluded sequences, side by side",
    )
    arguments.add_argument("--slicing", choices=SLICINGS, help="cut of the test videos (the store's own)")
    arguments.add_argument("--mean", choices=get_args(Mean), help="what the mean is over (the protocol's own)")
    arguments.add_argument("--all-sequences", action="store_true", help="score the excluded sequences too")
    arguments.add_argument("--no-flip", action="store_true", help="without the mirrored input's mirrored output")
    arguments.add_argument("--bench", type=Path, metavar="FILE.npz", help="score on a benchmark file instead")
    arguments.add_argument(
        "--leave_out", default="", metavar="JOINT,…", help="with --bench: joints whose truth was not measured"
    )
    arguments.add_argument("--save", type=Path, metavar="PRED.npz", help="with --bench: write the predictions")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")
    arguments.add_argument("--device", help="cpu or cuda; the default is cuda where there is one")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    check_version(args.version)
    check_protocol_name(args.protocol)
    _refuse_mixture(args)
    lifter = _lifter(args)
    text, as_json = _bench(args, lifter.predict, lifter.spec) if args.bench else _store(args, lifter)
    print(text)
    if args.json:
        with atomic_file(args.json) as partial:
            partial.write_text(as_json)
    return 0


def _refuse_mixture(args: argparse.Namespace) -> None:
    choices = {"--slicing": args.slicing, "--mean": args.mean, "--all-sequences": args.all_sequences}
    in_all = [name for name, value in {**choices, "--no-flip": args.no_flip}.items() if value]
    if args.protocol == ALL and in_all:
        raise InputError(f"--protocol {ALL} shows {in_all[0]} beside the others; leave {in_all[0]} out")
    named = args.protocol if args.protocol != OF_THE_DATA else None
    only_store = {"--data": args.data, "--protocol": named, **choices}
    given = [name for name, value in only_store.items() if value]
    if args.bench and given:
        raise InputError(f"{given[0]} has no meaning with --bench, whose views are scored whole; leave one of them out")
    if args.leave_out and not args.bench:
        raise InputError(
            "--leave_out names joints of a benchmark file; a clip store says itself which were not measured"
        )
    if args.save and not args.bench:
        raise InputError("--save writes the predictions of a benchmark file; give --bench FILE.npz with it")


@dataclass(frozen=True)
class _Lifter:
    predict: Predictor
    spec: LifterSpec
    data: Mapping[str, Any]
    """The data section of the run it comes from, empty where that is not known."""


def _lifter(args: argparse.Namespace) -> _Lifter:
    data = None
    if args.config:
        from hyperlift.cli.run_config import resolve_run_config

        data = to_mapping(resolve_run_config(args).data)
    if args.onnx:
        lifter = load_lifter(args.onnx)
        return _Lifter(lifter, lifter.spec, data or {})
    # An ONNX lifter is scored without torch; what follows cannot do without it.
    import torch

    from hyperlift.cli.predictors import load_checkpoint_for
    from hyperlift.models.predictor import TorchPredictor

    checkpoint = load_checkpoint_for(args.evaluate, args)
    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return _Lifter(TorchPredictor(checkpoint.model.to(device)), checkpoint.spec, data or checkpoint.run.get("data", {}))


def _store(args: argparse.Namespace, lifter: _Lifter) -> tuple[str, str]:
    folder = args.data or lifter.data.get("root")
    if folder is None:
        raise InputError("there is no data to score on; give --data FOLDER, a clip store with a test split")
    store = _open_test_split(Path(folder))
    protocol = replace(protocol_named(args.protocol, store), gt_2d=bool(lifter.data.get("gt_2d")))
    if args.protocol == ALL:
        results = evaluate_protocols(lifter.predict, lifter.spec, store, variants(protocol))
        return variants_text(results, protocol), variants_json(results, protocol)
    result = evaluate_store(lifter.predict, lifter.spec, store, _chosen(args, protocol))
    return report_text(result), report_json(result)


def _open_test_split(folder: Path) -> ClipStore:
    split = folder if (folder / "meta.json").exists() else folder / "test"
    if not (split / "meta.json").exists() and any(split.glob("*.pkl")):
        raise InputError(
            f"{split}: one-pickle-a-clip folders hold no millimetres to score in; "
            "convert with tools/convert_h36m_mixste_style.py --format store"
        )
    return ClipStore(split)


def _chosen(args: argparse.Namespace, protocol: Protocol) -> Protocol:
    if args.all_sequences:
        protocol = replace(protocol, excluded=())
    return replace(protocol, mean=args.mean or protocol.mean, flip=not args.no_flip, slicing=args.slicing)


def _bench(args: argparse.Namespace, predict: Predictor, spec: LifterSpec) -> tuple[str, str]:
    if spec.fps != FPS or spec.skeleton != SKELETON.name:
        raise InputError(
            f"{args.bench}: benchmark files hold {SKELETON.name} at {FPS:g} frames a second; "
            f"the lifter {spec.name} expects {spec.skeleton} at {spec.fps:g}"
        )
    flip = not args.no_flip
    lift = FlipAveraged(predict, SKELETON) if flip else predict

    def lift_view(pose2d_norm: np.ndarray) -> np.ndarray:
        return lift_windows(lift, pose2d_norm, spec.longest_clip)

    bench = BenchFile(args.bench)
    poses = lift_bench(bench, lift_view)
    leave_out = [joint for joint in args.leave_out.split(",") if joint]
    result = score_bench(bench, poses, leave_out)
    if args.save:
        save_poses(args.save, poses)
    without = f" without {', '.join(leave_out)}" if leave_out else ""
    statement = (
        f"{spec.name} on {args.bench.name}: {result.views} views, {result.frames} frames{without}; "
        f"flip {'on' if flip else 'off'}; "
        "mean over views weighted by frames; mm, roots at 0, one scale a view; jitter in mm a frame²"
    )
    return f"{bench_text(result)}\n{statement}", bench_json(result, spec.name, flip)
