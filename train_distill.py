"""Train a small lifter from a large one; ``--help`` says how."""

from hyperlift.cli.distill import main

if __name__ == "__main__":
    raise SystemExit(main())
