"""``hyperlift view``: a page to look at a ``pose3d.npz`` in any browser."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli.app import guarded, say
from hyperlift.cli.arguments import OneLineParser
from hyperlift.errors import InputError
from hyperlift.pipeline.motion import load_motion


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = _parser().parse_args(argv)
    out = args.out or args.poses.with_suffix(".html")
    for given in (args.poses, args.video):
        if given is not None and out.exists() and given.exists() and out.samefile(given):
            raise InputError(f"--out {out}: would overwrite what it is made from; choose another output")
    if not out.is_dir() and out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out {out}: is a web page; choose a name that ends in .html")
    motion = load_motion(args.poses, args.video)
    page = motion.view(out)
    for note in (*page.notes, *motion.warnings):
        say(f"note: {note}")
    say(f"{page.path} ({page.size_mb:.1f} MB)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        description="Write one HTML file that shows lifted people in 3D, with their curves; it needs no network."
    )
    parser.add_argument("poses", type=Path, metavar="pose3d.npz", help="what hyperlift lift writes")
    parser.add_argument("--video", type=Path, metavar="FILE", help="shown beside it; inside the page up to 30 MB")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="default: beside the poses, named like them")
    return parser
