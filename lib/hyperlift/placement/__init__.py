"""Lifted poses to metres: lens, body size, root path, gravity and floor."""
