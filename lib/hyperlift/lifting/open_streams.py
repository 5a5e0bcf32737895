"""Factory of live streams: the implementation that fits a lifter.

Kept apart from ``streams`` because it imports both implementations, which import ``streams``.
"""

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
    """Open live streams for several people.

    A ``StreamPredictor`` lifts every frame once (``RecurrentStreams``). Any other lifter lifts a window of the last
    seconds again for every frame (``WindowStreams``).

    Args:
        predict: the lifter.
        spec: the lifter's contract.
        width: of the picture in pixels.
        height: of the picture in pixels.
        fps: frame rate of the input.
        lookahead: latency of a pose in frames.
        **settings: other arguments of ``WindowStreams`` or ``RecurrentStreams``.

    Raises:
        InputError: a setting is out of range (see these classes).

    Example:
        >>> import numpy as np
        >>> from hyperlift.lifting.open_streams import open_streams
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter = load_lifter("nano")
        >>> streams = open_streams(lifter, lifter.spec, 1280, 720, fps=25, lookahead=0)
        >>> keypoints_px = np.random.default_rng(0).uniform(300, 400, (17, 3))
        >>> streams.push({3: keypoints_px})[3].pose_norm.shape
        (17, 3)
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

    Example:
        >>> import numpy as np
        >>> from hyperlift.lifting.open_streams import open_stream
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter = load_lifter("nano")
        >>> stream = open_stream(lifter, lifter.spec, 1280, 720, fps=25, lookahead=0)
        >>> keypoints_px = np.random.default_rng(0).uniform(300, 400, (17, 3))
        >>> stream.push(keypoints_px).index
        0
    """
    return LiftStream(open_streams(predict, spec, width, height, fps, lookahead, **settings))
