"""Frames a second of the rendered video, its parts measured alone, and the share of the arithmetic limit.

python benchmarks/rendering.py

A video of 1280 x 720 with two walking people is invented, then rendered: decode, draw and encode run side by side on
the cores that the process may use. The limit is what the parts would allow if they overlapped without a gap: cores
divided by the processor seconds that all of them take for a frame.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.skeletons import H36M_17
from hyperlift.video.reading import read_frames
from hyperlift.video.writing import write_mp4
from hyperlift.visualization.skeleton_picture import SkeletonCanvas
from hyperlift.visualization.skeleton_video import Recording, write_skeleton_video
from hyperlift.visualization.stage import Places, stage_people
from hyperlift.wild.keypoints import LiftedPerson

WIDTH, HEIGHT, FPS, FRAMES = 1280, 720, 60.0, 240
REPETITIONS = 7
_BODY_M = {
    "Pelvis": (0, 0, 0.92),
    "RHip": (-0.13, 0, 0.92),
    "RKnee": (-0.14, 0.02, 0.5),
    "RAnkle": (-0.15, 0, 0.08),
    "LHip": (0.13, 0, 0.92),
    "LKnee": (0.14, 0.02, 0.5),
    "LAnkle": (0.15, 0, 0.08),
    "Spine": (0, 0, 1.15),
    "Thorax": (0, 0, 1.4),
    "Nose": (0, -0.06, 1.55),
    "Head": (0, 0, 1.7),
    "LShoulder": (0.18, 0, 1.38),
    "LElbow": (0.22, 0.02, 1.1),
    "LWrist": (0.25, -0.05, 0.85),
    "RShoulder": (-0.18, 0, 1.38),
    "RElbow": (-0.22, 0.02, 1.1),
    "RWrist": (-0.25, -0.05, 0.85),
}

_SWING = {"RAnkle": 1.0, "LAnkle": -1.0, "RKnee": 0.5, "LKnee": -0.5, "RWrist": -1.0, "LWrist": 1.0}


def walking_people() -> tuple[list[LiftedPerson], Places]:
    """Two people who cross in front of a level camera 1.2 m high."""
    time_s = np.arange(FRAMES) / FPS
    body = np.array([_BODY_M[joint] for joint in H36M_17.joints])
    people, world = [], {}
    for number, (start, speed, away) in enumerate(((-2.0, 0.7, 4.5), (2.2, -0.6, 6.0))):
        joints_m = np.repeat(body[None], FRAMES, axis=0)
        swing = 0.25 * np.sin(2 * np.pi * 0.9 * time_s)
        for joint, share in _SWING.items():
            joints_m[:, H36M_17.index(joint), 0] += share * swing
        joints_m += np.stack([start + speed * time_s, np.full(FRAMES, away), 0 * time_s], axis=-1)[:, None]
        focal_px = 1100.0
        depth = joints_m[..., 1]
        keypoints = np.stack(
            [
                WIDTH / 2 + focal_px * joints_m[..., 0] / depth,
                HEIGHT / 2 - focal_px * (joints_m[..., 2] - 1.2) / depth,
                np.ones_like(depth),
            ],
            axis=-1,
        )
        pose = np.stack([joints_m[..., 0], -joints_m[..., 2], depth], axis=-1)
        pose -= pose[:, H36M_17.root, None]
        valid = np.ones(joints_m.shape[:2], bool)
        people.append(LiftedPerson(number, np.arange(FRAMES), time_s, pose, valid, keypoints))
        world[number] = joints_m
    return people, Places(joints_m=world, axes="world")


def write_scene(path: Path) -> None:
    """A textured picture that a shaking camera pans over, with noise: about as hard to code as a phone's video."""
    rng = np.random.default_rng(0)
    ground = rng.normal(128, 60, (HEIGHT // 8 + 20, WIDTH // 8 + 20, 3)).clip(0, 255).repeat(8, 0).repeat(8, 1)
    for axis in (0, 1):
        kernel = np.ones(9) / 9
        ground = np.apply_along_axis(lambda row, k=kernel: np.convolve(row, k, mode="same"), axis, ground)
    noise = rng.normal(0, 3, (8, HEIGHT, WIDTH, 1))
    with write_mp4(path, WIDTH, HEIGHT, FPS) as video:
        for index in range(FRAMES):
            x, y = 20 + index // 6, 20 + round(8 * np.sin(index / 20))
            video.add((ground[y : y + HEIGHT, x : x + WIDTH] + noise[index % 8]).clip(0, 255).astype(np.uint8))


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds a frame."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) / FRAMES, (time.process_time() - cpu) / FRAMES


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    people, places = walking_people()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        video, out = Path(folder) / "video.mp4", Path(folder) / "out.mp4"
        write_scene(video)
        recording = Recording(width=WIDTH, height=HEIGHT, fps=FPS, file=video)
        canvas = SkeletonCanvas(stage_people(people, places), WIDTH, HEIGHT, FPS, placed=True)
        below = [frame.rgb for frame in read_frames(video, canvas.video_shown, pixels="rgba")][::12]
        drawn = [canvas.paint(12 * i, picture).copy() for i, picture in enumerate(below)]

        def encode() -> None:
            with write_mp4(out, canvas.width, canvas.height, FPS) as writer:
                for index in range(FRAMES):
                    writer.add(drawn[index // 12])

        def decode() -> None:
            for _ in read_frames(video, canvas.video_shown, pixels="rgba"):
                pass

        def draw() -> None:
            for index in range(FRAMES):
                canvas.paint(index, below[index // 12])

        parts = {"decode and scale": decode, "draw": draw, "encode": encode}
        whole = "all, side by side"
        parts[whole] = lambda: write_skeleton_video(out, people, recording, places=places)
        runs = {name: [spent(work) for _ in range(REPETITIONS)] for name, work in parts.items()}
    wall = {name: float(np.median([run[0] for run in times])) for name, times in runs.items()}
    cpu = {name: float(np.median([run[1] for run in times])) for name, times in runs.items()}
    limit, best = cores / cpu[whole], min(runs[whole])
    table = "\n".join(
        [
            "| part | frames a second alone | processor ms a frame |",
            "|---|---|---|",
            *(f"| {name} | {1 / wall[name]:.0f} | {1e3 * cpu[name]:.1f} |" for name in parts),
            f"| arithmetic limit: {cores} cores, no gap | {limit:.0f} | |",
            "",
            f"{100 / wall[whole] / limit:.0f} % of the limit: {cpu[whole] / wall[whole]:.1f} of {cores} cores were "
            "busy with it, the rest waited or had other work of the machine. The best run: "
            f"{1 / best[0]:.0f} frames a second on {best[1] / best[0]:.1f} cores. Video of {WIDTH} × {HEIGHT} at "
            f"{FPS:g} frames a second, two people; pictures of {canvas.width} × {canvas.height}. Medians of "
            f"{REPETITIONS} runs of {FRAMES} frames on {machine()}.",
        ]
    )
    print(table)
    write_section("rendering", table)


if __name__ == "__main__":
    main()
