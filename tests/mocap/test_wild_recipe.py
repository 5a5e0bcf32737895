"""The shipped recipe of the clips keeps what docs/training-wild.md says of it."""

from pathlib import Path

import numpy as np
import pytest

from hyperlift.config.loader import load_config
from hyperlift.geometry.cameras import project
from hyperlift.mocap.mocap_clips import MocapStoreConfig, view_arrays, views_each
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.recording import Recording
from hyperlift.mocap.virtual_cameras import draw_view
from hyperlift.skeletons.joint_sets import H36M_17

ROOT = Path(__file__).resolve().parents[2]
RECIPE = load_config(ROOT / "configs/data/mocap_wild.yaml", MocapStoreConfig)
MOTION_M = procedural_recordings(1, seconds=3.0, seed=0)[0].resampled(25.0).joints_m[:30]


@pytest.fixture(scope="module")
def wide_views():
    rng = np.random.default_rng(0)
    drawn = [draw_view(MOTION_M, 25.0, RECIPE.wide_cameras, rng) for _ in range(150)]
    return [camera for camera in drawn if camera is not None]


def test_wide_cameras_are_as_wide_as_said(wide_views):
    fov, distance, pitch, roll, portrait, off, outside = ([] for _ in range(7))
    for camera in wide_views:
        size = np.array([camera.width, camera.height])
        rotation = np.broadcast_to(camera.R, (len(MOTION_M), 3, 3))[0]
        centre_m = np.broadcast_to(camera.centre_m, (len(MOTION_M), 3))[0]
        away = MOTION_M.mean((0, 1)) - centre_m
        points_px = project(camera.to_camera(MOTION_M.astype(np.float64)), camera.K)
        fov.append(np.degrees(2 * np.arctan(size.max() / 2 / camera.K[0, 0])))
        distance.append(np.linalg.norm(away))
        pitch.append(np.degrees(np.arcsin(-away[2] / np.linalg.norm(away))))
        roll.append(np.degrees(np.arcsin(rotation[0, 2] / np.linalg.norm(rotation[2, :2]))))
        portrait.append(size[1] > size[0])
        off.append(np.abs(points_px.mean((0, 1)) - size / 2).max() / size.max() * 2)
        outside.append(((points_px < 0) | (points_px > size)).any())
    for values, low, high in ((fov, 35, 100), (distance, 1.5, 12), (pitch, -60, 60)):
        span = high - low
        assert low - 0.1 * span < min(values) < low + 0.2 * span
        assert high - 0.35 * span < max(values) < high + 0.1 * span
    assert 20 < max(np.abs(roll)) < 45  # 30 and what a moving camera adds
    assert 0.1 < np.mean(portrait) < 0.5
    assert max(off) > 0.4
    assert 0.1 < np.mean(outside) < 0.9
    assert 0.2 < np.mean([camera.moves for camera in wide_views]) < 0.6


def test_people_are_seen_from_all_sides(wide_views):
    across = [camera.to_camera(MOTION_M)[0, 4] - camera.to_camera(MOTION_M)[0, 1] for camera in wide_views]
    sectors = np.floor((np.degrees(np.arctan2([a[2] for a in across], [a[0] for a in across])) + 180) / 90) % 4
    assert np.bincount(sectors.astype(int), minlength=4).min() > 0.12 * len(across)


def test_rare_motions_are_seen_more_often_than_their_time():
    def recording(name, seconds):
        joints_m = np.tile(MOTION_M[:1], (int(seconds * 50), 1, 1))
        return Recording(name=name, subject="1", group=name, fps=50.0, joints_m=joints_m)

    recordings = [recording("dance", 360.0), recording("run", 10.0)]
    counts = np.array(views_each(recordings, RECIPE), float)
    seen = counts / counts.sum()
    # Square roots: 6 to 1 rather than 36 to 1.
    assert seen[0] / seen[1] == pytest.approx(6.0, rel=0.1)


@pytest.mark.parametrize("family", ["movenet", "rtmpose"])
def test_detector_families_err_about_the_points_of_coco(wide_views, family):
    """Hips are seen wider than the joints of motion capture on average, and every joint errs by percents."""
    import dataclasses

    config = dataclasses.replace(RECIPE, detectors={family: RECIPE.detectors[family]})
    rng = np.random.default_rng(1)
    hips = H36M_17.indices(("LHip", "RHip"))
    wider, errors = [], []
    for camera in wide_views[:60]:
        arrays = view_arrays(MOTION_M, camera, config, rng)
        exact, seen = (arrays[name][..., :2] for name in ("label_norm", "pose2d_norm"))
        size = np.linalg.norm(exact[:, 10] - exact[:, [3, 6]].mean(1), axis=-1).mean()
        widths = [np.linalg.norm(points[:, hips[0]] - points[:, hips[1]], axis=-1).mean() for points in (exact, seen)]
        wider.append(widths[1] / widths[0])
        errors.append(np.linalg.norm(seen - exact, axis=-1).mean() / size)
    assert np.median(wider) > 1.05
    assert 0.005 < np.median(errors) < 0.05
