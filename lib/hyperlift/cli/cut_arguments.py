"""The arguments of every command that cuts a data set's videos into clips."""

import argparse
from pathlib import Path
from typing import Protocol, runtime_checkable

from hyperlift.data.slicing import SLICINGS, Slicing


@runtime_checkable
class CutPlan(Protocol):
    """How long clips are and where they begin."""

    @property
    def n_frames(self) -> int:
        """Frames of a clip."""
        ...

    @property
    def stride(self) -> int:
        """Frames from clip to clip of the training split."""
        ...

    @property
    def test_stride(self) -> int:
        """The same of the test split."""
        ...

    @property
    def slicing(self) -> Slicing:
        """What becomes of a video's tail."""
        ...


def add_cut_arguments(parser: argparse.ArgumentParser, defaults: CutPlan, root: Path) -> None:
    """Add ``--n_frames --stride --test_stride --slicing --out``.

    Args:
        parser: gets the arguments.
        defaults: the plan whose values they have where they are not given.
        root: folder in which the splits appear where ``--out`` is not given.
    """
    parser.add_argument("--n_frames", type=int, default=defaults.n_frames, help="frames of a clip")
    parser.add_argument("--stride", type=int, default=defaults.stride, help="frames from clip to clip, train")
    parser.add_argument("--test_stride", type=int, default=defaults.test_stride, help="the same, test")
    parser.add_argument(
        "--slicing",
        choices=SLICINGS,
        default=defaults.slicing,
        help="published: drop tails shorter than a clip; complete: the last clip ends with the video",
    )
    parser.add_argument("--out", type=Path, default=root, help="folder in which train/ and test/ appear")
