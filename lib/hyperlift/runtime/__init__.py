"""ONNX Runtime on a plain CPU: numpy in, numpy out."""

from hyperlift.runtime.loading import BUNDLED, BUNDLED_STREAMS, bundled_file, load_lifter
from hyperlift.runtime.session import OnnxLifter, open_session
from hyperlift.runtime.stream import OnnxStream

__all__ = [
    "BUNDLED",
    "BUNDLED_STREAMS",
    "OnnxLifter",
    "OnnxStream",
    "bundled_file",
    "load_lifter",
    "open_session",
]
