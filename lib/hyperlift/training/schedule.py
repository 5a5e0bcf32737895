"""The learning rate as a function of the step."""

import math

from hyperlift.training.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Learning rate of one step, counted from 0 over the whole run."""
    warmup = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "exponential":
        return config.lr * warmup * config.lr_decay ** (step // steps_per_epoch)
    progress = step / (config.epochs * steps_per_epoch)
    return config.lr * warmup * 0.5 * (1.0 + math.cos(math.pi * progress))
