"""Export a checkpoint to ONNX and compare it with torch; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("export"))
