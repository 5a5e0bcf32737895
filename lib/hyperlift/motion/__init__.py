"""One person's motion, and the tables that hold everybody's: ``pose3d.npz``, ``.json`` and ``.csv``."""

from hyperlift.motion.person import LiftedTrack, Person

__all__ = ["LiftedTrack", "Person"]
