import dataclasses

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.cli.main import run as hyperlift
from hyperlift.errors import InputError
from hyperlift.mocap.detector_noise import DetectorNoise, corrupt_keypoints
from hyperlift.mocap.noise_estimate import measure_detector
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.tracking.tracks import Track

FPS, SECONDS, HEIGHT_PX = 30.0, 120, 400.0


def still_person() -> np.ndarray:
    """Somebody upright whose trunk, thighs and shins fill 0.77 of HEIGHT_PX."""
    points = np.zeros((17, 2))
    height = {"Shoulder": 0.77, "Hip": 0.46, "Knee": 0.23, "Ankle": 0.0, "Elbow": 0.6, "Wrist": 0.4}
    for joint, up in height.items():
        for side, x in (("L", 0.1), ("R", -0.1)):
            points[H36M_17.index(side + joint)] = x * HEIGHT_PX, -up * HEIGHT_PX
    return points + 600.0


def track(moved_px: np.ndarray, confidence: float = 0.9) -> Track:
    keypoints = np.concatenate([still_person() + moved_px, np.full((*moved_px.shape[:2], 1), confidence)], axis=-1)
    return Track(id=0, frame=np.arange(len(keypoints)), keypoints_px=keypoints)


def test_white_jitter_is_measured_and_slow_motion_is_not_taken_for_it():
    rng = np.random.default_rng(0)
    frames = int(FPS * SECONDS)
    swing = 40.0 * np.sin(2 * np.pi * 0.5 * np.arange(frames) / FPS)[:, None, None]
    law = measure_detector([track(swing + rng.normal(0, 0.8, (frames, 17, 2)))], FPS, H36M_17)
    assert law.jitter == pytest.approx(np.full(17, 0.8 / HEIGHT_PX), rel=0.2)
    assert law.bursts_per_minute.max() == 0
    assert law.swaps_per_minute == 0
    assert law.confidence[:, 2] == pytest.approx(0.9)


def test_spikes_and_exchanges_are_counted():
    frames = int(FPS * SECONDS)
    moved = np.zeros((frames, 17, 2))
    moved[100::300, 5] = 0.1 * HEIGHT_PX  # once in ten seconds
    law = measure_detector([track(moved)], FPS, H36M_17)
    assert law.bursts_per_minute[5] == pytest.approx(6.0, rel=0.05)
    assert law.bursts_per_minute.sum() == law.bursts_per_minute[5]
    assert law.burst_s == pytest.approx(1 / FPS)
    person = track(np.zeros((frames, 17, 2)))
    hips = H36M_17.indices(("LHip", "RHip"))
    person.keypoints_px[50:53, hips] = person.keypoints_px[50:53, hips[::-1]]
    exchanged = measure_detector([person], FPS, H36M_17)
    assert exchanged.swaps_per_minute == pytest.approx(1 / len(H36M_17.pairs) / 2)


def test_the_simulated_detector_shows_what_it_was_given():
    frames = int(FPS * SECONDS)
    points = np.tile(still_person(), (frames, 1, 1))
    noise = DetectorNoise(drift=0.0, bursts_per_minute=0, swaps_per_minute=0, severity_spread=0, jitter_time_s=1e-3)
    noise = dataclasses.replace(noise, jitter=0.004, spikes_per_minute=20.0, spike=0.1)
    kp = corrupt_keypoints(
        points, np.full(frames, HEIGHT_PX), np.zeros((frames, 17), bool), FPS, H36M_17, noise, np.random.default_rng(0)
    )
    law = measure_detector([Track(id=0, frame=np.arange(frames), keypoints_px=kp)], FPS, H36M_17)
    assert np.median(law.jitter) == pytest.approx(0.004, rel=0.25)
    assert law.bursts_per_minute.mean() == pytest.approx(19.0, rel=0.25)


def test_the_movenet_family_errs_like_movenet(capsys):
    """The law in the configuration was fitted to these detections; they must still show it."""
    assert (
        hyperlift("fit-detector-noise", [str(shared_path("data/wild/sports2d_demo.alphapose.json")), "--fps", "30"])
        == 0
    )
    summary = capsys.readouterr().out.splitlines()[-1]
    jitter = float(summary.split("jitter ")[1].split(",")[0])
    assert 0.002 < jitter < 0.0045


def test_too_short_tracks_and_missing_rates_are_told(capsys, tmp_path):
    with pytest.raises(InputError, match="half a second"):
        measure_detector([track(np.zeros((5, 17, 2)))], FPS, H36M_17)
    missing = str(tmp_path / "none.json")
    assert hyperlift("fit-detector-noise", [missing, "--fps", "30", "25"]) == 2
    assert "--fps has 2 values for 1 files" in capsys.readouterr().err
