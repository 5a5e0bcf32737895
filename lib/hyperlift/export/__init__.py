"""torch to ONNX, with a parity check."""

from hyperlift.export.onnx import Parity, compare, export_onnx

__all__ = ["Parity", "compare", "export_onnx"]
