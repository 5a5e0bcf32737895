"""Depth flips and swapped sides on the two real recordings, and sheets to look at.

python benchmarks/real_videos.py WILD --sheets DIR [--onnx FILE]

WILD holds sports2d_demo and multiperson_cam01, each an .mp4 with keypoints in an .alphapose.json. The sheets show
samples over both recordings and, where there are any, the frames of every event.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
from report import write_section

from hyperlift.evaluation.plausibility import (
    FLIP_DEG,
    STILL,
    SWAP_GAIN_M,
    Event,
    bone_turns,
    depth_flips,
    swapped_sides,
)
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.motion import Motion
from hyperlift.pipeline.options import LiftOptions
from hyperlift.skeletons import H36M_17
from hyperlift.visualization.skeleton_video import Recording, pose_picture
from hyperlift.visualization.stage import Places
from hyperlift.wild.keypoints import LiftedPerson

RECORDINGS = ("sports2d_demo", "multiperson_cam01")
WITHIN_S = {"from one frame to the next": 0.0, "within 0.1 s": 0.1, "within 0.2 s": 0.2}
SAMPLES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wild", type=Path)
    parser.add_argument("--onnx", default="small", help="a lifter; default: the bundled one")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="gets contact sheets")
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    lifter = Lifter(args.onnx, threads=1)
    head = f"turns of more than {FLIP_DEG:.0f}° "
    lines = [
        f"| recording, person | frames | {head + f' | {head}'.join(WITHIN_S)} | largest in 0.1 s | sides swapped |",
        "|---|---|" + "---|" * (len(WITHIN_S) + 2),
    ]
    notes = []
    for name in RECORDINGS:
        video = args.wild / f"{name}.mp4"
        motion = lifter.lift(args.wild / f"{name}.alphapose.json", video=video, options=LiftOptions())
        shown: set[int] = set()
        for person in motion.people:
            row, events = check(motion, person)
            lines.append(f"| `{name}` p{person.id} | {row} |")
            for kind, event in events:
                first, last = person.frame[event.first], person.frame[event.last]
                unit = "m" if kind == "swapped sides" else "°"
                digits = 2 if unit == "m" else 0
                notes.append(f"- `{name}` p{person.id}, {kind}: {event.what}, frames {first}–{last}, "
                             f"{event.amount:.{digits}f} {unit}")  # fmt: skip
                shown |= {int(first), int((first + last) // 2), int(last)}
        if args.sheets is not None:
            args.sheets.mkdir(parents=True, exist_ok=True)
            everywhere = np.linspace(0, motion.frames - 1, SAMPLES).round().astype(int).tolist()
            for kind, frames in (("samples", everywhere), ("events", sorted(shown)[:24])):
                if frames:
                    draw(args.sheets / f"{name}_{kind}.png", motion, frames)
    notes = notes or ["No event."]
    lines += [
        "",
        f"A turn counts where the 2D bone changed by less than {100 * STILL:.0f} % of the bone's length. Sides are "
        "swapped where a pair of joints, projected, fits the keypoints better with left and right exchanged, "
        f"by {100 * SWAP_GAIN_M:.0f} cm or more. Only "
        "joints that were seen count. Events (of the turns, those within 0.1 s):",
        "",
        *notes,
    ]
    print("\n".join(lines))
    if not args.no_page:
        write_section("real_videos", "\n".join(lines))


def check(motion: Motion, person: LiftedPerson) -> tuple[str, list[tuple[str, Event]]]:
    """The cells of one person, and what to look at."""
    assert motion.intrinsics is not None
    assert person.joints_m is not None
    assert person.keypoints_px is not None
    seen = person.valid if person.bridged is None else person.valid & ~person.bridged
    sight = person.joints_m, person.keypoints_px, seen
    K = motion.intrinsics.K
    flips = {name: depth_flips(*sight, person.time_s, K, H36M_17, within) for name, within in WITHIN_S.items()}
    swaps = swapped_sides(*sight, person.time_s, K, H36M_17)
    step = max(1, round(0.1 / float(np.median(np.diff(person.time_s)))))
    turns = np.nan_to_num(bone_turns(*sight, K, H36M_17.bones, step))
    row, bone = np.unravel_index(int(turns.argmax()), turns.shape)
    name = "-".join(H36M_17.joints[joint] for joint in H36M_17.bones[bone])
    cells = [str(len(person.frame)), *(str(len(events)) for events in flips.values())]
    cells += [f"{turns.max():.0f}° ({name}, frame {person.frame[row]})", str(len(swaps))]
    noted = [("flip in depth", event) for event in flips["within 0.1 s"]]
    return " | ".join(cells), noted + [("swapped sides", event) for event in swaps]


def draw(path: Path, motion: Motion, frames: list[int]) -> None:
    recorded = motion.recorded
    recording = Recording(
        width=recorded.width, height=recorded.height, fps=recorded.fps, file=recorded.video, facts=recorded.facts
    )
    worlds = {person.id: person.world_m for person in motion.people if person.world_m is not None}
    places = Places(joints_m=worlds, axes="world")
    pose_picture(path, motion.people, recording, frames, columns=3, places=places, picture_height=400)


if __name__ == "__main__":
    main()
