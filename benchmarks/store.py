"""Opening a clip store of Human3.6M's size and reading clips from it.

python benchmarks/store.py
"""

import resource
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from runner import Repetitions, Report, in_own_process, run, table
from timing import Seconds

from hyperlift.datasets.clip_store import ClipStore, StoreMeta, StoreWriter, Video
from hyperlift.datasets.slicing import clip_rows

VIDEOS, FRAMES = 600, 1300
"""Human3.6M's training split after down-sampling by two has 779,876 frames, here 780,000; twice that is all of it."""


def write_store(folder: Path, videos: int, seed: int | None = None, n_frames: int = 243) -> None:
    """A split of clips of the Human3.6M skeleton: zeros, or random joints where there is a seed."""
    meta = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=n_frames, stride=81, slicing="published", source="drawn")
    seen = label = np.zeros((FRAMES, 17, 3), np.float32)
    rng = np.random.default_rng(seed)
    with StoreWriter(folder, meta) as writer:
        for number in range(videos):
            if seed is not None:
                label = rng.normal(0, 0.3, (FRAMES, 17, 3)).astype(np.float32)
                seen = np.concatenate([label[..., :2], np.ones((FRAMES, 17, 1), np.float32)], -1)
            arrays = {"pose2d_norm": seen, "label_norm": label} | ({} if seed is None else {"joints_m": label + 4})
            video = Video(source=str(number), subject="1", action="a", frames=FRAMES, width=1000, height=1000)
            writer.add_video(video, arrays)
        writer.finish(clip_rows([(v.first, v.frames) for v in writer.videos], n_frames, 81, "published"))


def measure(folder: Path, repetitions: int) -> tuple[float, float, float]:
    """Milliseconds of opening, MiB that it takes, and milliseconds of reading a thousand clips."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opening, reading = Seconds(), Seconds()
    for _ in range(repetitions):
        with opening.counted():
            store = ClipStore(folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    store = ClipStore(folder)
    with reading.counted():
        for clip in np.random.default_rng(0).permutation(len(store))[:1000].tolist():
            store.clip(clip).sum()
    return 1e3 * opening.wall, grown / 1024, 1e3 * reading.wall


def store(*, repetitions: Repetitions = 7, videos: int = VIDEOS) -> Report:
    rows = []
    for number in (videos, 2 * videos):
        with TemporaryDirectory() as folder:
            write_store(Path(folder), number)
            rows.append((number * FRAMES, *in_own_process(measure, Path(folder), repetitions)))
    columns = ("memory that opening takes {:.1f} MiB", "read 1,000 clips of 243 {:.0f} ms")
    yield table(["frames {:,}", f"open, median of {repetitions} {{:.1f}} ms", *columns], rows)
    yield "Files in the page cache."


if __name__ == "__main__":
    run(store, repetitions=1, videos=20)
