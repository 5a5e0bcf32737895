"""What a lifter promises that lifts frame by frame, beside its ``LifterSpec``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.geometry.contract import MOST_FRAMES, LifterSpec, from_json
from hyperlift.readers import reader
from hyperlift.shapes import Float

STREAM_METADATA_KEY = "hyperlift-stream"
"""Key of the JSON text in the metadata of an ONNX file that lifts one frame."""
NEXT = "_next"
"""What the name of a cache tensor has at its end where it goes out."""


@dataclass(frozen=True, kw_only=True)
class StreamSpec:
    """Contract of a step: frame t in, the pose of frame t - ``look_ahead`` out."""

    look_ahead: int
    """Frames at the ``LifterSpec``'s rate that must have come after a frame before its pose is there."""
    look_back: int
    """Frames whose keys and values are kept."""

    def __post_init__(self) -> None:
        if not (0 <= self.look_ahead <= MOST_FRAMES and 0 <= self.look_back <= MOST_FRAMES):
            raise InputError(
                f"look_ahead {quoted(self.look_ahead)} and look_back {quoted(self.look_back)} must be 0 to "
                f"{MOST_FRAMES:,} frames"
            )

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    @reader("metadata of a streaming lifter", remedy="export the lifter again")
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> "StreamSpec":
        """Read the contract out of a file's metadata.

        Args:
            metadata: string pairs of an ONNX file.
            source: file name for the message.

        Raises:
            InputError: the metadata is of no step, or of one of another version.
        """
        if STREAM_METADATA_KEY not in metadata:
            raise InputError(f"{source}: does not lift frame by frame; export it with `stream`")
        return from_json(metadata[STREAM_METADATA_KEY], cls, f"{source}: its metadata")


@runtime_checkable
class StreamPredictor(Protocol):
    """Anything that lifts several people frame by frame, at the rate of its ``spec``."""

    spec: LifterSpec
    stream: StreamSpec

    def push(self, people: Mapping[int, Float[np.ndarray, "joints 3"]]) -> dict[int, Float[np.ndarray, "joints 3"]]:
        """Take the next frame of everybody who is there; poses of ``look_ahead`` frames ago of those who were."""
        ...

    def fork(self) -> "StreamPredictor":
        """The same lifter with no people yet."""
        ...
