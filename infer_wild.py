"""Lift 2D keypoints of a video to 3D; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("lift"))
