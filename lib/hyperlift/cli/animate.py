"""``hyperlift animate``: a ``pose3d.npz`` as a clip, an animation file, markers, or a table."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.animation import NAMINGS
from hyperlift.cli.app import guarded, say
from hyperlift.cli.arguments import OneLineParser, person_id
from hyperlift.cli.progress_bars import ProgressBars
from hyperlift.errors import InputError
from hyperlift.kinematics import read_limits
from hyperlift.pipeline.motion import load_motion
from hyperlift.pipeline.motion_files import BODIES, NAMED, check_kind
from hyperlift.pipeline.rigid import fit_sentences


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = _parser().parse_args(argv)
    out: Path = args.out
    kind = check_kind(out, args.naming)
    if out.exists() and args.poses.exists() and out.samefile(args.poses):
        raise InputError(f"{out}: would overwrite what it is made from; choose another output")
    if args.angles and kind != ".csv":
        raise InputError(f"{out}: angles are written as .csv; choose such a name")
    rigid = args.rigid or kind in BODIES
    if args.limits is not None and not rigid:
        raise InputError(f"--limits hold in the fit of rigid bones; add --rigid, or write {', '.join(BODIES)}")
    limits = None if args.limits is None else read_limits(args.limits)
    motion = load_motion(args.poses)
    if args.person is not None:
        motion = motion.of(args.person)
    if rigid:
        motion = motion.rigid(limits)
        for line in fit_sentences(motion.people):
            say(line)
    if args.angles:
        motion.save_angles(out)
        written = [out]
    else:
        with ProgressBars() as bars:
            written = motion.save(out, naming=args.naming, on_frame=lambda done, total: bars("draw", done, total))
    for path in written:
        say(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(description="Write lifted people as a clip, an animation file, markers, or a table.")
    parser.add_argument("poses", type=Path, metavar="pose3d.npz", help="what hyperlift lift writes")
    parser.add_argument(
        "out",
        type=Path,
        metavar="OUT",
        help="its suffix says what: mp4 or gif to look at; bvh, glb, trc or c3d, one a person; csv, json or npz",
    )
    parser.add_argument(
        "--person", type=person_id, action="append", metavar="ID", help="only this person (0 or p0); may be repeated"
    )
    parser.add_argument("--rigid", action="store_true", help="constant bone lengths; bvh, glb, trc and c3d always are")
    parser.add_argument("--limits", type=Path, metavar="FILE", help="limits of joint angles, YAML; default: none")
    parser.add_argument(
        "--naming", choices=NAMINGS, default="plain", help=f"of nodes in {' and '.join(NAMED)} (default %(default)s)"
    )
    parser.add_argument("--angles", action="store_true", help="write angles into the csv instead of joints")
    return parser
