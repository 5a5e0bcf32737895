"""Training: configuration, losses, loop, validation, logs."""
