"""Rigid bones for lifted people, and animation files and angles of them, one writer a module."""

from hyperlift.animation.angles_csv import write_angles_csv
from hyperlift.animation.bvh import write_bvh
from hyperlift.animation.c3d import check_c3d, write_c3d
from hyperlift.animation.gltf import write_glb
from hyperlift.animation.lifted import USUAL_CUTOFF_HZ, fit_person
from hyperlift.animation.node_tree import NAMINGS
from hyperlift.animation.trc import write_trc

__all__ = [
    "NAMINGS",
    "USUAL_CUTOFF_HZ",
    "check_c3d",
    "fit_person",
    "write_angles_csv",
    "write_bvh",
    "write_c3d",
    "write_glb",
    "write_trc",
]
