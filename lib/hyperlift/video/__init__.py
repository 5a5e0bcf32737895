"""Video files through PyAV: what a file holds, its frames upright and in time, and mp4 files out."""
