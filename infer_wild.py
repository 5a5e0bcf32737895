"""Lift 2D keypoints of a video to 3D: ``python infer_wild.py --help``."""

from hyperlift.cli.lift import main

if __name__ == "__main__":
    raise SystemExit(main())
