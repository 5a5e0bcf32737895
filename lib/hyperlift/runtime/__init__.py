"""Lifters under ONNX Runtime on a CPU: NumPy in, NumPy out."""
