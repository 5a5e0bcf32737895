"""Score a checkpoint or an ONNX lifter; see --help."""

from hyperlift.cli.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())
