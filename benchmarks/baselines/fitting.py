"""The training loop of benchmarks that compare networks: short, on the CPU, the weights a growing average."""

import time
from collections.abc import Callable

import torch
from torch import nn

from hyperlift.data.clips import BatchSampler
from hyperlift.losses import LossWeights, pose_loss
from hyperlift.skeletons import H36M_17


def fit(
    model: nn.Module, sampler: BatchSampler, steps: int, rate: Callable[[int], float], loss_weights: LossWeights
) -> tuple[nn.Module, float]:
    """Train, and return the average of the weights, ready to lift, with the seconds of processor time that it took.

    Args:
        model: is trained in place; its random weights come from the caller's seed.
        sampler: of the clips; its epochs follow one another until ``steps`` are done.
        steps: of the optimiser.
        rate: learning rate of a step, counted from 0.
        loss_weights: of ``pose_loss``.
    """
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01, fused=True)
    average = torch.optim.swa_utils.AveragedModel(model, avg_fn=_growing_average, use_buffers=True)
    started, step, epoch = time.process_time(), 0, 0
    while step < steps:
        for inputs, labels in sampler.epoch(epoch):
            if step == steps:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            loss, _ = pose_loss(model(torch.from_numpy(inputs)), torch.from_numpy(labels), loss_weights, H36M_17)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(model)
            step += 1
        epoch += 1
    return average.module.eval(), time.process_time() - started


def _growing_average(average: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """An exponential average whose memory is a fifth of the run so far, at most 500 steps."""
    return average + (new - average) * max(5.0 / (float(count) + 5.0), 0.002)
