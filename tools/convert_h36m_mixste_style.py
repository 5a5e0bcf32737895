"""Cut the Human3.6M pickle into clips of 243 frames; see --help."""

from hyperlift.cli.convert_h36m import main

if __name__ == "__main__":
    raise SystemExit(main())
