"""Augmentation of recorded motion: proportions, limbs, playback speed, sitting."""
