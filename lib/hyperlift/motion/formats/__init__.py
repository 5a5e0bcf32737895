"""Files of 3D motion, one module a format."""
