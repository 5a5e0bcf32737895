"""ONNX Runtime on a plain CPU: numpy in, numpy out."""

from hyperlift.runtime.session import (
    BUNDLED,
    BUNDLED_STREAMS,
    OnnxLifter,
    bundled_file,
    load_lifter,
    open_session,
)
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
