"""Attention heat maps; not part of this version yet."""

from hyperlift.cli.attention import main

if __name__ == "__main__":
    raise SystemExit(main())
