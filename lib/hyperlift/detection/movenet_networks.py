"""Google's MoveNet under ONNX Runtime: one network that finds people, and two that look at one person closely.

Source: MoveNet model cards (Google, 2021), SinglePose (Lightning, Thunder) and MultiPose Lightning, Apache-2.0.
Everything here is COCO-17, in pixels of the picture handed in, with MoveNet's own scores.
"""

from dataclasses import dataclass
from importlib import resources

import numpy as np

from hyperlift.detection.crops import Picture, cut_out
from hyperlift.errors import InputError, quoted
from hyperlift.runtime.session import open_session
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17

MOST_PEOPLE = 6
"""MultiPose reports no more than this from one picture."""

_SIDES = {"thunder": 256, "lightning": 192}
_STRIDE = 32
"""MultiPose takes pictures whose sides are multiples of this."""


@dataclass(frozen=True)
class Square:
    """An upright square of the picture, in pixels; it may reach beyond the picture."""

    left_px: float
    top_px: float
    side_px: float


class MultiPose:
    """Finds up to six people in a whole picture."""

    def __init__(self, long_side: int, threads: int | None = None) -> None:
        """Open the network.

        Args:
            long_side: to which the picture's long side is scaled, a multiple of 32; 256 is what the network was made
                for, more finds smaller people and takes longer in proportion to the area.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: ``long_side`` is no multiple of 32, or the network is not in this installation.
        """
        if long_side < _STRIDE or long_side % _STRIDE:
            raise InputError(f"long_side is {long_side}; give a multiple of {_STRIDE}, such as 256 or 512")
        self._long_side = long_side
        self._session = _open("multipose", threads)

    def __call__(self, picture: Picture) -> list[Float[np.ndarray, "joints 3"]]:
        """x, y in pixels and score of everybody, surest first; nobody's overall score is below 0.05."""
        height, width = picture.shape[:2]
        scale = self._long_side / max(height, width)
        canvas_height, canvas_width = (max(1, -(-round(side * scale) // _STRIDE)) * _STRIDE for side in (height, width))
        canvas = cut_out(picture, 0.0, 0.0, scale, canvas_width, canvas_height)
        people = _run(self._session, canvas)[0]
        joints = people[:, : 3 * len(COCO_17)].reshape(-1, len(COCO_17), 3)
        keypoints = joints[..., [1, 0, 2]] * np.array([canvas_width / scale, canvas_height / scale, 1.0])
        order = np.argsort(-people[:, -1], kind="stable")
        return [keypoints[person] for person in order if people[person, -1] >= 0.05]


class SinglePose:
    """Thunder or Lightning: the joints of the one person in a square."""

    def __init__(self, name: str, threads: int | None = None) -> None:
        """Open the network.

        Args:
            name: ``thunder`` or ``lightning``; Thunder is surer and slower.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: there is no network of that name, or it is not in this installation.
        """
        if name not in _SIDES:
            raise InputError(f"no network named {quoted(name)} follows people; known: {', '.join(_SIDES)}")
        self._side = _SIDES[name]
        self._session = _open(name, threads)

    def __call__(self, picture: Picture, square: Square) -> Float[np.ndarray, "joints 3"]:
        """x, y in pixels and score; the network always answers, whether somebody is there or not."""
        scale = self._side / square.side_px
        canvas = cut_out(picture, square.left_px, square.top_px, scale, self._side, self._side)
        joints = _run(self._session, canvas)[0, 0]
        corner = np.array([square.left_px, square.top_px])
        return np.concatenate([joints[:, 1::-1] * square.side_px + corner, joints[:, 2:]], axis=1)


def _open(name: str, threads: int | None):
    bundled = resources.files("hyperlift") / "weights" / f"movenet-{name}.onnx"
    if not bundled.is_file():
        raise InputError(f"MoveNet {name} is not in this installation; install hyperlift again")
    # The two networks take turns, and decoding runs beside them.
    return open_session(bundled.read_bytes(), f"bundled MoveNet {name}", threads, idle_threads_wait=False)


def _run(session, canvas: Picture) -> np.ndarray:
    return np.asarray(session.run(None, {session.get_inputs()[0].name: canvas[None].astype(np.int32)})[0], np.float64)
