"""Layers of the networks, one family a module."""
