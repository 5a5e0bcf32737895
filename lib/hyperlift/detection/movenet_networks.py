"""Google's MoveNet under ONNX Runtime: MultiPose for whole pictures, SinglePose for the crop of one person.

Source: MoveNet model cards (Google, 2021), SinglePose (Lightning, Thunder) and MultiPose Lightning, Apache-2.0.
All results are COCO-17 keypoints in pixels of the given picture with MoveNet's scores.
"""

from dataclasses import dataclass
from importlib import resources

import numpy as np

from hyperlift.detection.crops import Picture, cut_out
from hyperlift.errors import InputError, quoted
from hyperlift.runtime.session import open_session
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17

MAX_PEOPLE = 6
"""Output size of MultiPose (model card)."""

_SIDES = {"thunder": 256, "lightning": 192}
"""Input size of each SinglePose network in pixels (model card)."""
_STRIDE = 32
"""The sides of MultiPose's input are multiples of this (model card)."""
_MIN_PERSON_SCORE = 0.05
"""MultiPose pads its output with people of a lower score. Chosen low: the detector applies its own limits."""


@dataclass(frozen=True)
class Square:
    """An axis-aligned square in pixels; it may extend beyond the picture."""

    left_px: float
    top_px: float
    side_px: float


class MultiPose:
    """Finds up to six people in a whole picture."""

    def __init__(self, long_side: int, threads: int | None = None) -> None:
        """Open the network.

        Args:
            long_side: to which the long side of the picture is scaled, a multiple of 32. The network was trained for
                256; a larger value finds smaller people at a cost in proportion to the area.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: ``long_side`` is no multiple of 32, or the network is not in this installation.
        """
        if long_side < _STRIDE or long_side % _STRIDE:
            raise InputError(f"long_side is {long_side}; give a multiple of {_STRIDE}, such as 256 or 512")
        self._long_side = long_side
        self._session = _open("multipose", threads)

    def __call__(self, picture: Picture) -> list[Float[np.ndarray, "joints 3"]]:
        """x, y in pixels and score of all people with a person score of at least 0.05, highest first."""
        height, width = picture.shape[:2]
        scale = self._long_side / max(height, width)
        canvas_height, canvas_width = (max(1, -(-round(side * scale) // _STRIDE)) * _STRIDE for side in (height, width))
        canvas = cut_out(picture, 0.0, 0.0, scale, canvas_width, canvas_height)
        people = _run(self._session, canvas)[0]
        joints = people[:, : 3 * len(COCO_17)].reshape(-1, len(COCO_17), 3)
        keypoints = joints[..., [1, 0, 2]] * np.array([canvas_width / scale, canvas_height / scale, 1.0])
        order = np.argsort(-people[:, -1], kind="stable")
        return [keypoints[person] for person in order if people[person, -1] >= _MIN_PERSON_SCORE]


class SinglePose:
    """Thunder or Lightning: the joints of one person in a square crop."""

    def __init__(self, name: str, threads: int | None = None) -> None:
        """Open the network.

        Args:
            name: ``thunder`` or ``lightning``; Thunder is more accurate and slower.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: there is no network of that name, or it is not in this installation.
        """
        if name not in _SIDES:
            raise InputError(f"no network named {quoted(name)} follows people; known: {', '.join(_SIDES)}")
        self._side = _SIDES[name]
        self._session = _open(name, threads)

    def __call__(self, picture: Picture, square: Square) -> Float[np.ndarray, "joints 3"]:
        """x, y in pixels and score; the network returns a pose even without a person."""
        scale = self._side / square.side_px
        canvas = cut_out(picture, square.left_px, square.top_px, scale, self._side, self._side)
        joints = _run(self._session, canvas)[0, 0]
        corner = np.array([square.left_px, square.top_px])
        return np.concatenate([joints[:, 1::-1] * square.side_px + corner, joints[:, 2:]], axis=1)


def _open(name: str, threads: int | None):
    bundled = resources.files("hyperlift") / "weights" / f"movenet-{name}.onnx"
    if not bundled.is_file():
        raise InputError(f"MoveNet {name} is not in this installation; install hyperlift again")
    # The two networks alternate, and decoding runs in parallel: idle threads that spin would slow the others.
    return open_session(bundled.read_bytes(), f"bundled MoveNet {name}", threads, idle_threads_wait=False)


def _run(session, canvas: Picture) -> np.ndarray:
    return np.asarray(session.run(None, {session.get_inputs()[0].name: canvas[None].astype(np.int32)})[0], np.float64)
