"""Score a checkpoint or an ONNX lifter; ``--help`` says how."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("evaluate"))
