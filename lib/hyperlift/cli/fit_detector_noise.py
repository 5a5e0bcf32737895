"""``hyperlift fit-detector-noise``: error statistics of a detector from keypoint files."""

from collections.abc import Sequence

import numpy as np

from hyperlift.cli.app import say
from hyperlift.cli.data_commands import FitDetectorNoise
from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.mocap.noise_estimate import QUANTILES, DetectorStatistics, measure_detector
from hyperlift.tracking.tracks import track_people


def main(options: FitDetectorNoise) -> int:
    """Run the command; returns its exit code."""
    rates = options.fps * len(options.keypoints) if len(options.fps) == 1 else options.fps
    if len(rates) != len(options.keypoints):
        raise InputError(f"`fps` has {len(rates)} values for {len(options.keypoints)} files; give one, or one each")
    for path, fps in zip(options.keypoints, rates, strict=True):
        detections = read_keypoints(path)
        time_s = detections.times_s(fps)
        statistics = measure_detector(track_people(detections, time_s), fps, detections.skeleton)
        say(f"{path}: {statistics.seconds:.1f} s of people at {fps:g} frames a second, {detections.tool}")
        _print_statistics(statistics, detections.skeleton.joints)
    return 0


def _print_statistics(statistics: DetectorStatistics, joints: Sequence[str]) -> None:
    print(f"  {'joint':<10} {'jitter':>8} {'bursts/min':>10}   confidence at {', '.join(map(str, QUANTILES))}")
    for joint, jitter, bursts, confidence in zip(
        joints, statistics.jitter, statistics.bursts_per_minute, statistics.confidence, strict=True
    ):
        print(f"  {joint:<10} {jitter:8.5f} {bursts:10.1f}   {' '.join(f'{c:.2f}' for c in confidence)}")
    print(
        f"  all: jitter {np.median(statistics.jitter):.5f}, "
        f"bursts {statistics.bursts_per_minute.mean():.1f} a minute and joint, "
        f"{statistics.burst_s:.2f} s long, confidence in them {statistics.confidence_in_bursts:.2f}; "
        f"exchanges {statistics.swaps_per_minute:.1f} a minute and pair; lost {100 * statistics.lost:.1f} %"
    )
