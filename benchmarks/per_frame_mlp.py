"""The yardstick: a plain per-frame MLP on the same clips, trained for a few minutes on one core.

python benchmarks/per_frame_mlp.py STORE BENCH.npz --minutes 6 --save PRED.npz
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hyperlift.data.clips import BatchSampler, LabelConvention, open_clips
from hyperlift.evaluation.bench import BenchFile, lift_bench, save_poses, score_bench
from hyperlift.models.lifting.person_frame import into_person_frame, person_frame


class PerFrameMlp(nn.Module):
    """Three hidden layers of 600 over the joints of one frame, seen from the person's centre."""

    def __init__(self, joints: int) -> None:
        super().__init__()
        sizes = (6 * joints, 600, 600, 600)
        layers: list[nn.Module] = []
        for size, following in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(size, following), nn.LayerNorm(following), nn.GELU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 3 * joints))
        self.joints = joints

    def forward(self, pose2d: torch.Tensor) -> torch.Tensor:
        features = into_person_frame(pose2d, person_frame(pose2d))
        pose = self.layers(features.flatten(2)).unflatten(-1, (self.joints, 3))
        return pose - pose[:, :, :1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="predictions, for accuracy.py --more")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    clips = open_clips(args.store / "train", LabelConvention("camera", True))
    model = PerFrameMlp(len(clips.skeleton))
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    sampler = BatchSampler(clips, 16, args.seed, flip=True)
    started, steps, epoch = time.perf_counter(), 0, 0
    share = 0.0
    while share < 1.0:
        for inputs, labels in sampler.epoch(epoch):
            share = (time.perf_counter() - started) / (60 * args.minutes)
            if share >= 1.0:
                break
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + np.cos(np.pi * share))
            pose, label = model(torch.from_numpy(inputs)), torch.from_numpy(labels)
            loss = torch.linalg.vector_norm(pose - label, dim=-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
        epoch += 1
    print(f"{steps} steps of 16 clips")
    model.eval()

    def lift(pose2d_norm: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(pose2d_norm)[None])[0].numpy()

    bench = BenchFile(args.bench)
    poses = lift_bench(bench, lift)
    print(score_bench(bench, poses))
    if args.save:
        save_poses(args.save, poses)


if __name__ == "__main__":
    main()
