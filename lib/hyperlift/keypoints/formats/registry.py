"""Which tool wrote a keypoint file: decided by its content, never by the number of joints alone."""

from pathlib import Path

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.alphapose import ALPHAPOSE
from hyperlift.keypoints.formats.arrays import ARRAYS
from hyperlift.keypoints.formats.coco import COCO_ANNOTATIONS, COCO_RESULTS
from hyperlift.keypoints.formats.deeplabcut import DEEPLABCUT
from hyperlift.keypoints.formats.detectron import DETECTRON, VIDEOPOSE3D
from hyperlift.keypoints.formats.identities import settled_identities
from hyperlift.keypoints.formats.json_stream import JsonList
from hyperlift.keypoints.formats.long_table import LONG_TABLE
from hyperlift.keypoints.formats.mediapipe import MEDIAPIPE
from hyperlift.keypoints.formats.mmpose import MMPOSE
from hyperlift.keypoints.formats.openpose import OPENPOSE
from hyperlift.keypoints.formats.sleap import SLEAP
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.formats.ultralytics import ULTRALYTICS, ULTRALYTICS_LABELS, ULTRALYTICS_TABLE
from hyperlift.readers import reader
from hyperlift.skeletons.joint_sets import COCO_17, skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

FORMATS = {
    known.name: known
    for known in (
        # COCO results before AlphaPose, and VideoPose3D's files before plain arrays: the latter take whatever has the
        # former's keys. All others exclude one another.
        *(COCO_RESULTS, ALPHAPOSE, OPENPOSE, MMPOSE, COCO_ANNOTATIONS, ULTRALYTICS, ULTRALYTICS_LABELS),
        *(DETECTRON, VIDEOPOSE3D, DEEPLABCUT, SLEAP, ULTRALYTICS_TABLE, LONG_TABLE, MEDIAPIPE, ARRAYS),
    )
}
"""Every format by the name that ``LiftOptions.keypoint_format`` takes."""


class UnknownLayout(InputError):
    """No known tool wrote this, or nothing is there; the message ends with what could be given."""


@reader("keypoints", remedy="export the keypoints again")
def read_keypoints(
    path: Path | str,
    *,
    skeleton: Skeleton | str | None = None,
    picture_size: tuple[int, int] | None = None,
    format: str | None = None,
    recording: str | None = None,
) -> Detections:
    """Read the 2D keypoints of a recording, whichever known tool wrote them.

    Frame numbers count from 0, gaps are kept; coordinates come out in pixels, missing joints as NaN, NaN, 0.

    Args:
        path: a file, or a folder with one file a frame.
        skeleton: the joints of a file that does not say (plain arrays), or against what its tool usually writes.
        picture_size: width and height of the video in pixels, for files that hold fractions of them.
        recording: a part of the name of the recording that is wanted, for files and folders that hold several.
        format: the tool's name, one of ``FORMATS``, instead of recognising it.

    Raises:
        UnknownLayout: nothing is there, or the layout is unknown.
        InputError: the layout is not that of ``format``, or its content does not fit.

    Example:
        >>> import hyperlift
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> detections.tool, detections.skeleton.name
        ('AlphaPose', 'coco17')
        >>> detections.frames[12][0]
        Detection(17 of 17 joints, track 0)
    """
    source = Source(Path(path))
    hints = Hints(skeleton_named(skeleton) if isinstance(skeleton, str) else skeleton, picture_size, recording)
    if format is not None and format not in FORMATS:
        raise InputError(f"unknown keypoint format {quoted(format)}; known: {', '.join(FORMATS)}")
    if not source.path.exists():
        raise UnknownLayout(f"{path}: no such file or folder; give {_known()}")
    chosen = _recognised(source) if format is None else FORMATS[format]
    if format is not None and chosen is not None and not chosen.fits(source):
        found = _recognised(source)
        seems = f"it looks like {found.what}" if found else "nor is it any other known layout"
        raise InputError(f"{path}: is not {chosen.what}; {seems}")
    if chosen is None:
        if _is_nobody(source):
            return Detections(source=str(path), tool="unknown", skeleton=hints.skeleton or COCO_17, frames={})
        raise UnknownLayout(_unknown(source))
    return settled_identities(chosen.read(source, hints))


def _recognised(source: Source) -> Format | None:
    return next((known for known in FORMATS.values() if known.fits(source)), None)


def _is_nobody(source: Source) -> bool:
    content = source.json
    return isinstance(content, JsonList) and not any(content)


def _unknown(source: Source) -> str:
    if source.kind == "hdf5":
        return (
            f"{source}: HDF5 tables are not read, because DeepLabCut's hold pickled objects; export CSV "
            "(DeepLabCut: save_as_csv=True or analyze_videos_converth5_to_csv; SLEAP: Export Analysis CSV)"
        )
    if source.kind == "folder":
        return f"{source}: this folder holds no *_keypoints.json and nothing else that is known; give {_known()}"
    if source.kind == "npz":
        held = ", ".join(sorted(source.arrays)) or "nothing"
        return f"{source}: this layout is unknown (it holds {held}); give {_known()}"
    return f"{source}: this layout is unknown; give {_known()}"


def _known() -> str:
    return ", ".join(known.what for known in FORMATS.values())
