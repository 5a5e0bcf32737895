"""MPI-INF-3DHP's files to a clip store."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli.app import guarded, log_to_stderr, say
from hyperlift.cli.cut_arguments import add_cut_arguments
from hyperlift.data.mpi_inf_3dhp_clips import ClipPlan3DHP, convert_mpi_inf_3dhp

ROOT = Path("data/motion3d/MPI-INF-3DHP")


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    plan = ClipPlan3DHP()
    arguments = argparse.ArgumentParser(
        description="Turn MPI-INF-3DHP into a clip store, from data_train_3dhp.npz and data_test_3dhp.npz or from the "
        "data set's own folders of .mat files.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    arguments.add_argument("--dt_root", type=Path, default=ROOT, help="folder of the files")
    arguments.add_argument(
        "--train_file",
        default="data_train_3dhp.npz",
        help="name, or a folder with S1/Seq1/annot.mat",
    )
    arguments.add_argument(
        "--test_file",
        default="data_test_3dhp.npz",
        help="name, or a folder with TS1/annot_data.mat",
    )
    arguments.add_argument("--fps", type=float, default=plan.fps, help="of the store; faster sequences are strided")
    arguments.add_argument("--test_fps", type=float, default=plan.test_fps, help="of the test file, which names none")
    add_cut_arguments(arguments, plan, ROOT)
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    log_to_stderr()
    plan = ClipPlan3DHP(
        fps=args.fps,
        test_fps=args.test_fps,
        n_frames=args.n_frames,
        stride=args.stride,
        test_stride=args.test_stride,
        slicing=args.slicing,
    )
    train, test = args.dt_root / args.train_file, args.dt_root / args.test_file
    for split, clips in convert_mpi_inf_3dhp(train, test, args.out, plan).items():
        say(f"{args.out / split}: {clips} clips of {args.n_frames} frames")
    return 0
