"""RTMPose through rtmlib (optional extra): more accurate than MoveNet, with feet, head and pelvis in Halpe-26 models.

rtmlib (Apache-2.0, https://github.com/Tau-J/rtmlib) implements YOLOX and RTMPose and requires OpenCV. The networks are
files of the user; rtmlib downloads networks only on request.
"""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.detection.crops import check_picture
from hyperlift.errors import InputError, missing_package, one_line, quoted
from hyperlift.keypoints.detections import Detection
from hyperlift.skeletons.joint_sets import COCO_17, HALPE_26
from hyperlift.skeletons.mapping import mark_missing
from hyperlift.skeletons.skeleton import Skeleton

_SKELETONS = {skeleton.name: skeleton for skeleton in (COCO_17, HALPE_26)}


class RtmlibDetector:
    """YOLOX finds people in every picture, RTMPose their joints; a ``Detector`` without track ids.

    Confidences are the heights of SimCC's peaks, clipped to 1.
    """

    def __init__(
        self,
        det_onnx: Path | str | None = None,
        pose_onnx: Path | str | None = None,
        skeleton: str = "coco17",
        download: str | None = None,
    ) -> None:
        """Open the networks.

        Args:
            det_onnx: a YOLOX person detector as OpenMMLab exports it.
            pose_onnx: an RTMPose network with outputs ``simcc_x`` and ``simcc_y``.
            skeleton: the joints of the pose network, ``coco17`` or ``halpe26``; checked against it.
            download: instead of files, download rtmlib's networks of this size: ``lightweight``, ``balanced`` or
                ``performance``. They stay in rtmlib's cache.

        Raises:
            InputError: rtmlib is not installed, a file is missing or of another kind, or the download fails.
        """
        if skeleton not in _SKELETONS:
            raise InputError(
                f"rtmlib's networks here have the joints {' or '.join(_SKELETONS)}, not {quoted(skeleton)}"
            )
        self.skeleton: Skeleton = _SKELETONS[skeleton]
        self.name = f"RTMPose ({skeleton})"
        rtmlib = _import_rtmlib()
        if download is not None:
            if det_onnx is not None or pose_onnx is not None:
                raise InputError("rtmlib: give det_onnx and pose_onnx, or download; not both")
            det_onnx, pose_onnx = _addresses(rtmlib, self.skeleton, download)
        elif det_onnx is None or pose_onnx is None:
            raise InputError("rtmlib needs two networks: give det_onnx and pose_onnx, or download='balanced'")
        else:
            # rtmlib would treat a path that does not exist as a URL.
            for path in (det_onnx, pose_onnx):
                if not Path(path).is_file():
                    raise InputError(f"{path}: no such file; give an ONNX network for rtmlib")
        self._pose_source = str(pose_onnx)
        self._find = _opened(rtmlib.YOLOX, str(det_onnx))
        self._pose = _opened(rtmlib.RTMPose, self._pose_source)
        self._check_pose_network()

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def state(self) -> None:
        """None: there is no state; see ``ResumableDetector``."""

    def restore(self, state: None) -> None:
        """Do nothing: there is no state."""

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        """Detect all people in one picture; see ``Detector``.

        Raises:
            InputError: no RGB picture.
        """
        check_picture(frame_rgb)
        # YOLOX was trained on BGR, RTMPose on RGB; rtmlib does not convert.
        boxes = np.asarray(self._find(np.ascontiguousarray(frame_rgb[..., ::-1]))).reshape(-1, 4)
        if not len(boxes):  # without boxes rtmlib would use the whole picture as a box
            return []
        points_px, scores = self._pose(frame_rgb, bboxes=boxes)
        return [Detection(keypoints) for keypoints in mark_missing(_with_scores(points_px, scores))]

    def _check_pose_network(self) -> None:
        outputs = self._pose.session.get_outputs()
        names = {output.name for output in outputs}
        if names != {"simcc_x", "simcc_y"}:
            raise InputError(
                f"{self._pose_source}: gives {', '.join(sorted(names))}; expected an RTMPose network, which gives "
                "simcc_x and simcc_y"
            )
        joints = outputs[0].shape[1]
        if isinstance(joints, int) and joints != len(self.skeleton):
            raise InputError(
                f"{self._pose_source}: has {joints} joints; {self.skeleton.name} has {len(self.skeleton)}. "
                f"Choose the skeleton that the network was trained for ({', '.join(_SKELETONS)})"
            )


def _with_scores(points_px: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return np.concatenate([points_px, scores[..., None]], axis=-1).astype(np.float64)


def _import_rtmlib() -> Any:
    try:
        import rtmlib
    except ImportError as error:
        if error.name == "rtmlib":
            raise missing_package("rtmlib", "this detector needs") from error
        raise InputError(  # it is installed, but a dependency is not
            f"the detector rtmlib cannot be used ({one_line(str(error))}); use movenet"
        ) from error
    return rtmlib


def _addresses(rtmlib: Any, skeleton: Skeleton, size: str) -> tuple[str, str]:
    table = (rtmlib.BodyWithFeet if skeleton is HALPE_26 else rtmlib.Body).MODE
    if size not in table:
        raise InputError(f"rtmlib has no networks called {quoted(size)} to download; known: {', '.join(table)}")
    return table[size]["det"], table[size]["pose"]


def _opened(tool: Any, source: str) -> Any:
    """Open a network through rtmlib without output, with the input size that the network states."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            opened = tool(source, backend="onnxruntime", device="cpu")
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # download errors, zip errors and private classes of ONNX Runtime
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{source}: rtmlib cannot open this network ({reason}); give another file") from error
    height, width = opened.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        # rtmlib writes YOLOX's size as height, width and RTMPose's as width, height.
        opened.model_input_size = (height, width) if tool.__name__ == "YOLOX" else (width, height)
    return opened
