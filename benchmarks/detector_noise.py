"""The virtual detectors of configs/data/mocap_wild.yaml beside real detections: jitter and its spectrum, bursts,
exchanged sides, confidence.

python benchmarks/detector_noise.py MOCAP_ARRAYS KEYPOINTS:FPS …
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pictures import figure_of
from runner import RESULTS, ROOT, Report, run, table
from scipy.signal import welch

from hyperlift.config.loader import load_config
from hyperlift.geometry.normalisation import denormalise_points
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.mocap_clips import MocapStoreConfig, view_arrays
from hyperlift.mocap.noise_estimate import QUANTILES, DetectorStatistics, measure_detector, track_pieces
from hyperlift.mocap.virtual_cameras import draw_camera
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.tracks import Track, track_people

CONFIG = ROOT / "configs" / "data" / "mocap_wild.yaml"
LIMBS = tuple(side + joint for side in "LR" for joint in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"))
"""The joints that COCO and Human3.6M have in common."""
LONGEST_S = 12.0


def filmed(arrays: Path, config: MocapStoreConfig, family: str, fps: float, seconds: float) -> list[Track]:
    """Recorded motion through level cameras and one virtual detector, at the frame rate of a real recording."""
    families = {} if family == "exact" else {family: config.detectors[family]}
    config = replace(config, fps=fps, detectors=families)
    rng, tracks = np.random.default_rng(0), list[Track]()
    recordings = [r for r in read_mocap_arrays(arrays, "train") if r.group in ("walk", "jump", "gesture", "sport")]
    for number in rng.permutation(len(recordings)):
        joints_m = recordings[number].resampled(fps).joints_m[: int(LONGEST_S * fps)]
        camera = draw_camera(joints_m, config.cameras, rng)
        if camera is None:
            continue
        pose2d = view_arrays(joints_m, camera, config, rng)["pose2d_norm" if families else "label_norm"]
        points_px = denormalise_points(pose2d[..., :2], camera.width, camera.height)
        confidence = pose2d[..., 2:] if families else np.ones_like(pose2d[..., 2:])
        keypoints_px = np.concatenate([points_px, confidence], axis=-1)
        tracks.append(Track(id=number, frame=np.arange(len(pose2d)), keypoints_px=keypoints_px))
        if sum(len(track.frame) for track in tracks) > seconds * fps:
            break
    return tracks


def spectrum(tracks: list[Track], fps: float, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Power density of the limb joints' coordinates, in heights; the median over all looks past bursts."""
    frequency, densities = np.zeros(0), []
    for points in (points for track in tracks for points, _ in track_pieces(track, skeleton)):
        if len(points) >= int(fps):
            frequency, density = welch(points, fps, nperseg=int(fps), detrend="linear", axis=0)
            densities.append(limbs(density.mean(-1).T, skeleton))
    return frequency[1:], np.median(np.concatenate(densities), axis=0)[1:]


def limbs(values: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    return values[skeleton.indices(LIMBS)]


def cells(law: DetectorStatistics, skeleton: Skeleton) -> tuple:
    confidence = " ".join(f"{c:.2f}" for c in np.median(limbs(law.confidence, skeleton), axis=0))
    bursts = limbs(law.bursts_per_minute, skeleton).mean(), law.burst_s
    jitter = np.median(limbs(law.jitter, skeleton))
    rest = law.swaps_per_minute, 100 * law.lost, confidence, law.confidence_in_bursts
    return law.seconds, jitter, *bursts, *rest


def detector_noise(
    arrays: Path,
    recordings: Annotated[tuple[str, ...], "KEYPOINTS:FPS of real recordings"],
    *,
    seconds: Annotated[float, "simulated"] = 240.0,
    picture: Path = RESULTS / "detector_noise.png",
) -> Report:
    config, rows = load_config(CONFIG, MocapStoreConfig), []
    count = len(recordings) + 1
    with figure_of(picture, count, size=(4.4 * count, 3.6)) as (*spectra, law_axes):
        for axes, recording in zip(spectra, recordings, strict=True):
            path, fps = Path(recording.rpartition(":")[0]), float(recording.rpartition(":")[2])
            found = read_keypoints(path)
            name = path.name.split(".")[0]
            real = track_people(found, found.times_s(fps)), found.skeleton
            seen = {f"{name}, real": real} | {
                f"simulated {family} at {fps:g}/s": (filmed(arrays, config, family, fps, seconds), H36M_17)
                for family in ("movenet", "rtmpose", "exact")
            }
            for label, (tracks, skeleton) in seen.items():
                law = measure_detector(tracks, fps, skeleton)
                axes.loglog(*spectrum(tracks, fps, skeleton), label=label)
                if "exact" not in label:
                    rows.append((label, *cells(law, skeleton)))
                    confidence = np.median(limbs(law.confidence, skeleton), axis=0)
                    law_axes.plot(QUANTILES, confidence, marker=".", label=label)
            axes.set(title=name, xlabel="Hz", ylabel="heights² / Hz", ylim=(1e-9, None))
        law_axes.set(title="confidence, median limb joint", xlabel="quantile", ylim=(0, 1))
        for axes in (*spectra, law_axes):
            axes.legend(frameon=False, fontsize=7)
    rates = ("bursts a minute and joint {:.1f}", "s a burst {:.2f}", "exchanges a minute and pair {:.1f}")
    sure = f"confidence at {', '.join(f'{quantile:g}' for quantile in QUANTILES)}"
    columns = ("detections", "s {:.0f}", "jitter, heights {:.4f}", *rates, "lost {:.1f} %", sure, "in bursts {:.2f}")
    yield table(columns, rows)


if __name__ == "__main__":
    run(detector_noise, seconds=10, picture=Path("out/detector_noise.png"))
