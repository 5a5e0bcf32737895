"""The errors of a detector, measured on keypoint files; ``--help`` says how."""

from hyperlift.cli.fit_detector_noise import main

if __name__ == "__main__":
    raise SystemExit(main())
