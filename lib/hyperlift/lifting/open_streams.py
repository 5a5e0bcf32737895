"""Streams of the kind that fits a lifter."""

from hyperlift.contract import LifterSpec, Predictor, StreamPredictor
from hyperlift.lifting.recurrent_stream import RecurrentStreams
from hyperlift.lifting.streams import LiftStream, Streams
from hyperlift.lifting.window_stream import WindowStreams


def open_streams(
    predict: Predictor | StreamPredictor,
    spec: LifterSpec,
    width: int,
    height: int,
    fps: float,
    lookahead: int = 4,
    **settings,
) -> Streams:
    """Lift several people: a ``StreamPredictor`` lifts every frame once (``RecurrentStreams``), any other lifter the
    last seconds anew for each frame (``WindowStreams``).

    Args:
        predict: the lifter.
        spec: the lifter's contract.
        width: of the picture in pixels.
        height: of the picture in pixels.
        fps: frames that come a second.
        lookahead: frames to wait for.
        **settings: further ones of ``WindowStreams`` or ``RecurrentStreams``.

    Raises:
        InputError: as they.
    """
    if isinstance(predict, StreamPredictor):
        return RecurrentStreams(predict, width, height, fps, lookahead, **settings)
    return WindowStreams(predict, spec, width, height, fps, lookahead, **settings)


def open_stream(
    predict: Predictor | StreamPredictor,
    spec: LifterSpec,
    width: int,
    height: int,
    fps: float,
    lookahead: int = 4,
    **settings,
) -> LiftStream:
    """``open_streams`` for one person.

    Raises:
        InputError: as ``open_streams``.
    """
    return LiftStream(open_streams(predict, spec, width, height, fps, lookahead, **settings))
