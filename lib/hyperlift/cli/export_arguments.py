"""The arguments of ``hyperlift export``; reading them needs no torch."""

import argparse
from pathlib import Path

from hyperlift.cli.arguments import OneLineParser
from hyperlift.cli.config_arguments import add_config_arguments

MOST_INT8_MM = 5.0
"""Greatest mean distance of int8 joints from fp32 joints that is let through unless the user says otherwise."""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = OneLineParser(
        description="Write a lifter as ONNX and compare it with torch.",
        epilog="--config and --hyper_cfg are needed for older .bin checkpoints only; a contradiction is an error.",
    )
    add_config_arguments(arguments, config_required=False)
    arguments.add_argument("--evaluate", type=Path, required=True, metavar="CHECKPOINT", help="weights to export")
    arguments.add_argument("--deployment", type=Path, required=True, metavar="OUT.onnx", help="the file to write")
    arguments.add_argument(
        "--stream", action="store_true", help="of a streaming lifter: one frame, its cache as inputs and outputs"
    )
    int8 = arguments.add_argument_group("8-bit multiplications")
    int8.add_argument("--int8", action="store_true", help="also write OUT-int8.onnx and a report, OUT-int8.json")
    int8.add_argument(
        "--calibration",
        type=Path,
        metavar="KEYPOINTS",
        help="clips to fit and compare on: a clip store, an .npz or a keypoint file (default: procedural motions)",
    )
    int8.add_argument("--video_size", metavar="WxH", help="of the video of a calibration keypoint file")
    int8.add_argument("--fps", help="of the video of a calibration keypoint file (default: the lifter's)")
    int8.add_argument(
        "--max_int8_error_mm",
        default=str(MOST_INT8_MM),
        metavar="MM",
        help="write nothing where int8 joints lie further from fp32 joints on average (default %(default)s)",
    )
    int8.add_argument(
        "--keep_fp32",
        default="auto",
        metavar="auto|none|NODES",
        help="multiplications that stay in fp32, by name with commas; auto (default): those that cost most accuracy",
    )
    return arguments
