"""ONNX Runtime on a plain CPU: numpy in, numpy out."""

from hyperlift.runtime.session import OnnxLifter, load_lifter, open_session

__all__ = ["OnnxLifter", "load_lifter", "open_session"]
