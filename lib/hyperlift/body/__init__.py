"""Rigid bodies: joint rotations, rest pose, joint limits, joint angles, and the fit of constant bones."""
