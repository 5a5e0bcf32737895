"""Options for cutting the videos of a data set into clips; the defaults are those of published results."""

from dataclasses import dataclass, fields
from typing import Annotated

from hyperlift.choices import Slicing
from hyperlift.config.option import Option
from hyperlift.errors import InputError

TRAIN_STRIDE = 81
"""Frames between training clips: a third of a clip, as in MotionBERT (Zhu et al. 2023), whose clips have 243 frames."""
TEST_STRIDE = 243
"""Frames between test clips: the clip length, so that clips do not overlap."""
_Slicing = Annotated[
    Slicing, Option("published: drop tails shorter than a clip; complete: the last clip ends with the video")
]


@dataclass(frozen=True, kw_only=True)
class CutPlan:
    """Length and stride of clips, and the treatment of a remainder at the end of a video."""

    n_frames: Annotated[int, Option("frames of a clip")] = 243
    stride: Annotated[int, Option("frames from clip to clip, train")] = TRAIN_STRIDE
    test_stride: Annotated[int, Option("frames from clip to clip, test")] = TEST_STRIDE
    slicing: _Slicing = "published"

    def __post_init__(self) -> None:
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if not isinstance(value, str) and not value > 0:
                raise InputError(f"`{name}` is {value}; give a positive number")


@dataclass(frozen=True, kw_only=True)
class ClipPlan(CutPlan):
    """Clips of Human3.6M."""

    tds: Annotated[int, Option("temporal down-sampling: keep every n-th frame, from 50 to 25 a second")] = 2


@dataclass(frozen=True, kw_only=True)
class ClipPlan3DHP(CutPlan):
    """Clips of MPI-INF-3DHP; its test sequences are cut so that every valid frame is scored."""

    slicing: _Slicing = "complete"
    fps: Annotated[float, Option("of the store; faster training sequences are strided", metavar="N")] = 25.0
    test_fps: Annotated[float, Option("of the test sequences, whose file names none", metavar="N")] = 25.0
