"""Distillation; not part of this version yet."""

from hyperlift.cli.distill import main

if __name__ == "__main__":
    raise SystemExit(main())
