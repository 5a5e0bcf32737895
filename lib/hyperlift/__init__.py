"""HyperLift: 2D human keypoints to 3D motion."""

__version__ = "0.1.0"
