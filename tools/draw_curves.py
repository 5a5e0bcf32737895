"""Draw the logs of runs that followed each other into one picture; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("draw-curves"))
