"""``hyperlift animate``: a ``pose3d.npz`` as a clip, an animation file, markers, or a table."""

from hyperlift.body.joint_limits import read_limits
from hyperlift.body.rigid_people import fit_sentences
from hyperlift.cli.app import say
from hyperlift.cli.lifting_commands import Animate
from hyperlift.cli.progress_bars import ProgressBars
from hyperlift.errors import InputError
from hyperlift.motion.files import BODIES, check_kind
from hyperlift.motion.motion import load_motion


def main(options: Animate) -> int:
    """Run the command; returns its exit code."""
    out = options.out
    kind = check_kind(out, options.naming)
    if out.exists() and options.poses.exists() and out.samefile(options.poses):
        raise InputError(f"{out}: would overwrite what it is made from; choose another output")
    if options.angles and kind != ".csv":
        raise InputError(f"{out}: angles are written as .csv; choose such a name")
    rigid = options.rigid or kind in BODIES
    if options.limits is not None and not rigid:
        raise InputError(f"`limits` hold in the fit of rigid bones; add `rigid`, or write {', '.join(BODIES)}")
    limits = None if options.limits is None else read_limits(options.limits)
    motion = load_motion(options.poses)
    if options.people is not None:
        motion = motion.of(options.people)
    if rigid:
        motion = motion.rigid(limits)
        for line in fit_sentences(motion.people):
            say(line)
    if options.angles:
        motion.save_angles(out)
        written = [out]
    else:
        with ProgressBars() as bars:
            written = motion.save(out, naming=options.naming, on_progress=lambda done, total: bars("draw", done, total))
    for path in written:
        say(path)
    return 0
