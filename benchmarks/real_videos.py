"""Depth flips and swapped sides on the two real recordings, and sheets to look at.

python benchmarks/real_videos.py WILD --sheets DIR [--onnx FILE]

WILD holds sports2d_demo and multiperson_cam01, each an .mp4 with keypoints in an .alphapose.json. The sheets show
samples over both recordings and, where there are any, the frames of every event.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from runner import Report, run, table

from hyperlift.body.person import Person
from hyperlift.evaluation.depth_flips import (
    FLIP_DEG,
    STILL,
    SWAP_GAIN_M,
    Event,
    bone_turns,
    depth_flips,
    swapped_sides,
)
from hyperlift.motion.motion import Motion
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions
from hyperlift.rendering.pictures.skeleton_video import SourceVideo, pose_picture
from hyperlift.skeletons.joint_sets import H36M_17

RECORDINGS = ("sports2d_demo", "multiperson_cam01")
WITHIN_S = {"from one frame to the next": 0.0, "within 0.1 s": 0.1, "within 0.2 s": 0.2}
SAMPLES = 12


def check(motion: Motion, person: Person) -> tuple[list[object], list[Event], list[Event]]:
    """The cells of one person, its flips in depth and its swapped sides."""
    assert motion.intrinsics is not None
    K, seen = motion.intrinsics.K, person.valid & ~person.bridged
    sight = person.joints_m, person.keypoints_px, seen
    flips = {name: depth_flips(*sight, person.time_s, K, H36M_17, within) for name, within in WITHIN_S.items()}
    swaps = swapped_sides(*sight, person.time_s, K, H36M_17)
    step = max(1, round(0.1 / float(np.median(np.diff(person.time_s)))))
    turns = np.nan_to_num(bone_turns(*sight, K, H36M_17.bones, step))
    row, bone = np.unravel_index(int(turns.argmax()), turns.shape)
    name = "-".join(H36M_17.joints[joint] for joint in H36M_17.bones[bone])
    most = f"{turns.max():.0f}° ({name}, frame {person.frame[row]})"
    return [len(person.frame), *map(len, flips.values()), most, len(swaps)], flips["within 0.1 s"], swaps


def real_videos(
    wild: Path,
    *,
    onnx: Annotated[str, "a lifter; its name or file"] = "small",
    sheets: Annotated[Path | None, "folder that gets contact sheets"] = None,
) -> Report:
    lifter = Lifter(onnx, threads=1)
    rows, notes = [], []
    for name in RECORDINGS:
        motion = lifter.lift(wild / f"{name}.alphapose.json", video=wild / f"{name}.mp4", options=LiftOptions())
        shown: set[int] = set()
        for person in motion.people:
            cells, flips, swaps = check(motion, person)
            rows.append([f"`{name}` p{person.id}", *cells])
            for kind, events, amount in (("flip in depth", flips, "{:.0f} °"), ("swapped sides", swaps, "{:.2f} m")):
                for event in events:
                    first, last = int(person.frame[event.first]), int(person.frame[event.last])
                    what = f"{kind}: {event.what}, frames {first}–{last}, {amount.format(event.amount)}"
                    notes.append(f"- `{name}` p{person.id}, {what}")
                    shown |= {first, (first + last) // 2, last}
        everywhere = np.linspace(0, motion.frames - 1, SAMPLES).round().astype(int).tolist()
        for kind, frames in (("samples", everywhere), ("events", sorted(shown)[:24])):
            if sheets is not None and frames:
                sheets.mkdir(parents=True, exist_ok=True)
                draw(sheets / f"{name}_{kind}.png", motion, frames)
    turns = [f"turns of more than {FLIP_DEG:.0f}° {within}" for within in WITHIN_S]
    yield table(["recording, person", "frames", *turns, "largest in 0.1 s", "sides swapped"], rows)
    yield (
        f"A turn counts where the 2D bone changed by less than {100 * STILL:.0f} % of the bone's length. Sides are "
        "swapped where a pair of joints, projected, fits the keypoints better with left and right exchanged, "
        f"by {100 * SWAP_GAIN_M:.0f} cm or more. Only joints that were seen count. Events (of the turns, those within "
        "0.1 s):"
    )
    yield "\n".join(notes) or "No event."


def draw(path: Path, motion: Motion, frames: list[int]) -> None:
    of = motion.recorded
    assert of is not None
    recording = SourceVideo(width=of.width, height=of.height, fps=of.fps, file=of.video, facts=of.facts)
    pose_picture(path, motion.people, recording, frames, columns=3, picture_height=400)


if __name__ == "__main__":
    run(real_videos)
