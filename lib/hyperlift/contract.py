"""What a lifter states about itself, and what it promises: the contract of every network that lifts.

``LifterSpec`` for clips, ``StreamSpec`` beside it for lifters that take a frame at a time.
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
"""Beyond these, the metadata of a file are broken."""

METADATA_KEY = "hyperlift"
"""Key of the JSON text in the metadata of an ONNX file."""


@dataclass(frozen=True, kw_only=True)
class LifterSpec:
    """Contract of a lifter ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]``.

    pose2d is x, y in normalised picture space and a confidence 0..1. pose3d has camera axes (x right, y down,
    z forward) in one of two label spaces:

    ``image``: normalised picture space; x, y as the picture, z a depth in the same unit (Human3.6M's 2.5D labels).
    ``camera``: metres, relative to the root of the same frame, of a body scaled to ``REFERENCE_BONE_SUM_M``.
    """

    name: str
    skeleton: str = "h36m17"
    fps: float = 25.0
    label_space: LabelSpace = "image"
    rootrel: bool = True
    """True: the root is 0 in every frame. False (``image`` only): x, y absolute, depth relative to the root of the
    clip's first frame."""
    n_frames: int = 243
    """The longest window it was trained on; shorter windows work."""
    any_length: bool = False
    """Longer clips work too, and are lifted frame for frame as shorter ones: streaming lifters know no beginning."""
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
        """Frames that a clip may have; None for any number."""
        return None if self.any_length else self.n_frames

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    @reader("lifter metadata", remedy="export the lifter again")
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> "LifterSpec":
        """Read the contract out of a file's metadata.

        Args:
            metadata: string pairs of an ONNX file or a checkpoint.
            source: file name for the message.

        Raises:
            InputError: the metadata has no contract, or one of another version.
        """
        if METADATA_KEY not in metadata:
            raise InputError(f"{source}: carries no HyperLift metadata; export it with deployment/deployment_pose3d.py")
        return from_json(metadata[METADATA_KEY], cls, f"{source}: its HyperLift metadata")


def from_json(text: str, kind: type[Contract], where: str) -> Contract:
    """A contract out of the JSON text that a file carries.

    Raises:
        InputError: it is no JSON, or has other keys or values than the contract.
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
    """Anything that lifts clips: an ONNX session, a network, an oracle in a test."""

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift float32 clips into the label space of the predictor's ``LifterSpec``."""
        ...


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
