"""Damaged files for every registered reader; ``python -m fuzz --help`` with tests/ on the path, or ``make fuzz``."""
