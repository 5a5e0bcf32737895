"""Arguments of lifting that recordings (``lift``) and cameras (``live``) have in common, and their ``LiftOptions``."""

import argparse
from pathlib import Path
from typing import Any

from hyperlift.cli.arguments import number
from hyperlift.pipeline.options import LiftOptions


def add_model_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--model``."""
    parser.add_argument(
        "--model",
        "--onnx",
        default="small",
        metavar="NAME|FILE",
        help="a bundled lifter or a file (default %(default)s)",
    )


def add_threads_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--threads``."""
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")


def add_metres_arguments(parser: argparse.ArgumentParser, roll_help: str) -> None:
    """Add the height of the people, the lens, and how the camera is held.

    Args:
        parser: gets a group of them.
        roll_help: what a known roll does.
    """
    metres = parser.add_argument_group("metres")
    metres.add_argument("--height", metavar="M", help="standing height of the people (default 1.70, right to 6 %%)")
    metres.add_argument("--fov", metavar="DEG", help="field of view over the longer side (default: lens data, else 60)")
    metres.add_argument("--intrinsics", type=Path, metavar="FILE|fx,fy,cx,cy", help="the camera's, in pixels")
    metres.add_argument("--camera-pitch", metavar="DEG", help="positive looks up; default: from the people")
    metres.add_argument(
        "--camera-roll",
        metavar="DEG",
        help=f"positive: the camera turned clockwise, seen from behind (the picture leans the other way); {roll_help}",
    )


def lift_options(args: argparse.Namespace, **more: Any) -> LiftOptions:
    """What the arguments say.

    Args:
        args: with those of ``add_metres_arguments``, and the detector's, as both commands have them.
        more: options of one command alone.

    Raises:
        InputError: a number is none, or a value means nothing.
    """
    return LiftOptions(
        detector=args.detector,
        det_onnx=args.det_onnx,
        pose_onnx=args.pose_onnx,
        skeleton=args.skeleton,
        min_confidence=number(args.min_confidence, "--min-confidence"),
        height_m=optional_number(args.height, "--height"),
        fov_deg=optional_number(args.fov, "--fov"),
        intrinsics=args.intrinsics,
        camera_pitch_deg=optional_number(args.camera_pitch, "--camera-pitch"),
        camera_roll_deg=optional_number(args.camera_roll, "--camera-roll"),
        **more,
    )


def optional_number(text: str | None, option: str) -> float | None:
    """A number, or None where the option was not given.

    Raises:
        InputError: the text is none; the message names the option.
    """
    return None if text is None else number(text, option)
