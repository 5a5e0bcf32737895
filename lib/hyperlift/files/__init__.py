"""Writing to disk: atomic files and folders, locks, transactional replacement of several files."""
