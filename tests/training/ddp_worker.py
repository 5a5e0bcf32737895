"""One process of a training run on invented clips; started by torchrun, or alone.

Usage: ddp_worker.py OUT.safetensors ACCUMULATE
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import WHOLE, BatchSampler
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.config import TrainConfig
from hyperlift.training.distributed import process_group
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import RunFolder, Trainer


class Clips:
    n_frames = 9
    skeleton = H36M_17

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        # Fifteen: the last batch of four has three clips, which two processes share unevenly.
        self.inputs, self.labels = rng.uniform(-1, 1, (2, 15, 9, 17, 3)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.inputs)

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        return self.inputs[clip, part], self.labels[clip, part]


def main(out: Path, accumulate: int) -> None:
    torch.set_num_threads(1)
    config = TrainConfig(epochs=2, batch_size=4, accumulate=accumulate, ema=0.9, clip_gradient=1.0)
    with process_group("cpu") as (ranks, _):
        torch.manual_seed(0)
        model = HyperLifter(ModelConfig(channels=16, depth=1, heads=2, n_frames=9, drop_path=0.0))
        trainer = Trainer(
            model=model,
            sampler=BatchSampler(Clips(), 4, 0, flip=True),
            step=SupervisedStep(LossWeights(), H36M_17),
            config=config,
            seed=0,
            folder=RunFolder(out.parent),
            spec=LifterSpec(name="t", n_frames=9),
            run={},
            ranks=ranks,
            progress=False,
        )
        # Plain descent: Adam turns the rounding noise of a gradient that is zero into steps of full length.
        trainer.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        trainer.fit()
        if ranks.first:
            save_file({**model.state_dict(), **{f"ema.{n}": w for n, w in trainer.fitted.state_dict().items()}}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
