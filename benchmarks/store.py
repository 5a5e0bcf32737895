"""Opening a clip store of Human3.6M's size and reading clips from it.

python benchmarks/store.py
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from report import machine, write_section

from hyperlift.data.slicing import clip_rows
from hyperlift.data.store import ClipStore, StoreMeta, StoreWriter, Video

VIDEOS, FRAMES = 600, 1300
"""Human3.6M's training split after down-sampling by two has 779,876 frames, here 780,000; twice that is all of it."""
REPETITIONS = 7


def write(folder: Path, videos: int) -> None:
    meta = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=243, stride=81, slicing="published", source="zeros")
    zeros = np.zeros((FRAMES, 17, 3), np.float32)
    with StoreWriter(folder, meta) as writer:
        for number in range(videos):
            video = Video(source=str(number), subject="1", action="a", frames=FRAMES, width=1000, height=1000)
            writer.add_video(video, {"pose2d_norm": zeros, "label_norm": zeros})
        writer.finish(clip_rows([(v.first, v.frames) for v in writer.videos], 243, 81, "published"))


def measure(folder: Path) -> None:
    """In a process of its own: what opening costs in time and memory, then a thousand clips."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times, store = [], None
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        store = ClipStore(folder)
        times.append(time.perf_counter() - started)
    assert store is not None
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    order = np.random.default_rng(0).permutation(len(store))[:1000]
    started = time.perf_counter()
    for clip in order:
        store.clip(int(clip)).sum()
    reading = time.perf_counter() - started
    print(1e3 * float(np.median(times)), grown / 1024, 1e3 * reading)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure)
        return
    lines = [
        "| frames | open, median of 7 | memory that opening takes | read 1,000 clips of 243 |",
        "|---|---|---|---|",
    ]
    for times in (1, 2):
        with TemporaryDirectory() as folder:
            write(Path(folder), times * VIDEOS)
            command = [sys.executable, __file__, "--measure", folder]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            opened, grown, reading = (float(value) for value in result.stdout.split())
        lines.append(f"| {times * VIDEOS * FRAMES:,} | {opened:.1f} ms | {grown:.1f} MiB | {reading:.0f} ms |")
    table = "\n".join([*lines, "", f"Measured on {machine()}, files in the page cache."])
    print(table)
    write_section("store", table)


if __name__ == "__main__":
    main()
