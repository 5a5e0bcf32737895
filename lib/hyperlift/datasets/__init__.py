"""Data sets with 3D labels as clips: Human3.6M, MPI-INF-3DHP, and the clip store."""
