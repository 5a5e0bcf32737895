"""The contract of a lifter, stored in the metadata of its file, and the protocols that lifters implement.

``LifterSpec`` describes every lifter; a lifter that processes one frame per call has a ``StreamSpec`` as well.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Protocol, TypeVar, get_args, runtime_checkable

import numpy as np

from hyperlift.config.loader import from_mapping
from hyperlift.errors import InputError, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import parse_json
from hyperlift.shapes import Float

LabelSpace = Literal["image", "camera"]

Contract = TypeVar("Contract")

MOST_FPS, MOST_SECONDS_A_FRAME, MOST_FRAMES = 1000.0, 100.0, 100_000
"""Limits of plausible metadata. Chosen: above every camera and every window that fits into memory; larger values show
that the file is damaged."""

METADATA_KEY = "hyperlift"
"""Key of the JSON text of a ``LifterSpec`` in the metadata of a file."""


@dataclass(frozen=True, kw_only=True)
class LifterSpec:
    """Contract of a lifter ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]``.

    pose2d holds x, y in normalised image coordinates and a confidence 0..1. pose3d has camera axes (x right, y down,
    z forward) in one of two label spaces:

    ``image``: normalised image coordinates with a depth in the same unit (the 2.5D labels of Human3.6M).
    ``camera``: metres relative to the root of the same frame, for a body scaled to ``REFERENCE_BONE_SUM_M``.
    """

    name: str
    skeleton: str = "h36m17"
    fps: float = 25.0
    label_space: LabelSpace = "image"
    rootrel: bool = True
    """True: the root is 0 in every frame. False (``image`` only): x, y are absolute, and the depth is relative to the
    root of the first frame of the clip."""
    n_frames: int = 243
    """Window length of the training in frames; shorter windows work."""
    any_length: bool = False
    """True if the output does not depend on the length of the clip, as for streaming lifters."""
    licence: str = "Apache-2.0"
    credit: str = ""

    def __post_init__(self) -> None:
        if self.label_space not in get_args(LabelSpace):
            raise InputError(f"label_space is {quoted(self.label_space)}; expected one of {get_args(LabelSpace)}")
        if self.label_space == "camera" and not self.rootrel:
            raise InputError("label_space 'camera' is root-relative; set rootrel: true")
        if not (self.fps > 0 and self.n_frames > 0):
            raise InputError(f"fps {self.fps} and n_frames {quoted(self.n_frames)} must be positive")
        if not (self.fps <= MOST_FPS and 1 / self.fps <= MOST_SECONDS_A_FRAME and self.n_frames <= MOST_FRAMES):
            raise InputError(
                f"fps {self.fps} and n_frames {quoted(self.n_frames)} are absurd; a lifter has at most "
                f"{MOST_FPS:g} fps and {MOST_FRAMES:,} frames a window"
            )

    @property
    def longest_clip(self) -> int | None:
        """Maximal length of a clip in frames; None for no limit."""
        return None if self.any_length else self.n_frames

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    @reader("lifter metadata", remedy="export the lifter again")
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> "LifterSpec":
        """Read the contract from the metadata of an ONNX file or a checkpoint.

        Args:
            metadata: see above.
            source: file name, for messages.

        Raises:
            InputError: the contract is absent, or has an unknown version.
        """
        if METADATA_KEY not in metadata:
            raise InputError(f"{source}: carries no HyperLift metadata; export it with deployment/deployment_pose3d.py")
        return from_json(metadata[METADATA_KEY], cls, f"{source}: its HyperLift metadata")


def from_json(text: str, kind: type[Contract], where: str) -> Contract:
    """Parse the JSON text of a contract.

    Raises:
        InputError: the text is not JSON, or its keys or values do not fit the contract.
    """
    stated = parse_json(text, where, "export it again")
    if not isinstance(stated, dict):
        raise InputError(f"{where} is {quoted(stated)}, no object; export it again")
    try:
        return from_mapping(stated, kind, "metadata")
    except InputError as error:
        raise InputError(f"{where} is of another version ({error}); export it again") from error


@runtime_checkable
class Predictor(Protocol):
    """A function that lifts clips, such as an ONNX session, a network or a test double."""

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift float32 clips into the label space of the predictor's ``LifterSpec``."""
        ...


STREAM_METADATA_KEY = "hyperlift-stream"
"""Key of the JSON text of a ``StreamSpec`` in the metadata of an ONNX file."""
NEXT = "_next"
"""Suffix of an output cache tensor; without it, the name is that of the input cache tensor."""


@dataclass(frozen=True, kw_only=True)
class StreamSpec:
    """Contract of one step of a streaming lifter: the input is frame t, the output is the pose of frame
    t - ``look_ahead``."""

    look_ahead: int
    """Latency: number of later frames, at the rate of the ``LifterSpec``, that the pose of a frame depends on."""
    look_back: int
    """Number of earlier frames whose keys and values are cached."""

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
        """Read the contract from the metadata of an ONNX file.

        Args:
            metadata: see above.
            source: file name, for messages.

        Raises:
            InputError: the file is not a streaming lifter, or has an unknown version.
        """
        if STREAM_METADATA_KEY not in metadata:
            raise InputError(f"{source}: does not lift frame by frame; export it with `stream`")
        return from_json(metadata[STREAM_METADATA_KEY], cls, f"{source}: its metadata")


@runtime_checkable
class StreamPredictor(Protocol):
    """A lifter that processes one frame per call, for several people, at the frame rate of its ``spec``."""

    spec: LifterSpec
    stream: StreamSpec

    def push(self, people: Mapping[int, Float[np.ndarray, "joints 3"]]) -> dict[int, Float[np.ndarray, "joints 3"]]:
        """Process the next frame of all people present; return the poses of ``look_ahead`` frames earlier, by
        person."""
        ...

    def fork(self) -> "StreamPredictor":
        """A new stream with the same network and no people."""
        ...
