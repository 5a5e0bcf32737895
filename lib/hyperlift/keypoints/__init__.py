"""2D keypoints of a recording: types, time stamps, plausibility checks, and ``formats`` for files."""
