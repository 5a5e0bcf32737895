"""From motion capture to a lifter for any video, in one command; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("train-wild"))
