"""Keypoints into AlphaPose's layout, which many tools read; a small file beside it says what that layout cannot."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.files.atomic import atomic_file, check_output
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.readers import reader
from hyperlift.safe_io.text import is_whole

_MOST = 10_000_000
"""Frames, or pixels of a side."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What keypoints were detected in. AlphaPose's layout has no place for it: it lists people, so a video without
    people is an empty list."""

    frames: int
    """Of the video, those without people included."""
    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    detector: str
    skeleton: str
    tracked: bool = False
    """Whether the track ids are identities, as in ``Detections``."""

    def __post_init__(self) -> None:
        for name, least in (("frames", 0), ("width", 1), ("height", 1)):
            number = getattr(self, name)
            if not is_whole(number, least, _MOST):
                raise InputError(f"a recording with {name} {quoted(number)} does not exist")
        for name, kind, what in (
            ("detector", str, "text"),
            ("skeleton", str, "text"),
            ("tracked", bool, "true or false"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"a recording's {name} is {what}, not {quoted(getattr(self, name))}")


def recording_path(path: Path | str) -> Path:
    """Where the facts about the keypoints in ``path`` stand: ``people.json`` has ``people.recording.json``."""
    path = Path(path)
    return path.with_name(f"{path.stem}.recording{path.suffix}")


def write_alphapose(path: Path | str, detections: Detections, width: int, height: int) -> None:
    """Write keypoints as an AlphaPose results file, and beside it what they were detected in.

    An entry a person and frame: ``image_id`` ("12.jpg" is frame 12, from 0), ``category_id`` 1, ``keypoints`` (x, y,
    confidence of each joint, pixels; 0, 0, 0 where missing), ``score`` (mean confidence), ``box`` [x, y, width, height]
    around the joints, and ``idx``, the track id, where there is one. Both files appear whole or not at all; the
    keypoints come last, so that where they are, the facts are too.

    Args:
        path: of the results file.
        detections: with an entry for every frame of the video.
        width: of the video in pixels, upright.
        height: of the video in pixels, upright.

    Raises:
        InputError: the folder cannot be written, a folder stands in the file's place, or the size is impossible.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.formats.alphapose_writer import read_recording, write_alphapose
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> write_alphapose("people.json", detections, 1768, 994)
        >>> read_recording("people.json").frames
        226
    """
    path = Path(path)
    check_output(path)
    recording = Recording(
        frames=detections.last_frame + 1,
        width=width,
        height=height,
        detector=detections.tool,
        skeleton=detections.skeleton.name,
        tracked=detections.tracked,
    )
    people = detections.people
    with atomic_file(path) as partial, atomic_file(recording_path(path)) as facts:
        with partial.open("w", encoding="utf-8") as file:
            # One entry a line, so that people and line-based tools can read it.
            file.write("[\n")
            for row, frame in enumerate(people.person_frame.tolist()):
                entry = json.dumps(_entry(frame, people.detection(row)), separators=(",", ":"))
                file.write(f",\n{entry}" if row else entry)
            file.write("\n]\n")
        facts.write_text(json.dumps(asdict(recording), indent=1) + "\n")


@reader("facts of a recording", remedy="delete it and detect again")
def read_recording(path: Path | str) -> Recording | None:
    """The facts beside a results file that ``write_alphapose`` wrote; None where there are none.

    Args:
        path: of the results file.

    Raises:
        InputError: the facts cannot be read or are not what ``write_alphapose`` writes.

    Example:
        >>> from hyperlift.keypoints.formats.alphapose_writer import read_recording
        >>> read_recording("examples/sports2d_demo.alphapose.json") is None  # AlphaPose writes no such file
        True
    """
    facts = recording_path(path)
    if not facts.is_file():
        return None
    try:
        content = json.loads(facts.read_bytes())
        return Recording(**content)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{facts}: cannot be used ({one_line(str(error))}); delete it and detect again") from error


def _entry(frame: int, person: Detection) -> dict[str, object]:
    points = person.keypoints_px
    seen = np.asarray(np.isfinite(points).all(-1))
    filled = np.where(seen[:, None], points, 0.0)
    low, high = (points[seen, :2].min(0), points[seen, :2].max(0)) if seen.any() else (np.zeros(2), np.zeros(2))
    entry: dict[str, object] = {
        "image_id": f"{frame}.jpg",
        "category_id": 1,
        "keypoints": [round(float(number), 2 + (i % 3 == 2) * 2) for i, number in enumerate(filled.reshape(-1))],
        "score": round(float(filled[:, 2].mean()), 4),
        "box": [round(float(number), 2) for number in (*low, *(high - low))],
    }
    if person.track_id is not None:
        entry["idx"] = person.track_id
    return entry
