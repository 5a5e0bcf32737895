"""Animation files of fitted motions, one writer a module."""

from hyperlift.animation.bvh import write_bvh
from hyperlift.animation.c3d import write_c3d
from hyperlift.animation.gltf import write_glb
from hyperlift.animation.node_tree import NAMINGS
from hyperlift.animation.trc import write_trc

__all__ = ["NAMINGS", "write_bvh", "write_c3d", "write_glb", "write_trc"]
