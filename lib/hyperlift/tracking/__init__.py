"""People followed from frame to frame: one tracker for the bundled detector, for keypoint files and live."""

from hyperlift.tracking.association import Cost, Target, given_id_cost, motion_cost
from hyperlift.tracking.gaps import LONGEST_GAP_S, FilledTrack, fill_gaps
from hyperlift.tracking.left_right import repair_side_swaps
from hyperlift.tracking.tracker import Tracker
from hyperlift.tracking.tracks import Track, track_people, track_rows

__all__ = [
    "LONGEST_GAP_S",
    "Cost",
    "FilledTrack",
    "Target",
    "Track",
    "Tracker",
    "fill_gaps",
    "given_id_cost",
    "motion_cost",
    "repair_side_swaps",
    "track_people",
    "track_rows",
]
