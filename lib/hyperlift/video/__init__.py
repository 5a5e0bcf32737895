"""Video files through PyAV: facts, upright frames with time stamps, and mp4 and GIF output."""
