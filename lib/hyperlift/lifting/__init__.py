"""2D tracks to 3D poses: windows over a recording, live streams, camera roll, smoothing."""
