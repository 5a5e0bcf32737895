"""ONNX Runtime on a plain CPU: numpy in, numpy out."""

from hyperlift.runtime.session import BUNDLED, OnnxLifter, load_lifter, open_session
from hyperlift.runtime.stream import OnnxStream

__all__ = ["BUNDLED", "OnnxLifter", "OnnxStream", "load_lifter", "open_session"]
