"""Reading a pickle of Human3.6M's size: HyperLift's own reader beside Python's unpickler.

python benchmarks/pickles.py

Python's unpickler stands here with a list of allowed names, as HyperLift had it before; it reads nothing but the file
that this program has just written.
"""

import pickle
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from runner import Repetitions, in_own_process, run, table

from hyperlift.safe_io.pickles import load_pickle

FRAMES = 2_100_000
TRAIN = 0.74
"""Of the frames; the test split holds the rest."""
FILES = {"a text a frame, protocol 4": (4, False), "the same text shared": (4, True), "protocol 2": (2, False)}


def split(frames: int, test: bool, shared: bool) -> dict[str, Any]:
    pose = np.random.default_rng(frames).random((frames, 17, 3), dtype=np.float32)

    def texts(form: str, kinds: int) -> list[str]:
        known = [form % number for number in range(kinds)]
        return [known[i % kinds] if shared else form % (i % kinds) for i in range(frames)]

    content = {"joint_2d": pose[..., :2].copy(), "confidence": pose[..., :1].copy(), "joint3d_image": pose}
    content |= {"camera_name": texts("5413896%d", 4), "source": texts("s_%02d_act_02_subact_01_ca_01", 10)}
    if test:
        content |= {"joints_2.5d_image": pose.copy(), "2.5d_factor": pose[:, 0, 0].copy()}
        content |= {"action": texts("Sitting%d", 3)}
    return content


def write(path: Path, frames: int, protocol: int, shared: bool) -> None:
    train = int(TRAIN * frames)
    content = {"train": split(train, False, shared), "test": split(frames - train, True, shared)}
    with path.open("wb") as file:
        pickle.dump(content, file, protocol)


class Unpickler(pickle.Unpickler):
    """Python's, for names of NumPy alone."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("numpy", "_codecs"):
            raise pickle.UnpicklingError(name)
        return super().find_class(module, name)


def unpickle(path: Path) -> Any:
    with path.open("rb") as file:
        return Unpickler(file, encoding="latin1").load()


def measure(read: Callable[[Path], Any], path: Path) -> tuple[float, float]:
    """Seconds of computing and MiB of one reading."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    content = read(path)
    seconds = time.process_time() - started
    assert set(content) == {"train", "test"}
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def pickles(*, repetitions: Repetitions = 3, frames: int = FRAMES) -> Iterator[str]:
    rows = []
    for name, (protocol, shared) in FILES.items():
        with TemporaryDirectory() as folder:
            path = Path(folder) / "h36m.pkl"
            in_own_process(write, path, frames, protocol, shared)
            old, new = (
                np.median([in_own_process(measure, read, path) for _ in range(repetitions)], axis=0)
                for read in (unpickle, load_pickle)
            )
        rows.append((name, *old, *new, *(new / old)))
    columns = ("{:.2f} s", "{:,.0f} MiB")
    titles = [f"{who} {form}" for who in ("Python's unpickler", "HyperLift's reader") for form in columns]
    yield table(["file", *titles, "time {:.2f} ×", "memory {:.2f} ×"], rows)
    yield f"{frames:,} frames; medians of {repetitions}; seconds of computing."


if __name__ == "__main__":
    run(pickles, repetitions=1, frames=20_000)
