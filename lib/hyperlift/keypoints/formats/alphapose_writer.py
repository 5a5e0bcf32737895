"""Write keypoints in the AlphaPose format, which many tools read, and a sidecar file for facts that it cannot hold."""

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
"""Maximal number of frames, and of pixels per side. Chosen: the limit of ``geometry.chunks.MAX_SPAN``."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Facts about the video of a keypoint file. The AlphaPose format only lists people, so a video without people would
    be an empty list."""

    frames: int
    """Number of frames of the video."""
    width: int
    """In pixels, after rotation to upright."""
    height: int
    """In pixels, after rotation to upright."""
    detector: str
    skeleton: str
    tracked: bool = False
    """As in ``Detections``."""

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
    """Path of the sidecar file: ``people.recording.json`` for ``people.json``."""
    path = Path(path)
    return path.with_name(f"{path.stem}.recording{path.suffix}")


def write_alphapose(path: Path | str, detections: Detections, width: int, height: int) -> None:
    """Write keypoints as an AlphaPose results file, and the sidecar file.

    Each entry is one person in one frame: ``image_id`` ("12.jpg" is frame 12, from 0), ``category_id`` 1, ``keypoints``
    (x, y, confidence of each joint in pixels; 0, 0, 0 if missing), ``score`` (mean confidence), ``box`` [x, y, width,
    height] of the joints, and ``idx``, the track id, if there is one. Both files are written atomically, the sidecar
    file first: if the keypoints exist, so does the sidecar file.

    Args:
        path: the results file.
        detections: with an entry for every frame of the video.
        width: width of the upright video in pixels.
        height: height of the upright video in pixels.

    Raises:
        InputError: the file cannot be written, or the size is invalid.

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
            # One entry per line, for readers and line-based tools.
            file.write("[\n")
            for row, frame in enumerate(people.person_frame.tolist()):
                entry = json.dumps(_entry(frame, people.detection(row)), separators=(",", ":"))
                file.write(f",\n{entry}" if row else entry)
            file.write("\n]\n")
        facts.write_text(json.dumps(asdict(recording), indent=1) + "\n")


@reader("facts of a recording", remedy="delete it and detect again")
def read_recording(path: Path | str) -> Recording | None:
    """Read the sidecar file of a results file; None if there is none.

    Args:
        path: the results file.

    Raises:
        InputError: the sidecar file cannot be read or is invalid.

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
