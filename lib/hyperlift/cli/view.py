"""``hyperlift view``: a ``pose3d.npz`` as a page for any browser."""

from hyperlift.cli.app import say
from hyperlift.cli.lifting_commands import View
from hyperlift.errors import InputError
from hyperlift.motion.motion import load_motion


def main(options: View) -> int:
    """Run the command; returns its exit code."""
    out = options.out or options.poses.with_suffix(".html")
    for given in (options.poses, options.video):
        if given is not None and out.exists() and given.exists() and out.samefile(given):
            raise InputError(f"{out}: would overwrite what it is made from; choose another output")
    if not out.is_dir() and out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out}: is a web page; choose a name that ends in .html")
    motion = load_motion(options.poses, options.video)
    page = motion.view(out)
    for note in (*page.notes, *motion.warnings):
        say(f"note: {note}")
    say(f"{page.path} ({page.size_mb:.1f} MB)")
    return 0
