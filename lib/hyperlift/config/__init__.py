"""Strict YAML to dataclass loading, nothing else."""

from hyperlift.config.loader import from_mapping, load_config, load_yaml, to_mapping

__all__ = ["from_mapping", "load_config", "load_yaml", "to_mapping"]
