"""2D keypoints of a recording: types, time stamps, plausibility checks; ``keypoints.formats`` reads and writes
files."""
