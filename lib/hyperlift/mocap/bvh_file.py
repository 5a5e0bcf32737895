"""Reader of Biovision hierarchies (``.bvh``): joint tree, channels, and rotations per frame."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.geometry.rotations import matrix_from_euler
from hyperlift.mocap.kinematic_tree import MAX_DEPTH, MAX_JOINTS, MAX_POSITIONS, KinematicTree
from hyperlift.mocap.text_lines import TextLines
from hyperlift.shapes import Float

END_SUFFIX = " end"
"""An ``End Site`` becomes the joint "<parent> end"."""
_ROUNDED_FPS_TOLERANCE = 1e-3
"""Relative distance to an integer up to which a frame rate is rounded. Chosen: frame times have 6 or 7 decimals."""
_MIN_FRAME_TIME_S, _MAX_FRAME_TIME_S = 1e-5, 100.0
"""Chosen: frame times outside are damage or another unit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BvhMotion:
    """A motion with the joints, unit and axes of its file."""

    path: Path
    tree: KinematicTree
    fps: float
    rotations: Float[np.ndarray, "frames joints 3 3"]
    translations: dict[int, Float[np.ndarray, "frames 3"]]
    """Values of position channels by joint index; they replace the OFFSET of the joint."""

    def with_offsets(self, offsets: Float[np.ndarray, "joints 3"]) -> "BvhMotion":
        """The motion with other bone offsets."""
        return replace(self, tree=replace(self.tree, offsets=offsets))

    def from_frame(self, first: int) -> "BvhMotion":
        """The motion from frame ``first`` on."""
        translations = {joint: places[first:] for joint, places in self.translations.items()}
        return replace(self, rotations=self.rotations[first:], translations=translations)

    def forward(self) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, "frames joints 3 3"]]:
        """Positions and orientations of all joints in world coordinates of the file."""
        still = np.broadcast_to(self.tree.offsets[0], (len(self.rotations), 3))
        return self.tree.forward(self.rotations, self.translations.get(0, still), self.translations)


@dataclass
class _Header:
    names: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """The names as a set, for fast look-up."""
    parents: list[int] = field(default_factory=list)
    offsets: list[Float[np.ndarray, "3"]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)
    """Joints that are an ``End Site``."""


def read_bvh_file(path: Path) -> BvhMotion:
    """Read a file with one skeleton.

    Channels may have any order: rotations are intrinsic, in the order of the channels.

    Raises:
        InputError: the file is missing or damaged; the message names the line.
    """
    lines = TextLines.of_file(path)
    header = _read_hierarchy(lines)
    count = sum(len(channels) for channels in header.channels)
    frame_count = int(_labelled_number(lines, "Frames:"))
    frame_time_s = _labelled_number(lines, "Frame", "Time:")
    if not (frame_time_s > 0 and frame_count > 0):
        raise lines.error(f"{frame_count} frames of {frame_time_s} s; both must be positive")
    if not _MIN_FRAME_TIME_S <= frame_time_s <= _MAX_FRAME_TIME_S:
        raise lines.error(
            f"a frame of {frame_time_s:g} s; expected {_MIN_FRAME_TIME_S:g} to {_MAX_FRAME_TIME_S:g} s, "
            "the seconds from one frame to the next"
        )
    if frame_count * len(header.names) > MAX_POSITIONS:
        raise lines.error(
            f"{frame_count} frames of {len(header.names)} joints; a file may have {MAX_POSITIONS:,} places of joints, "
            "cut the motion"
        )
    rows = []  # not preallocated, because the announced number of frames may be wrong
    for frame in range(frame_count):
        words = lines.next_words()
        if words is None:
            raise lines.error(f"the file ends after {frame} of {frame_count} frames; it is cut short")
        rows.append(lines.numbers(words, count))
    if lines.next_words() is not None:
        raise lines.error(f"more than the {frame_count} frames that the file announces")
    tree = KinematicTree(names=tuple(header.names), parents=tuple(header.parents), offsets=np.array(header.offsets))
    rotations, translations = _transforms(np.array(rows), header)
    return BvhMotion(
        path=path, tree=tree, fps=_frame_rate(frame_time_s), rotations=rotations, translations=translations
    )


