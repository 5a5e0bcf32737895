"""The errors of a detector, measured on keypoint files; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("fit-detector-noise"))
