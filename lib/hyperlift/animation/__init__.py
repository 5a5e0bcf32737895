"""Rigid bones for lifted people, and animation files of them, one writer a module."""

from hyperlift.animation.bvh import write_bvh
from hyperlift.animation.c3d import write_c3d
from hyperlift.animation.gltf import write_glb
from hyperlift.animation.lifted import fit_person
from hyperlift.animation.node_tree import NAMINGS
from hyperlift.animation.trc import write_trc

__all__ = ["NAMINGS", "fit_person", "write_bvh", "write_c3d", "write_glb", "write_trc"]
