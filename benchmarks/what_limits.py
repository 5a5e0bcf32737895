"""What stands between the lifter and a smaller error: poses seen, size, steps, how steps are filled, or noise in 2D.

python benchmarks/what_limits.py BENCH.npz STORE [STORE …] [--onnx FILE] --out out/limits

All but the last train the per-frame part alone, for minutes each; the last lifts held-out clips with more and less
noise. Finished runs are kept in --out and skipped.
"""

import argparse
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from baselines.fitting import fit
from report import machine, write_section
from torch import nn

from hyperlift.data.clips import WHOLE, BatchSampler, JoinedClips, LabelConvention, StoreClips
from hyperlift.data.store import ClipStore
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.files import atomic_file
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.losses import LossWeights
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.runtime import load_lifter
from hyperlift.skeletons import H36M_17

BATCH = 243
LOSS = LossWeights(position=1.0, similarity_aligned=1.0, temporal_consistency=0.0, velocity=0.0)
CONVENTION = LabelConvention("camera", True)


@dataclass(frozen=True)
class Run:
    """One training of the per-frame part."""

    share: float = 1.0
    """Of the recordings."""
    channels: int = 512
    steps: int = 1000
    crop: int = 1
    """Frames of one clip in a step of 243."""

    @property
    def name(self) -> str:
        return f"{self.share:g}-{self.channels}-{self.steps}-{self.crop}"


class SomeRecordings:
    """The clips of a store whose recordings fall into a share of all, the same ones in every store."""

    def __init__(self, clips: StoreClips, share: float) -> None:
        self.clips, self.n_frames, self.skeleton = clips, clips.n_frames, clips.skeleton
        store = clips.store
        kept = [_place(_recording(video.source)) < share for video in store.videos]
        self.numbers = np.flatnonzero([kept[video] for video in np.asarray(store.clips)[:, 2]])

    def __len__(self) -> int:
        return len(self.numbers)

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        """Input and label of one of them."""
        return self.clips.pair(int(self.numbers[clip]), part)


def _recording(source: str) -> str:
    return source.split("@")[0]


def _place(name: str) -> float:
    return zlib.crc32(name.encode()) / 2**32


def train(run: Run, stores: Sequence[Path]) -> nn.Module:
    """Fit the per-frame part on single frames; the weights are a growing average."""
    torch.manual_seed(0)
    model = HyperLifter(
        ModelConfig(
            channels=96,
            depth=0,
            heads=4,
            n_frames=81,
            frame_patch=9,
            input_frame="person",
            foreshortening=(0.25, 0.4, 0.6, 0.9),
            label_space="camera",
            frame_lifter=FrameLifterConfig(channels=run.channels, depth=3),
        )
    )
    clips = JoinedClips([SomeRecordings(StoreClips(ClipStore(s / "train"), CONVENTION), run.share) for s in stores])
    sampler = BatchSampler(clips, BATCH // run.crop, 0, flip=True, crop_frames=run.crop)

    def rate(step: int) -> float:
        return 1e-3 * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / run.steps))

    return fit(model, sampler, run.steps, rate, LOSS)[0]


def score(model: nn.Module, bench: BenchFile) -> dict[str, float]:
    """On the benchmark file."""

    @torch.inference_mode()
    def lift(pose2d_norm: np.ndarray) -> np.ndarray:
        return model(torch.from_numpy(pose2d_norm[None]))[0].numpy()

    return asdict(score_bench(bench, lift_bench(bench, lift)))


def by_noise(store: Path, onnx: str | None, factors: Sequence[float]) -> dict[str, tuple[float, float]]:
    """N-MPJPE and PA-MPJPE in mm of the store's test split, with the stored detector's errors scaled."""
    flipped = FlipAveraged(load_lifter(onnx), H36M_17)
    clips = ClipStore(store / "test")
    found: dict[str, tuple[float, float]] = {}
    for factor in factors:
        errors = []
        for clip in range(len(clips)):
            exact, seen = clips.clip(clip, "label_norm"), clips.clip(clip, "pose2d_norm").copy()
            seen[..., :2] = exact[..., :2] + factor * (seen[..., :2] - exact[..., :2])
            joints_m = clips.clip(clip, "joints_m").astype(np.float64)
            truth = joints_m - joints_m[:, :1]
            pose = flipped(seen[None])[0].astype(np.float64)
            aligned = align_scale(pose, truth), align_similarity(pose, truth)
            errors.append([1e3 * float(np.linalg.norm(one - truth, axis=-1).mean()) for one in aligned])
        n, pa = np.mean(errors, axis=0)
        found[f"{factor:g}"] = (float(n), float(pa))
    return found


RUNS = {
    "recordings": [Run(share=share) for share in (0.25, 0.5, 1.0)],
    "channels": [Run(channels=channels) for channels in (128, 256, 512)],
    "steps": [Run(steps=steps) for steps in (250, 500, 1000, 2000)],
    "frames of a clip in a step": [Run(crop=crop) for crop in (1, 9, 81)],
}
NOISE = (0.0, 0.5, 1.0, 1.5, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--onnx", help="lifter for the noise rows; default: the bundled one")
    parser.add_argument("--out", type=Path, default=Path("out/limits"))
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench = BenchFile(args.bench)
    args.out.mkdir(parents=True, exist_ok=True)
    lines = ["| changed | to | N-MPJPE mm | PA-MPJPE mm |", "|---|---|---|---|"]
    for what, runs in RUNS.items():
        for run in runs:
            file = args.out / f"{run.name}.json"
            if not file.exists():
                outcome = score(train(run, args.stores), bench)
                with atomic_file(file) as partial:
                    partial.write_text(json.dumps(outcome))
                print(run, outcome["pa_mpjpe_mm"], flush=True)
            scores = json.loads(file.read_text())
            value = {
                "recordings": f"{100 * run.share:g} %",
                "channels": run.channels,
                "steps": run.steps,
                "frames of a clip in a step": run.crop,
            }[what]
            lines.append(f"| {what} | {value} | {scores['n_mpjpe_mm']:.1f} | {scores['pa_mpjpe_mm']:.1f} |")
    for factor, (n, pa) in by_noise(args.stores[-1], args.onnx, NOISE).items():
        lines.append(f"| 2D errors | × {factor} | {n:.1f} | {pa:.1f} |")
    note = (
        f"The per-frame part alone on the benchmark, one seed, {Run().steps} steps of {BATCH} single frames and "
        f"{Run().channels} channels where not said otherwise. 2D errors: the lifter as shipped, mirror-averaged, on "
        f"the held-out clips of the last store. One thread, {machine()}."
    )
    text = "\n".join([*lines, "", note])
    print(text)
    if not args.no_page:
        write_section("limits", text)


if __name__ == "__main__":
    main()
