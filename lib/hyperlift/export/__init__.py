"""torch to ONNX with a parity check (``export.onnx``), and 8-bit ONNX with a report of its cost (``export.int8``).

Nothing is imported here: 8-bit files are made without torch.
"""
