"""ONNX Runtime on a plain CPU: numpy in, numpy out."""

from hyperlift.runtime.session import BUNDLED, OnnxLifter, load_lifter, open_session

__all__ = ["BUNDLED", "OnnxLifter", "load_lifter", "open_session"]
