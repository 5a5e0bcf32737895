"""People and their 2D joints in the pictures of a video."""
