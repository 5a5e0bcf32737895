"""A model card from a checkpoint, its clip store and its scores; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("model-card"))
