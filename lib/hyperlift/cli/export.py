"""Export a checkpoint to ONNX."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli.app import guarded
from hyperlift.cli.config_arguments import add_config_arguments
from hyperlift.cli.predictors import load_checkpoint_for
from hyperlift.export.onnx import INPUT, OUTPUT, TOLERANCE, export_onnx

PARITY_FAILED = 1


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Write a lifter as ONNX and compare it with torch.",
        epilog="--config and --hyper_cfg are needed for older .bin checkpoints only; a contradiction is an error.",
    )
    add_config_arguments(arguments, config_required=False)
    arguments.add_argument("--evaluate", type=Path, required=True, metavar="CHECKPOINT", help="weights to export")
    arguments.add_argument("--deployment", type=Path, required=True, metavar="OUT.onnx", help="the file to write")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1: the ONNX file differs from torch and was not kept)."""
    args = parser().parse_args(argv)
    checkpoint = load_checkpoint_for(args.evaluate, args)
    parity = export_onnx(checkpoint.model, checkpoint.spec, args.deployment)
    shapes = ", ".join(f"{clips}x{frames}" for clips, frames in parity.shapes)
    print(f"largest difference from torch {parity.worst:.2e} (limit {TOLERANCE:.0e}) at clips x frames {shapes}")
    if not parity.passed:
        print(f"{args.deployment}: not written, the exported network differs from torch")
        return PARITY_FAILED
    size = args.deployment.stat().st_size / 1e6
    joints = len(checkpoint.model.skeleton)
    print(f"{args.deployment}: {INPUT} [N,T,{joints},3] -> {OUTPUT} [N,T,{joints},3], {size:.1f} MB")
    return 0
