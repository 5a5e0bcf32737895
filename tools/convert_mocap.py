"""Motion capture to a clip store through virtual cameras; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("convert-mocap"))
