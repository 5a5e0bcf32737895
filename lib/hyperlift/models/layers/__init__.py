"""Layers of the networks, one family per module."""
