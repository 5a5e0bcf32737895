"""Networks and their checkpoints."""

from hyperlift.models.lifting.hypergraph import HypergraphConfig
from hyperlift.models.lifting.lifter import HyperLifter, ModelConfig

__all__ = ["HyperLifter", "HypergraphConfig", "ModelConfig"]
