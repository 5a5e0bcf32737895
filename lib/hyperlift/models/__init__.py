"""Networks and their checkpoints."""

from hyperlift.models.lifting.lifter import HypergraphConfig, HyperLifter, ModelConfig

__all__ = ["HyperLifter", "HypergraphConfig", "ModelConfig"]
