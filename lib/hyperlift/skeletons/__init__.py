"""Joint sets: names, left-right pairs, bones, hyperedges, and mappings between joint sets."""
