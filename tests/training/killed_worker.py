"""A run that kills itself with SIGKILL when half of a file of an epoch has been written.

Usage: killed_worker.py CONFIG RUN resume|weights EPOCH
"""

import os
import signal
import sys
from pathlib import Path

import torch

from hyperlift.cli import train
from hyperlift.models import checkpoint


def half_then_die(path: Path, whole: bytes) -> None:
    with path.open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def main(config: str, run: str, what: str, epoch: str) -> None:
    torch.set_num_threads(1)
    write, save_file = Path.write_bytes, checkpoint.save_file
    # A state is written before the first epoch, too.
    to_come = {"last.resume.pt": int(epoch) + 1, "last.safetensors": int(epoch)}

    def is_the_one(path: Path) -> bool:
        if path.name in to_come:
            to_come[path.name] -= 1
        return to_come.get(path.name) == 0

    def write_bytes(path: Path, content: bytes) -> int:
        if is_the_one(path):
            half_then_die(path, bytes(content))
        return write(path, content)

    def save_weights(weights, path, metadata) -> None:
        save_file(weights, path, metadata)
        if is_the_one(Path(path)):
            half_then_die(path, path.read_bytes())

    if what == "resume":
        Path.write_bytes = write_bytes
    else:
        checkpoint.save_file = save_weights
    train.main(["--config", config, "--checkpoint", run, "--no-progress"])


if __name__ == "__main__":
    main(*sys.argv[1:])
