"""Environment of a run (versions, device, commit) and cost of its network."""

import copy
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import hyperlift
from hyperlift.models.hyperlifter.lifter import HyperLifter

_OPTIMISER_COPIES = 4
"""Tensors of the size of the weights in training: weights, gradients, and the two moments of AdamW."""


def environment(device: torch.device) -> dict[str, Any]:
    """Versions, device and commit, as written to ``config.json``."""
    return {
        "hyperlift": hyperlift.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(),
        "commit": git_commit(),
    }


def git_commit() -> str | None:
    """Commit of the code, with the suffix "+changes" for a modified tree; None outside a git checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


@dataclass(frozen=True)
class Cost:
    """Size and computational cost of a network."""

    parameters: int
    macs: int
    """Multiply–accumulate operations of the forward pass for one clip of maximum length."""
    training_bytes: int
    """Weights, gradients and optimiser state, without activations."""

    def __str__(self) -> str:
        return (
            f"{self.parameters / 1e6:.2f} M parameters, {self.macs / 1e9:.2f} GMACs a clip, "
            f"{self.training_bytes / 2**20:.0f} MiB for weights, gradients and optimiser"
        )


def cost_of(model: HyperLifter) -> Cost:
    """Count parameters and operations on the meta device of torch, which computes nothing."""
    parameters = sum(p.numel() for p in model.parameters())
    shadow = copy.deepcopy(model).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shadow(torch.empty(1, model.config.n_frames, len(model.skeleton), 3, device="meta"))
    return Cost(parameters, counter.get_total_flops() // 2, 4 * _OPTIMISER_COPIES * parameters)
