"""Cut the Human3.6M pickle into clips of 243 frames; see --help."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("convert-h36m"))
