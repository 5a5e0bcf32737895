"""``Motion`` and its people; ``motion.formats`` writes and reads the files."""
