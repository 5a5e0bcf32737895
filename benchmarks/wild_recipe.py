"""What configs/data/mocap_wild.yaml makes of recorded motion: who is seen how often, by which cameras, how.

python benchmarks/wild_recipe.py MOCAP_ARRAYS [--views 300]
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from runner import ROOT, Report, run, table

from hyperlift.config.loader import load_config
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.geometry.cameras import Camera, project
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.augmentation.body_shapes import draw_proportions, with_proportions
from hyperlift.mocap.augmentation.motion_variation import vary_motion
from hyperlift.mocap.mocap_clips import MocapStoreConfig, views_each
from hyperlift.mocap.recording import Recording
from hyperlift.mocap.virtual_cameras import draw_view
from hyperlift.skeletons.joint_sets import H36M_17

CONFIG = ROOT / "configs" / "data" / "mocap_wild.yaml"
PERCENTILES = (1, 25, 50, 75, 99)
HIPS = H36M_17.indices(("RHip", "LHip"))


def time_rows(recordings: list[Recording], counts: np.ndarray) -> Iterator[tuple[str, float, float, float]]:
    """A row a group: recorded seconds, share of the recorded time, share of the views."""
    recorded, filmed = defaultdict[str, float](float), Counter[str]()
    for recording, count in zip(recordings, counts.tolist(), strict=True):
        recorded[recording.group] += recording.seconds
        filmed[recording.group] += count
    for group, seconds in sorted(recorded.items(), key=lambda item: -item[1]):
        yield group, seconds, 100 * seconds / sum(recorded.values()), 100 * filmed[group] / filmed.total()


def facts(joints_m: np.ndarray, camera: Camera, fps: float) -> dict[str, float]:
    """What can be said of one view in numbers; angles in degrees."""
    rotations = np.broadcast_to(camera.R, (len(joints_m), 3, 3))
    right, forward = rotations[:, 0], rotations[:, 2]
    seen_m, size = camera.to_camera(joints_m), np.array([camera.width, camera.height])
    points_px = project(seen_m, camera.K)
    across = seen_m[0, HIPS[1]] - seen_m[0, HIPS[0]]
    steps = np.clip((np.einsum("fab,fab->f", rotations[1:], rotations[:-1]) - 1) / 2, -1, 1)
    found = {
        "field of view, longer side, °": np.degrees(2 * np.arctan(size.max() / 2 / camera.K[0, 0])),
        "distance of the pelvis, m": np.linalg.norm(seen_m[:, H36M_17.root], axis=-1).mean(),
        "looking down by, °": np.degrees(np.arcsin(-forward[:, 2])).mean(),
        "roll, °": np.degrees(np.arcsin(right[:, 2] / np.linalg.norm(forward[:, :2], axis=-1))).mean(),
        "turning of the camera, °/s": np.degrees(np.arccos(steps)).mean() * fps,
        "middle of the person from the picture's, half sides": (
            np.abs(points_px.mean((0, 1)) - size / 2) / size.max() * 2
        ).max(),
        "joints outside the picture, %": 100 * ((points_px < 0) | (points_px > size)).any(-1).mean(),
        "direction of the hips to the camera, °": np.degrees(np.arctan2(across[2], across[0])),
        "size of the body, 1 = standard": bone_lengths(joints_m[:1], H36M_17)[0].sum() / REFERENCE_BONE_SUM_M,
        "hips from the middle, cm": 50 * np.linalg.norm(joints_m[0, HIPS[1]] - joints_m[0, HIPS[0]]),
    }
    return {name: float(value) for name, value in found.items()}


def wild_recipe(arrays: Path, *, views: int = 300) -> Report:
    config = load_config(CONFIG, MocapStoreConfig)
    recordings = list(read_mocap_arrays(arrays, "train"))
    counts = np.array(views_each(recordings, config))
    columns = ("motion", "recorded {:.0f} s", "of the recorded time {:.1f} %", "of the clips {:.1f} %")
    yield table(columns, time_rows(recordings, counts))

    rng, donors = np.random.default_rng(0), sorted(recordings, key=lambda recording: recording.name)
    measured, shares, filmed = defaultdict[tuple[str, str], list[float]](list), Counter[str](), 0
    for number in rng.choice(len(recordings), size=views, p=counts / counts.sum()):
        joints_m = vary_motion(recordings[number], donors, config.view_frames, config.fps, config.variation, rng)
        factors = draw_proportions(H36M_17, config.proportions, rng, config.hip_width, config.shoulder_width)
        joints_m = with_proportions(joints_m, factors, H36M_17)
        wide = bool(rng.uniform() < config.wide_share)
        cameras = config.wide_cameras if wide and config.wide_cameras else config.cameras
        camera = draw_view(joints_m, config.fps, cameras, rng)
        if camera is None:
            continue
        filmed += 1
        for what, value in facts(joints_m, camera, config.fps).items():
            measured[what, "wide cameras" if wide else "usual cameras"].append(value)
        ratio = camera.height / camera.width
        shares["portrait" if ratio > 1 else "square" if ratio > 0.95 else "landscape"] += 1
        shares["moving camera"] += camera.moves
        shares["wide cameras"] += wide
    rows = [(*what, *np.percentile(values, PERCENTILES)) for what, values in sorted(measured.items())]
    yield table(["", "cameras", *(f"{percentile} % {{:.2f}}" for percentile in PERCENTILES)], rows)
    parts = ", ".join(f"{name} {100 * count / filmed:.0f} %" for name, count in shares.most_common())
    yield f"Of {filmed} views: {parts}."


if __name__ == "__main__":
    run(wild_recipe, views=10)
