"""Geometry on arrays: rotations, forward kinematics, cameras, normalisation, alignment, joint errors."""
