"""A streaming lifter: takes one frame of several people at a time and caches their past."""

from collections.abc import Callable, Mapping

import numpy as np

from hyperlift.contract import NEXT, StreamSpec
from hyperlift.errors import InputError
from hyperlift.runtime.session import OnnxLifter
from hyperlift.shapes import Float

_INPUT, _OUTPUT = "pose2d", "pose3d"
_COUNT = "frames_seen"
_IN_PLACE = ("key_", "value_")
"""Prefixes of the cache tensors that a step updates in place, because it changes a single entry."""
_DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
_MIN_ROWS = 4
"""Initial capacity in people; it doubles when exceeded. Chosen: few videos show more people."""


class OnnxStream(OnnxLifter):
    """A streaming lifter from an ONNX file, run on the CPU; one call lifts one frame of all people.

    People are identified by numbers. Their caches are rows of arrays that the session reads and writes in place. A
    person who is missing in a frame is removed, and starts again if the number returns. For a person who is hidden for
    a moment, pass the last keypoints with confidence 0.

    Calling it with clips lifts them as any ``Predictor`` does, independently of the current people.

    Example:
        >>> import numpy as np
        >>> from hyperlift.runtime.loading import load_lifter
        >>> stream = load_lifter("small_stream")
        >>> for frame in range(stream.stream.look_ahead + 1):
        ...     poses = stream.push({0: np.zeros((17, 3), np.float32)})
        >>> poses[0].shape, stream.finish(0).shape
        ((17, 3), (4, 17, 3))
    """

    stream: StreamSpec

    def fork(self) -> "OnnxStream":
        """A lifter on the same session, without people."""
        return OnnxStream(self._model, self._source, self._threads, self._session)

    def push(self, people: Mapping[int, Float[np.ndarray, "joints 3"]]) -> dict[int, Float[np.ndarray, "joints 3"]]:
        """Lift the next frame.

        Args:
            people: x, y in normalised picture space and confidence of all people in the frame, by number; finite.

        Returns:
            Poses, in the label space of ``spec``, of the frame ``stream.look_ahead`` frames ago, by number, of people
            who were present then.

        Raises:
            InputError: keypoints have another shape or are not finite.
        """
        frame = {number: self._checked(number, keypoints) for number, keypoints in people.items()}
        for number in [number for number in self._numbers if number not in frame]:
            self._drop(self._numbers.index(number))
        for number in frame:
            if number not in self._numbers:
                self._add(number)
        if not frame:
            return {}
        for row, number in enumerate(self._numbers):
            self._pose2d[row, 0] = frame[number]
        self._step(0, len(self._numbers))
        known = self._cache[_COUNT][: len(self._numbers)] > self.stream.look_ahead
        poses = self._pose3d[: len(self._numbers), 0].copy()
        return {number: poses[row] for row, number in enumerate(self._numbers) if known[row]}

    def finish(self, number: int) -> Float[np.ndarray, "frames joints 3"]:
        """Return the pending poses of a person, at most ``stream.look_ahead`` frames, and remove the person.

        The last frame is repeated to compute them.

        Raises:
            InputError: there is no person with this number.
        """
        if number not in self._numbers:
            raise InputError(f"{self._source}: there is nobody of number {number}; push them first")
        row = self._numbers.index(number)
        seen = int(self._cache[_COUNT][row])
        poses = []
        for _frame in range(self.stream.look_ahead):
            self._step(row, 1)
            poses.append(self._pose3d[row, 0].copy())
        self._drop(row)
        waited = min(seen, self.stream.look_ahead)
        return np.stack(poses[len(poses) - waited :]) if waited else np.zeros((0, self._joints, 3), np.float32)

    def reset(self) -> None:
        """Remove all people."""
        self._numbers.clear()

    def __call__(self, pose2d_norm: np.ndarray) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift clips frame by frame.

        Args:
            pose2d_norm: floating-point [clips, frames, joints, 3]; any array is accepted and checked.

        Raises:
            InputError: another shape, NaN or infinite values.
        """
        clips = self._checked_clips(pose2d_norm)
        stream, ahead = self.fork(), self.stream.look_ahead
        lifted = np.empty(clips.shape, np.float32)
        for frame in range(clips.shape[1] + ahead):
            poses = stream.push(dict(enumerate(clips[:, min(frame, clips.shape[1] - 1)])))
            if frame >= ahead:
                lifted[:, frame - ahead] = [poses[number] for number in range(len(clips))]
        return lifted

    def _check_ports(self) -> None:
        session, source = self._session, self._source
        self.stream = StreamSpec.from_metadata(session.get_modelmeta().custom_metadata_map, source)
        ports = {port.name: port for port in session.get_inputs()}
        outputs = {port.name for port in session.get_outputs()}
        self._ports = {name: port for name, port in ports.items() if name != _INPUT}
        wanted = {_OUTPUT, *(name + NEXT for name in self._ports)}
        shape = list(ports[_INPUT].shape[1:]) if _INPUT in ports else None
        if shape != [1, self._joints, 3] or _COUNT not in self._ports or outputs != wanted:
            raise InputError(f"{source}: is not one step of a lifter as we export it; export it again")
        self._numbers: list[int] = []
        self._make_room(_MIN_ROWS)

    def _checked(self, number: int, keypoints: np.ndarray) -> np.ndarray:
        what = f"{self._source}: keypoints of number {number}"
        if np.shape(keypoints) != (self._joints, 3):
            raise InputError(f"{what} have the shape {list(np.shape(keypoints))}; expected [{self._joints}, 3]")
        if not np.isfinite(keypoints).all():
            raise InputError(
                f"{what} hold NaN or infinite values; expected numbers, missing joints at their last place with "
                "confidence 0"
            )
        return keypoints

    def _make_room(self, rows: int) -> None:
        """Allocate arrays for ``rows`` people and keep their contents."""
        before = getattr(self, "_cache", {})
        self._cache, self._out = {}, {}
        for name, port in self._ports.items():
            array = np.zeros((rows, *port.shape[1:]), _DTYPES[port.type])
            if name in before:
                array[: len(before[name])] = before[name]
            self._cache[name] = array
            self._out[name] = array if name.startswith(_IN_PLACE) else np.empty_like(array)
        self._pose2d = np.zeros((rows, 1, self._joints, 3), np.float32)
        self._pose3d = np.zeros_like(self._pose2d)
        self._bound: tuple[int, int] | None = None

    def _add(self, number: int) -> None:
        row = len(self._numbers)
        if row == len(self._pose2d):
            self._make_room(2 * row)
        self._cache[_COUNT][row] = 0  # the other values of the row are then ignored
        self._numbers.append(number)

    def _drop(self, row: int) -> None:
        """Remove a row; the last row takes its place."""
        last = len(self._numbers) - 1
        if row != last:
            for array in (*self._cache.values(), self._pose2d):
                array[row] = array[last]
        self._numbers[row] = self._numbers[last]
        self._numbers.pop()

    def _step(self, first: int, people: int) -> None:
        """Lift one frame of consecutive rows."""
        if self._bound != (first, people):
            self._bind(first, people)
        self._session.run_with_iobinding(self._binding)
        rows = slice(first, first + people)
        for name, array in self._cache.items():
            if self._out[name] is not array:
                array[rows] = self._out[name][rows]

    def _bind(self, first: int, people: int) -> None:
        self._binding = self._session.io_binding()
        rows = slice(first, first + people)

        def bind(how: Callable[..., None], name: str, array: np.ndarray) -> None:
            part = array[rows]
            how(name, "cpu", 0, part.dtype.type, part.shape, part.ctypes.data)

        bind(self._binding.bind_input, _INPUT, self._pose2d)
        bind(self._binding.bind_output, _OUTPUT, self._pose3d)
        for name in self._ports:
            bind(self._binding.bind_input, name, self._cache[name])
            bind(self._binding.bind_output, name + NEXT, self._out[name])
        self._bound = first, people
