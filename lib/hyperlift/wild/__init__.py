"""From detector keypoints of real video to 3D poses: readers, tracking, timing, windows, writers."""
