"""Options of a live session that recordings do not have."""

from dataclasses import dataclass
from typing import Annotated

from hyperlift.config.option import Option


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Options in addition to the detector, confidence, height and camera of ``LiftOptions``.

    Example:
        >>> from hyperlift.live.options import LiveOptions
        >>> LiveOptions(look_ahead=0)
        LiveOptions(look_ahead=0, every_frame=False, picture=True)
    """

    look_ahead: Annotated[
        int | None,
        Option(
            "frames to wait for: 0 is soonest, more is calmer and more accurate (default: 4, or what a streaming "
            "lifter wants)",
            group="people",
            metavar="FRAMES",
        ),
    ] = None
    every_frame: Annotated[bool, Option("process every frame of a file, even if this is slower than real time")] = False
    picture: Annotated[bool, Option("show the picture beside the people")] = True
