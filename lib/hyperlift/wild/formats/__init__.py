"""Keypoint files, a module a format. ``read_keypoints`` takes them all."""

from hyperlift.wild.formats.recognise import FORMATS, UnknownLayout, read_keypoints

__all__ = ["FORMATS", "UnknownLayout", "read_keypoints"]
