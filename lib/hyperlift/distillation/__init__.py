"""A small network learns from a large one."""

from hyperlift.distillation.config import DistillationConfig
from hyperlift.distillation.step import DistillationStep

__all__ = ["DistillationConfig", "DistillationStep"]
