"""What configs/data/mocap_wild.yaml makes of recorded motion: who is seen how often, by which cameras, how.

python benchmarks/wild_recipe.py MOCAP_ARRAYS [--views 300]
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from report import PAGE, write_section

from hyperlift.config import load_config
from hyperlift.data.body_shapes import draw_proportions, with_proportions
from hyperlift.data.mocap_store import MocapStoreConfig, views_each
from hyperlift.data.motion.mocap_arrays import read_mocap_arrays
from hyperlift.data.variation import vary_motion
from hyperlift.data.virtual_cameras import draw_view
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.geometry.cameras import Camera, MovingCamera, project
from hyperlift.skeletons import H36M_17

CONFIG = PAGE.parents[1] / "configs" / "data" / "mocap_wild.yaml"
PERCENTILES = (1, 25, 50, 75, 99)
HIPS = H36M_17.indices(("RHip", "LHip"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arrays", type=Path)
    parser.add_argument("--views", type=int, default=300)
    args = parser.parse_args()
    config = load_config(CONFIG, MocapStoreConfig)
    recordings = list(read_mocap_arrays(args.arrays, "train"))
    counts = np.array(views_each(recordings, config))
    view_s = config.view_frames / config.fps
    recorded: defaultdict[str, float] = defaultdict(float)
    filmed: defaultdict[str, float] = defaultdict(float)
    for recording, count in zip(recordings, counts, strict=True):
        recorded[recording.group] += recording.seconds
        filmed[recording.group] += count * view_s
    lines = ["| motion | recorded | of the recorded time | of the clips |", "|---|---|---|---|"]
    for group, seconds in sorted(recorded.items(), key=lambda item: -item[1]):
        parts = (100 * seconds / sum(recorded.values()), 100 * filmed[group] / sum(filmed.values()))
        lines.append(f"| {group} | {seconds:.0f} s | {parts[0]:.1f} % | {parts[1]:.1f} % |")

    rng = np.random.default_rng(0)
    measured: dict[str, list[float]] = {}
    shares = Counter[str]()
    donors = sorted(recordings, key=lambda recording: recording.name)
    views = 0
    for number in rng.choice(len(recordings), size=args.views, p=counts / counts.sum()):
        joints_m = vary_motion(recordings[number], donors, config.view_frames, config.fps, config.variation, rng)
        factors = draw_proportions(H36M_17, config.proportions, rng, config.hip_width, config.shoulder_width)
        joints_m = with_proportions(joints_m, factors, H36M_17)
        wide = bool(rng.uniform() < config.wide_share)
        camera = draw_view(
            joints_m, config.fps, config.wide_cameras if wide and config.wide_cameras else config.cameras, rng
        )
        if camera is None:
            continue
        views += 1
        kind = "wide cameras" if wide else "usual cameras"
        for what, value in facts(joints_m, camera, config.fps).items():
            measured.setdefault(f"{what} | {kind}", []).append(value)
        portrait = (
            "portrait" if camera.height > camera.width else "square" if camera.height > 0.95 * camera.width else ""
        )
        shares[portrait or "landscape"] += 1
        shares["moving camera"] += isinstance(camera, MovingCamera)
        shares["wide cameras"] += wide
    lines += [
        "",
        f"| | cameras | {' | '.join(f'{p} %' for p in PERCENTILES)} |",
        "|---|---|" + "---|" * len(PERCENTILES),
    ]
    for what, values in sorted(measured.items()):
        cells = " | ".join(f"{value:.2f}" for value in np.percentile(values, PERCENTILES))
        lines.append(f"| {what} | {cells} |")
    parts = ", ".join(f"{name} {100 * count / views:.0f} %" for name, count in shares.most_common())
    lines += ["", f"Of {views} views: {parts}."]
    table = "\n".join(lines)
    print(table)
    write_section("wild_recipe", table)


def facts(joints_m: np.ndarray, camera: Camera | MovingCamera, fps: float) -> dict[str, float]:
    """What can be said of one view in numbers; angles in degrees."""
    rotations = np.broadcast_to(camera.R, (len(joints_m), 3, 3))
    right, forward = rotations[:, 0], rotations[:, 2]
    seen_m = camera.to_camera(joints_m)
    points_px = project(seen_m, camera.K)
    size = np.array([camera.width, camera.height])
    outside = ((points_px < 0) | (points_px > size)).any(-1)
    middle = np.abs(points_px.mean((0, 1)) - size / 2) / size.max() * 2
    across = seen_m[:, HIPS[1]] - seen_m[:, HIPS[0]]
    turned = np.degrees(np.arctan2(across[0, 2], across[0, 0]))
    lengths_m = bone_lengths(joints_m[:1], H36M_17)[0]
    steps = np.clip((np.einsum("fab,fab->f", rotations[1:], rotations[:-1]) - 1) / 2, -1, 1)
    return {
        "field of view, longer side, °": float(np.degrees(2 * np.arctan(size.max() / 2 / camera.K[0, 0]))),
        "distance of the pelvis, m": float(np.linalg.norm(seen_m[:, H36M_17.root], axis=-1).mean()),
        "looking down by, °": float(np.degrees(np.arcsin(-forward[:, 2])).mean()),
        "roll, °": float(np.degrees(np.arcsin(right[:, 2] / np.linalg.norm(forward[:, :2], axis=-1))).mean()),
        "turning of the camera, °/s": float(np.degrees(np.arccos(steps)).mean() * fps),
        "middle of the person from the picture's, half sides": float(middle.max()),
        "joints outside the picture, %": 100 * float(outside.mean()),
        "direction of the hips to the camera, °": float(turned),
        "size of the body, 1 = standard": float(lengths_m.sum() / REFERENCE_BONE_SUM_M),
        "hips from the middle, cm": 50 * float(np.linalg.norm(joints_m[0, HIPS[1]] - joints_m[0, HIPS[0]])),
    }


if __name__ == "__main__":
    main()
