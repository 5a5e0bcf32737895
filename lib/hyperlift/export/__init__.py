"""torch to ONNX with a parity check (``export.onnx``), and 8-bit ONNX with an accuracy report (``export.int8``).

This module imports nothing, because 8-bit export works without torch.
"""
