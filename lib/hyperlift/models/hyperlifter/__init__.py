"""HyperLift's own network, composed of input features, frame lifter, joint-time transformer and temporal filter."""
