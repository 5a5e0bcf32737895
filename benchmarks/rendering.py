"""Frames a second of the rendered video, its parts measured alone, and the share of the arithmetic limit.

python benchmarks/rendering.py

A video of 1280 x 720 with two walking people is invented, then rendered: decode, draw and encode run side by side on
the cores that the process may use. The limit is what the parts would allow if they overlapped without a gap: cores
divided by the processor seconds that all of them take for a frame.
"""

import tempfile
from pathlib import Path

import numpy as np
from people import camera_before, walkers
from runner import Repetitions, Report, cores, counted, run, table
from timing import interleaved

from hyperlift.rendering.pictures.skeleton_picture import SkeletonCanvas
from hyperlift.rendering.pictures.skeleton_video import SourceVideo, write_skeleton_video
from hyperlift.rendering.staging import stage_people
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.reading import read_frames
from hyperlift.video.writing import write_mp4

WIDTH, HEIGHT, FPS = 1280, 720, 60.0
WHOLE = "all, side by side"


def write_scene(path: Path, frames: int) -> None:
    """A textured picture that a shaking camera pans over, with noise: about as hard to code as a phone's video."""
    rng = np.random.default_rng(0)
    ground = rng.normal(128, 60, (HEIGHT // 8 + 20, WIDTH // 8 + 20, 3)).clip(0, 255).repeat(8, 0).repeat(8, 1)
    for axis in (0, 1):
        ground = np.apply_along_axis(lambda row: np.convolve(row, np.ones(9) / 9, mode="same"), axis, ground)
    noise = rng.normal(0, 3, (8, HEIGHT, WIDTH, 1))
    with write_mp4(path, WIDTH, HEIGHT, FPS) as video:
        for index in range(frames):
            x, y = 20 + index // 6, 20 + round(8 * np.sin(index / 20))
            video.add((ground[y : y + HEIGHT, x : x + WIDTH] + noise[index % 8]).clip(0, 255).astype(np.uint8))


def rendering(*, repetitions: Repetitions = 7, frames: int = 240) -> Report:
    people = walkers(2, frames, FPS, camera_before(5.0, WIDTH, HEIGHT))
    with tempfile.TemporaryDirectory() as folder:
        video, out = Path(folder) / "video.mp4", Path(folder) / "out.mp4"
        write_scene(video, frames)
        recording = SourceVideo(width=WIDTH, height=HEIGHT, fps=FPS, file=video)
        canvas = SkeletonCanvas(stage_people(people, H36M_17), WIDTH, HEIGHT, FPS)

        def decode() -> list[np.ndarray]:
            every = 12
            return [f.rgb for f in read_frames(video, canvas.video_shown, pixels="rgba") if f.index % every == 0]

        below = decode()
        drawn = [canvas.paint(12 * i, picture).copy() for i, picture in enumerate(below)]

        def encode() -> None:
            with write_mp4(out, canvas.width, canvas.height, FPS) as writer:
                for index in range(frames):
                    writer.add(drawn[index // 12])

        parts = {
            "decode and scale": decode,
            "draw": lambda: [canvas.paint(index, below[index // 12]) for index in range(frames)],
            "encode": encode,
            WHOLE: lambda: write_skeleton_video(out, people, recording),
        }
        spent = interleaved(parts, repetitions)
    whole = spent[WHOLE]
    limit = cores() * frames / whole.processor
    rows: list[tuple] = [
        (name, frames / seconds.wall, 1e3 * seconds.processor / frames) for name, seconds in spent.items()
    ]
    rows.append((f"arithmetic limit: {counted(cores(), 'core')}, no gap", limit, None))
    yield table(["part", "frames a second alone {:.0f}", "processor ms a frame {:.1f}"], rows)
    best = int(np.argmin(whole.walls))
    yield (
        f"{100 * frames / whole.wall / limit:.0f} % of the limit: {whole.processor / whole.wall:.1f} of {cores()} "
        "cores were busy with it, the rest waited or had other work of the machine. The best run: "
        f"{frames / whole.walls[best]:.0f} frames a second on {whole.processors[best] / whole.walls[best]:.1f} cores. "
        f"Video of {WIDTH} × {HEIGHT} at {FPS:g} frames a second, two people; pictures of {canvas.width} × "
        f"{canvas.height}. Medians of {repetitions} runs of {frames} frames."
    )


if __name__ == "__main__":
    run(rendering, repetitions=1, frames=24)
