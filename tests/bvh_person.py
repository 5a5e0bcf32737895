"""A person of twenty joints as a BVH file, for the readers of motion."""

import numpy as np

# A person facing +z with y up: joint, parent, place in metres.
PERSON = [
    ("Hips", None, (0.0, 0.95, 0.0)),
    ("Spine", "Hips", (0.0, 1.1, 0.0)),
    ("Neck", "Spine", (0.0, 1.45, 0.0)),
    ("Head", "Neck", (0.0, 1.55, 0.02)),
    *((f"{side}Shoulder", "Spine", (x * 0.05, 1.42, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}Arm", f"{side}Shoulder", (x * 0.18, 1.43, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}ForeArm", f"{side}Arm", (x * 0.46, 1.43, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}Hand", f"{side}ForeArm", (x * 0.72, 1.43, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}UpLeg", "Hips", (x * 0.1, 0.92, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}Leg", f"{side}UpLeg", (x * 0.1, 0.5, 0.01)) for side, x in (("Left", 1), ("Right", -1))),
    *((f"{side}Foot", f"{side}Leg", (x * 0.1, 0.08, 0.0)) for side, x in (("Left", 1), ("Right", -1))),
]
CROWN = (0.0, 0.2, 0.0)
UPRIGHT = np.eye(3)


def write_person(path, euler_deg, order="ZXY", scale=1.0, turn=UPRIGHT, rename=lambda name: name):
    """Write PERSON as BVH text. euler_deg: joint name to [frames, 3] angles in ``order``."""
    place = {name: np.array(xyz) for name, _, xyz in PERSON}
    frames = len(next(iter(euler_deg.values())))
    lines, channel_names = ["HIERARCHY"], []

    def write(name, parent, depth):
        pad = "  " * depth
        offset = scale * (turn @ (place[name] - place[parent])) if parent else np.zeros(3)
        positions = "" if parent else "Xposition Yposition Zposition "
        lines.extend([f"{pad}{'JOINT' if parent else 'ROOT'} {rename(name)}", pad + "{"])
        lines.append(f"{pad}  OFFSET {' '.join(f'{v:.8f}' for v in offset)}")
        rotations = " ".join(f"{axis}rotation" for axis in order)
        lines.append(f"{pad}  CHANNELS {3 if parent else 6} {positions}{rotations}")
        channel_names.append(name)
        for child, of, _ in PERSON:
            if of == name:
                write(child, name, depth + 1)
        if all(of != name for _, of, _ in PERSON):
            end = scale * (turn @ np.array(CROWN if name == "Head" else (0.0, -0.05, 0.1)))
            lines.extend([f"{pad}  End Site", pad + "  {"])
            lines.extend([f"{pad}    OFFSET {' '.join(f'{v:.8f}' for v in end)}", pad + "  }"])
        lines.append(pad + "}")

    write("Hips", None, 0)
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.02"]
    root = scale * (turn @ place["Hips"])
    for frame in range(frames):
        values = [*root]
        for name in channel_names:
            values += list(euler_deg[name][frame])
        lines.append(" ".join(f"{value:.8f}" for value in values))
    path.write_text("\n".join(lines) + "\n")


def random_angles(frames=4, spread=25.0, seed=4):
    generator = np.random.default_rng(seed)
    return {name: generator.uniform(-spread, spread, (frames, 3)) for name, _, _ in PERSON}
