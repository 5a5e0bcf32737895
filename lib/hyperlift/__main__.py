"""``python -m hyperlift`` is the console command ``hyperlift``."""

from hyperlift.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
