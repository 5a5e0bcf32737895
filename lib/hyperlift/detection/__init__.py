"""People and their 2D joints in the pictures of a video."""

from hyperlift.detection.detector import Detector, VideoFrame, detect_video
from hyperlift.detection.movenet import MoveNetDetector

__all__ = ["Detector", "MoveNetDetector", "VideoFrame", "detect_video"]
