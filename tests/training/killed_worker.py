"""A run that kills itself with SIGKILL when half of a file of an epoch has been written.

Usage: killed_worker.py CONFIG RUN resume|weights EPOCH
"""

import os
import signal
import sys
from pathlib import Path

import torch

from hyperlift.cli.main import run as hyperlift


def half_then_die(path: Path, whole: bytes) -> None:
    with path.open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def main(config: str, run: str, what: str, epoch: str) -> None:
    torch.set_num_threads(1)
    write = Path.write_bytes
    # A state is written before the first epoch, too.
    name, to_come = ("last.resume.pt", int(epoch) + 1) if what == "resume" else ("last.safetensors", int(epoch))

    def write_bytes(path: Path, content: bytes) -> int:
        nonlocal to_come
        to_come -= path.name == name
        if path.name == name and to_come == 0:
            half_then_die(path, bytes(content))
        return write(path, content)

    Path.write_bytes = write_bytes
    hyperlift("train", ["--config", config, "--checkpoint", run, "--no-progress"])


if __name__ == "__main__":
    main(*sys.argv[1:])
