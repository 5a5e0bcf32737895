"""Joint sets: names, mirror pairs, bones, hyperedges, and mappings between sets."""
