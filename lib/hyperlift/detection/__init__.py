"""People and their 2D joints in the pictures of a video."""

from hyperlift.detection.choose import DETECTORS, make_detector
from hyperlift.detection.detector import Detector, ResumableDetector, TrackingDetector, VideoFrame, detect_video
from hyperlift.detection.journal import Journal, JournalFile
from hyperlift.detection.movenet import MoveNetDetector, movenet_confidence
from hyperlift.detection.rtmlib_detector import RtmlibDetector

__all__ = [
    "DETECTORS",
    "Detector",
    "Journal",
    "JournalFile",
    "MoveNetDetector",
    "ResumableDetector",
    "RtmlibDetector",
    "TrackingDetector",
    "VideoFrame",
    "detect_video",
    "make_detector",
    "movenet_confidence",
]
