"""2D keypoints of a recording: types, time stamps, checks; ``keypoints.formats`` reads and writes the files."""
