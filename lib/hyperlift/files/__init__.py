"""Writing to disk: whole files or none, locks, swaps of several files, ownership by processes."""
