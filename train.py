"""Train a lifter; ``--help`` says how."""

from hyperlift.cli.train import main

if __name__ == "__main__":
    raise SystemExit(main())
