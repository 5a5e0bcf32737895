"""Pictures, videos and pages of people and of training. ``rendering.pictures`` needs Matplotlib, ``page`` does not."""
