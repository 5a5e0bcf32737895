"""Registry of keypoint formats, and ``read_keypoints``, which recognises a format by the content of the file.

The number of joints alone never decides.
"""

from pathlib import Path

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.alphapose import ALPHAPOSE
from hyperlift.keypoints.formats.arrays import ARRAYS
from hyperlift.keypoints.formats.coco import COCO_ANNOTATIONS, COCO_RESULTS
from hyperlift.keypoints.formats.deeplabcut import DEEPLABCUT
from hyperlift.keypoints.formats.detectron import DETECTRON, VIDEOPOSE3D
from hyperlift.keypoints.formats.identities import cleaned_identities
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
        # Order matters: AlphaPose also fits COCO results, and plain arrays also fit VideoPose3D files. All other
        # formats exclude each other.
        *(COCO_RESULTS, ALPHAPOSE, OPENPOSE, MMPOSE, COCO_ANNOTATIONS, ULTRALYTICS, ULTRALYTICS_LABELS),
        *(DETECTRON, VIDEOPOSE3D, DEEPLABCUT, SLEAP, ULTRALYTICS_TABLE, LONG_TABLE, MEDIAPIPE, ARRAYS),
    )
}
"""Every format by the name that ``LiftOptions.keypoint_format`` takes."""


class UnknownLayout(InputError):
    """The file is missing or its layout is unknown; the message lists the known formats."""


@reader("keypoints", remedy="export the keypoints again")
def read_keypoints(
    path: Path | str,
    *,
    skeleton: Skeleton | str | None = None,
    picture_size: tuple[int, int] | None = None,
    format: str | None = None,
    recording: str | None = None,
) -> Detections:
    """Read the 2D keypoints of a recording in any known format.

    Frame numbers start at 0, and gaps are kept. Coordinates are in pixels; missing joints are NaN, NaN, 0.

    Args:
        path: a file, or a folder with one file per frame.
        skeleton: joint set, for files that do not state it (plain arrays) or that deviate from their tool.
        picture_size: width and height of the video in pixels, for files with normalised coordinates.
        recording: a part of the name of the recording, for files and folders with several.
        format: a name in ``FORMATS``; None recognises the format.

    Raises:
        UnknownLayout: the file is missing or its layout is unknown.
        InputError: the file does not have the given format, or its content is invalid.

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
    return cleaned_identities(chosen.read(source, hints))


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
