"""Networks, checkpoints and attention maps."""
