"""Networks and their checkpoints."""

from hyperlift.models.lifting.lifter import HyperLifter, HypergraphConfig, ModelConfig

__all__ = ["HyperLifter", "HypergraphConfig", "ModelConfig"]
