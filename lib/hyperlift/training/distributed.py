"""Training of one network in several processes, started by ``torchrun``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from hyperlift.errors import InputError


@dataclass(frozen=True)
class Ranks:
    """Rank of this process, and the number of processes."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0


SINGLE_PROCESS = Ranks()
"""Training in one process."""


@contextmanager
def process_group(device: str | None) -> Iterator[tuple[Ranks, torch.device]]:
    """Join the process group that ``torchrun`` configures in the environment; without one, use a single process.

    Args:
        device: "cpu" or "cuda"; None: a GPU if available. Each process uses the GPU of its local rank.

    Yields:
        The rank and the device of this process.

    Raises:
        InputError: there is no GPU although ``device`` is "cuda", or there are more processes than GPUs.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if kind.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("`device` is cuda, and torch sees no GPU here; leave `device` out to train on the CPU")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield SINGLE_PROCESS, torch.device(kind)
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if kind == "cuda":
        if local >= torch.cuda.device_count():
            raise InputError(
                f"process {local} has no GPU of its own; start at most {torch.cuda.device_count()} a machine"
            )
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), world), torch.device(f"cuda:{local}" if kind == "cuda" else "cpu")
    finally:
        dist.destroy_process_group()


def sum_over_ranks(values: Mapping[str, float], ranks: Ranks, device: torch.device) -> dict[str, float]:
    """Sum numbers over all processes; every process gets the sums."""
    if ranks.world == 1:
        return dict(values)
    numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    dist.all_reduce(numbers)
    return dict(zip(values, numbers.tolist(), strict=True))


def average_gradients(parameters: Iterable[nn.Parameter], ranks: Ranks) -> None:
    """Average gradients over all processes."""
    if ranks.world > 1:
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= ranks.world


def average_buffers(module: nn.Module, ranks: Ranks) -> None:
    """Average floating-point buffers over all processes."""
    if ranks.world > 1:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                dist.all_reduce(buffer)
                buffer /= ranks.world


def wait_for_all(ranks: Ranks) -> None:
    """Wait until all processes have called this function."""
    if ranks.world > 1:
        dist.barrier()
