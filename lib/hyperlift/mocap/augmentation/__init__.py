"""Variation of recorded motion: bodies, limbs, playback speed, sitting."""
