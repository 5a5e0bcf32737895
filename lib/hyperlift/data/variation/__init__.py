"""Motions that nobody recorded, made of those that somebody did."""

from hyperlift.data.variation.motion_variation import MotionVariation, lending_weights, vary_motion

__all__ = ["MotionVariation", "lending_weights", "vary_motion"]
