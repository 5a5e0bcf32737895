"""Human3.6M's pickle to clips."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli.app import guarded, log_to_stderr, say
from hyperlift.cli.cut_arguments import add_cut_arguments
from hyperlift.data.h36m_clips import CLIP_FORMATS, ClipPlan, convert_h36m

ROOT = Path("data/motion3d/H36M-SH")


def parser() -> argparse.ArgumentParser:
    """The command's arguments; the defaults are the published ones."""
    defaults = ClipPlan()
    arguments = argparse.ArgumentParser(
        description="Cut the Human3.6M pickle with stacked-hourglass detections into clips.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    arguments.add_argument("--dt_root", type=Path, default=ROOT, help="folder of the pickle")
    arguments.add_argument("--dt_file", default="h36m_sh_conf_cam_source_final.pkl", help="name of the pickle")
    arguments.add_argument(
        "--tds", type=int, default=defaults.tds, help="temporal down-sampling: keep every n-th frame"
    )
    arguments.add_argument("--format", choices=CLIP_FORMATS, default="store", help="pkl: the older one pickle a clip")
    add_cut_arguments(arguments, defaults, ROOT)
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    log_to_stderr()
    plan = ClipPlan(
        tds=args.tds,
        n_frames=args.n_frames,
        stride=args.stride,
        test_stride=args.test_stride,
        slicing=args.slicing,
    )
    written = convert_h36m(args.dt_root / args.dt_file, args.out, plan, args.format)
    for split, clips in written.items():
        say(f"{args.out / split}: {clips} clips of {args.n_frames} frames")
    return 0
