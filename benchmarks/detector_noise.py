"""The virtual detectors of configs/data/mocap_wild.yaml beside real detections: jitter and its spectrum, bursts,
exchanged sides, confidence.

python benchmarks/detector_noise.py MOCAP_ARRAYS KEYPOINTS:FPS …
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from report import PAGE, write_section
from scipy.signal import welch

from hyperlift.config import load_config
from hyperlift.data.mocap_store import MocapStoreConfig, view_arrays
from hyperlift.data.motion.mocap_arrays import read_mocap_arrays
from hyperlift.data.virtual_cameras import draw_camera
from hyperlift.files import atomic_file
from hyperlift.geometry.normalisation import denormalise_points
from hyperlift.skeletons import H36M_17, Skeleton
from hyperlift.wild.detector_law import QUANTILES, DetectorLaw, measure_detector, track_pieces
from hyperlift.wild.formats import read_keypoints
from hyperlift.wild.keypoints import Track
from hyperlift.wild.tracking import follow_people

CONFIG = PAGE.parents[1] / "configs" / "data" / "mocap_wild.yaml"
PICTURE = PAGE.with_name("detector_noise.png")
LIMBS = tuple(side + joint for side in "LR" for joint in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"))
"""The joints that COCO and Human3.6M have in common."""
LONGEST_S = 12.0
SIMULATED_S = 240.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arrays", type=Path)
    parser.add_argument("recordings", nargs="+", metavar="KEYPOINTS:FPS")
    args = parser.parse_args()
    config = load_config(CONFIG, MocapStoreConfig)
    lines = [
        "| detections | s | jitter, heights | bursts a minute and joint | s a burst | exchanges a minute and pair "
        f"| lost | confidence at {', '.join(f'{q:g}' for q in QUANTILES)} | in bursts |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    figure = Figure(figsize=(4.4 * (len(args.recordings) + 1), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    *spectra, law_axes = figure.subplots(1, len(args.recordings) + 1)
    for axes, recording in zip(spectra, args.recordings, strict=True):
        path, fps = Path(recording.rpartition(":")[0]), float(recording.rpartition(":")[2])
        detections = read_keypoints(path)
        real = follow_people(detections, detections.times_s(fps))
        name = path.name.split(".")[0]
        seen = {f"{name}, real": (real, detections.skeleton)}
        for family in ("movenet", "rtmpose", "exact"):
            seen[f"simulated {family} at {fps:g}/s"] = (filmed(args.arrays, config, family, fps), H36M_17)
        for label, (tracks, skeleton) in seen.items():
            law = measure_detector(tracks, fps, skeleton)
            frequency, density = spectrum(tracks, fps, skeleton)
            axes.loglog(frequency, density, label=label)
            if "exact" not in label:
                lines.append(row(label, law, skeleton))
                law_axes.plot(QUANTILES, np.median(limbs(law.confidence, skeleton), axis=0), marker=".", label=label)
        axes.set(title=name, xlabel="Hz", ylabel="heights² / Hz", ylim=(1e-9, None))
    law_axes.set(title="confidence, median limb joint", xlabel="quantile", ylim=(0, 1))
    for axes in (*spectra, law_axes):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=7)
    with atomic_file(PICTURE) as partial:
        figure.savefig(partial, dpi=110)
    table = "\n".join(lines)
    print(table)
    write_section("detector_noise", table)


def filmed(arrays: Path, config: MocapStoreConfig, family: str, fps: float) -> list[Track]:
    """Recorded motion through level cameras and one virtual detector, at the frame rate of a real recording."""
    families = {} if family == "exact" else {family: config.detectors[family]}
    config = replace(config, fps=fps, detectors=families)
    tracks: list[Track] = []
    seconds = 0.0
    rng = np.random.default_rng(0)
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
        seconds += len(pose2d) / fps
        if seconds > SIMULATED_S:
            break
    return tracks


def spectrum(tracks: list[Track], fps: float, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Power density of the limb joints' coordinates, in heights; the median over all looks past bursts."""
    window = int(fps)
    frequency, densities = np.zeros(0), []
    for track in tracks:
        for points, _ in track_pieces(track, skeleton):
            if len(points) >= window:
                frequency, density = welch(points, fps, nperseg=window, detrend="linear", axis=0)
                densities.append(limbs(density.mean(-1).T, skeleton))
    return frequency[1:], np.median(np.concatenate(densities), axis=0)[1:]


def limbs(values: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    return values[skeleton.indices(LIMBS)]


def row(label: str, law: DetectorLaw, skeleton: Skeleton) -> str:
    confidence = " ".join(f"{c:.2f}" for c in np.median(limbs(law.confidence, skeleton), axis=0))
    return (
        f"| {label} | {law.seconds:.0f} | {np.median(limbs(law.jitter, skeleton)):.4f} "
        f"| {limbs(law.bursts_per_minute, skeleton).mean():.1f} | {law.burst_s:.2f} | {law.swaps_per_minute:.1f} "
        f"| {100 * law.lost:.1f} % | {confidence} | {law.confidence_in_bursts:.2f} |"
    )


if __name__ == "__main__":
    main()
