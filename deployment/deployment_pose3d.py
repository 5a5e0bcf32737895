"""Export a checkpoint to ONNX and compare it with torch; ``--help`` says how."""

from hyperlift.cli.export import main

if __name__ == "__main__":
    raise SystemExit(main())
