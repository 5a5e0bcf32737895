"""From lifted poses to metres: cameras, body size, the path through space, gravity and the floor.

NumPy and SciPy, arrays in and arrays out. Camera axes: x right, y down, z forward; world axes: z up.
"""
