"""Attention maps as arrays and a page of pictures; see docs/attention.md."""

from hyperlift.cli.attention import main

if __name__ == "__main__":
    raise SystemExit(main())