def _read_hierarchy(lines: TextLines) -> _Header:
    words = lines.next_words()
    if words is None or words[0].upper() != "HIERARCHY":
        raise lines.error("expected HIERARCHY, the first word of a .bvh file")
    header = _Header()
    open_joints: list[int] = []
    while (words := lines.next_words()) is not None:
        keyword = words[0].upper()
        if keyword == "MOTION":
            if open_joints or not header.names:
                raise lines.error(f"MOTION while {len(open_joints)} braces of the hierarchy are open")
            return header
        if keyword in ("ROOT", "JOINT", "END"):
            if (keyword == "ROOT") != (not header.names):
                raise lines.error(f"{quoted(' '.join(words))}; expected one ROOT, first, and joints inside its braces")
            if keyword != "ROOT" and not open_joints:
                raise lines.error(f"{quoted(' '.join(words))} stands outside the braces of the root")
            parent = open_joints[-1] if open_joints else -1
            if parent in header.ends:
                raise lines.error(f"{quoted(' '.join(words))} inside an End Site, which has no joints")
            if len(open_joints) >= MAX_DEPTH:
                raise lines.error(f"more than {MAX_DEPTH} joints inside one another; split the chain")
            if keyword == "END":
                header.ends.add(len(header.names))
            name = header.names[parent] + END_SUFFIX if keyword == "END" else " ".join(words[1:]).rstrip("{ ")
            _open_joint(lines, header, name, parent)
            open_joints.append(len(header.names) - 1)
            if words[-1] != "{":
                brace = lines.next_words()
                if brace != ["{"]:
                    raise lines.error("expected '{' after the name of a joint")
        elif not open_joints:
            raise lines.error(f"{quoted(words[0])} stands outside the braces of the root")
        elif keyword == "OFFSET":
            header.offsets[open_joints[-1]] = lines.numbers(words[1:], 3)
        elif keyword == "CHANNELS":
            header.channels[open_joints[-1]] = _channels(lines, words[1:])
        elif keyword == "}":
            closed = open_joints.pop()
            if np.isnan(header.offsets[closed]).any():
                raise lines.error(f"joint {quoted(header.names[closed])} has no OFFSET")
        else:
            raise lines.error(f"{quoted(words[0])}; expected JOINT, End Site, OFFSET, CHANNELS, braces or MOTION")
    raise lines.error("the file ends before MOTION")


def _open_joint(lines: TextLines, header: _Header, name: str, parent: int) -> None:
    if not name:
        raise lines.error("a joint without a name")
    if len(header.names) >= MAX_JOINTS:
        raise lines.error(f"more than {MAX_JOINTS:,} joints; leave out those that are not of the body")
    if name in header.taken:
        # Some exporters name a joint twice (fingers, mostly); the first one keeps the name.
        name = f"{name} {len(header.names)}"
    header.taken.add(name)
    header.names.append(name)
    header.parents.append(parent)
    header.offsets.append(np.full(3, np.nan))
    header.channels.append([])


def _channels(lines: TextLines, words: list[str]) -> list[str]:
    known = {f"{axis}{kind}" for axis in "xyz" for kind in ("position", "rotation")}
    channels = [word.lower() for word in words[1:]]
    if not words or words[0] != str(len(channels)) or not set(channels) <= known:
        raise lines.error(
            f"CHANNELS {one_line(' '.join(words))}; expected a count and that many of {' '.join(sorted(known))}"
        )
    if len(set(channels)) != len(channels):
        raise lines.error("a channel occurs twice")
    return channels


def _labelled_number(lines: TextLines, *label: str) -> float:
    words = lines.next_words()
    if words is None or [word.lower() for word in words[: len(label)]] != [word.lower() for word in label]:
        raise lines.error(f"expected '{' '.join(label)} <number>'")
    return float(lines.numbers(words[len(label) :], 1)[0])


def _transforms(
    values: Float[np.ndarray, "frames channels"], header: _Header
) -> tuple[Float[np.ndarray, "frames joints 3 3"], dict[int, Float[np.ndarray, "frames 3"]]]:
    rotations = np.empty((len(values), len(header.names), 3, 3))
    translations = {}
    first = 0
    for joint, channels in enumerate(header.channels):
        columns = {channel: values[:, first + column] for column, channel in enumerate(channels)}
        first += len(channels)
        turns = [channel for channel in channels if channel.endswith("rotation")]
        angles_rad = np.radians(np.stack([columns[c] for c in turns], -1)) if turns else np.zeros((len(values), 0))
        rotations[:, joint] = matrix_from_euler(angles_rad, "".join(channel[0] for channel in turns).upper())
        if any(channel.endswith("position") for channel in channels):
            places = np.broadcast_to(header.offsets[joint], (len(values), 3)).copy()
            for axis, channel in enumerate(("xposition", "yposition", "zposition")):
                places[:, axis] = columns.get(channel, places[:, axis])
            translations[joint] = places
    return rotations, translations


def _frame_rate(frame_time_s: float) -> float:
    """Frame rate; the inverse of rounded frame times such as 0.0083333 is rounded to an integer."""
    fps = 1.0 / frame_time_s
    return float(round(fps)) if abs(fps - round(fps)) < _ROUNDED_FPS_TOLERANCE * fps else fps


def not_a_motion_of_a_person(path: Path, missing: list[str], names: tuple[str, ...]) -> InputError:
    """The error for a skeleton that lacks joints."""
    return InputError(
        f"{path}: has no joint for {', '.join(missing)}; its joints are {one_line(', '.join(names), 1000)}"
    )
