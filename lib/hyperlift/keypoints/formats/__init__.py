"""Keypoint files, one module a format; ``registry`` decides by content which one applies."""
