"""What stands between the lifter and a smaller error: poses seen, size, steps, how steps are filled, or noise in 2D.

python benchmarks/what_limits.py BENCH.npz STORE [STORE …] [--onnx FILE] --out out/limits

All but the last train the per-frame part alone, for minutes each; the last lifts held-out clips with more and less
noise. Finished runs are kept in --out and skipped.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from runner import Out, Report, run, table
from scoring import Bench, Every, open_bench
from seen_and_unseen import errors_mm
from short_runs import POSES, Contender, Recipe, compare

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import WHOLE, JoinedClips, LabelConvention, StoreClips
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.runtime.loading import load_lifter
from hyperlift.skeletons.joint_sets import H36M_17

BATCH = 243
NOISE = (0.0, 0.5, 1.0, 1.5, 2.0)
CONFIG = ModelConfig(
    channels=96, depth=0, heads=4, n_frames=81, frame_patch=9, input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9), label_space="camera", frame_lifter=FrameLifterConfig(channels=512, depth=3),
)  # fmt: skip


class SomeRecordings:
    """The clips of a store whose recordings fall into a share of all, the same ones in every store."""

    def __init__(self, folder: Path, share: float) -> None:
        self.clips = StoreClips(ClipStore(folder), LabelConvention("camera", True))
        self.n_frames, self.skeleton, store = self.clips.n_frames, self.clips.skeleton, self.clips.store
        kept = [zlib.crc32(video.source.split("@")[0].encode()) / 2**32 < share for video in store.videos]
        self.numbers = np.flatnonzero([kept[video] for video in np.asarray(store.clips)[:, 2]])

    def __len__(self) -> int:
        return len(self.numbers)

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        """Input and label of one of them."""
        return self.clips.pair(int(self.numbers[clip]), part)


@dataclass(frozen=True)
class Run:
    """One training of the per-frame part."""

    share: float = 1.0
    """Of the recordings."""
    channels: int = 512
    steps: int = 1000
    crop: int = 1
    """Frames of one clip in a step of ``BATCH``."""

    def __str__(self) -> str:
        return f"{self.share:g}-{self.channels}-{self.steps}-{self.crop}"

    def contender(self, stores: Sequence[Path]) -> Contender:
        config = replace(CONFIG, frame_lifter=FrameLifterConfig(channels=self.channels, depth=3))
        clips = JoinedClips([SomeRecordings(store / "train", self.share) for store in stores])
        loss = replace(POSES, similarity_aligned=1.0)
        recipe = Recipe(steps=self.steps, clips=BATCH // self.crop, warmup=100, crop=self.crop, loss=loss)
        return Contender(partial(HyperLifter, config), recipe, clips, None)


def by_noise(store: Path, onnx: str, most: int | None) -> Iterator[tuple]:
    """Rows of N-MPJPE and PA-MPJPE on the store's test split, with the stored detector's errors scaled."""
    lift, clips = FlipAveraged(load_lifter(onnx), H36M_17), ClipStore(store / "test")
    for factor in NOISE:
        errors = []
        for clip in range(len(clips))[:most]:
            exact, seen = clips.clip(clip, "label_norm"), clips.clip(clip, "pose2d_norm").copy()
            seen[..., :2] = exact[..., :2] + factor * (seen[..., :2] - exact[..., :2])
            errors.append(errors_mm(lift, seen, clips.clip(clip, "joints_m").astype(np.float64)))
        yield "2D errors", f"× {factor:g}", *np.mean(errors, axis=0)


def what_limits(
    bench: Bench,
    stores: tuple[Path, ...],
    *,
    onnx: Annotated[str, "lifter for the noise rows; its name or file"] = "small",
    steps: Annotated[int, "of a run in which they are not what changes"] = 1000,
    out: Out = Path("out/limits"),
    every: Every = 1,
    clips: Annotated[int | None, "of the last store's test split at most"] = None,
) -> Report:
    torch.set_num_threads(1)
    views, usual = open_bench(bench, every), Run(steps=steps)
    changes: dict[str, dict[object, Run]] = {
        "recordings": {f"{100 * share:g} %": replace(usual, share=share) for share in (0.25, 0.5, 1.0)},
        "channels": {channels: replace(usual, channels=channels) for channels in (128, 256, 512)},
        "steps": {n: replace(usual, steps=n) for n in (steps // 4, steps // 2, steps, 2 * steps)},
        "frames of a clip in a step": {crop: replace(usual, crop=crop) for crop in (1, 9, 81)},
    }
    runs = {str(one): one.contender(stores) for levels in changes.values() for one in levels.values()}
    results = compare(runs, views, 1, out)
    rows: list[tuple] = []
    for what, levels in changes.items():
        for value, one in levels.items():
            scores = results[str(one)][0]
            rows.append((what, value, scores["n_mpjpe_mm"], scores["pa_mpjpe_mm"]))
    rows += by_noise(stores[-1], onnx, clips)
    yield table(["changed", "to", "N-MPJPE mm {:.1f}", "PA-MPJPE mm {:.1f}"], rows)
    yield (
        f"The per-frame part alone on the benchmark, one seed, {steps} steps of {BATCH} single frames and "
        f"{usual.channels} channels where not said otherwise. 2D errors: the lifter as shipped, mirror-averaged, on "
        "the held-out clips of the last store. One thread."
    )


if __name__ == "__main__":
    run(what_limits, steps=4, every=50, clips=2, out=Path("out/quick"))
