"""Motion capture to a clip store through virtual cameras; ``--help`` says how."""

from hyperlift.cli.convert_mocap import main

if __name__ == "__main__":
    raise SystemExit(main())
