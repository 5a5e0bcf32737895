"""Several processes that train one network, as ``torchrun`` starts them."""

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
    """Which of how many processes this one is."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0


ALONE = Ranks()
"""The only process."""


@contextmanager
def process_group(device: str | None) -> Iterator[tuple[Ranks, torch.device]]:
    """Join the group that ``torchrun`` set up in the environment; without one, be the only process.

    Args:
        device: "cpu" or "cuda"; None takes a GPU where there is one. Every process takes the GPU of its local rank.

    Yields:
        The rank and the device of this process.

    Raises:
        InputError: a GPU was asked for and there is none, or more processes than GPUs.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if kind.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("`device` is cuda, and torch sees no GPU here; leave `device` out to train on the CPU")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE, torch.device(kind)
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
    """Add up numbers of all processes; every process gets the sums."""
    if ranks.world == 1:
        return dict(values)
    numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    dist.all_reduce(numbers)
    return dict(zip(values, numbers.tolist(), strict=True))


def average_gradients(parameters: Iterable[nn.Parameter], ranks: Ranks) -> None:
    """Give every process the mean of the gradients of all."""
    if ranks.world > 1:
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= ranks.world


def average_buffers(module: nn.Module, ranks: Ranks) -> None:
    """Give every process the mean of what the processes measured and keep in floating-point buffers."""
    if ranks.world > 1:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                dist.all_reduce(buffer)
                buffer /= ranks.world


def wait_for_all(ranks: Ranks) -> None:
    """Go on when every process has come here."""
    if ranks.world > 1:
        dist.barrier()
