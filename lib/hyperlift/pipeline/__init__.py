"""``Lifter`` and the jobs that write results: one recording, or a folder of them."""
