"""Keypoint files, a module a format. ``read_keypoints`` takes them all."""

from hyperlift.wild.formats.recognise import FORMATS, read_keypoints

__all__ = ["FORMATS", "read_keypoints"]
