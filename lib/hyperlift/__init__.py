"""HyperLift turns any video, or 2D human keypoints, into 3D motion.

``Lifter("small").lift("video.mp4")`` returns a ``Motion``.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperlift.body.person import Person
    from hyperlift.errors import InputError
    from hyperlift.keypoints.detections import Detection, Detections
    from hyperlift.keypoints.formats.registry import read_keypoints
    from hyperlift.motion.motion import Motion, load_motion
    from hyperlift.pipeline.lifter import Lifter
    from hyperlift.pipeline.options import LiftOptions

# From 1.31 on ONNX Runtime reports its use to its maker, and starts with that as soon as it is imported. This is its
# documented switch. It stands here because every process of ours, a worker too, imports this package first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

COMMAND_KEY = "HYPERLIFT_COMMAND"
"""Environment variable that a command sets for itself and its workers: these processes are ours alone."""

__version__ = "0.1.0"

__all__ = [
    "Detection",
    "Detections",
    "InputError",
    "LiftOptions",
    "Lifter",
    "Motion",
    "Person",
    "__version__",
    "load_motion",
    "read_keypoints",
]

_HOMES = {
    "Detection": "hyperlift.keypoints.detections",
    "Detections": "hyperlift.keypoints.detections",
    "InputError": "hyperlift.errors",
    "LiftOptions": "hyperlift.pipeline.options",
    "Lifter": "hyperlift.pipeline.lifter",
    "Motion": "hyperlift.motion.motion",
    "Person": "hyperlift.body.person",
    "load_motion": "hyperlift.motion.motion",
    "read_keypoints": "hyperlift.keypoints.formats.registry",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: training does not load what lifting needs."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hyperlift' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
