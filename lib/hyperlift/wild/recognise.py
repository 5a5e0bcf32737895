"""Which tool wrote a keypoint file: decided by its content, never by the number of joints alone."""

from pathlib import Path

from hyperlift.errors import InputError
from hyperlift.wild.alphapose import looks_like_alphapose, parse_alphapose
from hyperlift.wild.json_text import load_json
from hyperlift.wild.keypoints import Detections
from hyperlift.wild.openpose import looks_like_openpose, openpose_files, read_openpose

_KNOWN = "an AlphaPose results file (COCO-17) or a folder of OpenPose files (BODY_25)"


def read_keypoints(path: Path | str) -> Detections:
    """Read the 2D keypoints of a recording, whichever known tool wrote them.

    Args:
        path: an AlphaPose JSON file, a folder of OpenPose frame files, or one OpenPose frame file.

    Raises:
        InputError: nothing is there, the layout is unknown, or its content does not fit.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give {_KNOWN}")
    if path.is_dir():
        files = openpose_files(path)
        if not files:
            raise InputError(f"{path}: this folder holds no *_keypoints.json; give {_KNOWN}")
        return read_openpose(files, str(path))
    content = load_json(path)
    if looks_like_alphapose(content):
        assert isinstance(content, list)
        return parse_alphapose(content, str(path))
    if looks_like_openpose(content):
        return read_openpose([path], str(path))
    raise InputError(f"{path}: this layout is unknown; give {_KNOWN}")
