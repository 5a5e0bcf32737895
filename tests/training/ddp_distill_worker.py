"""One process of a distillation on invented clips; started by torchrun, or alone.

Usage: ddp_distill_worker.py OUT_FOLDER fixed|balanced

Writes the weights of student and distiller as every process has them, ``rank0.safetensors`` and so on.
"""

import sys
from pathlib import Path

import torch
from ddp_worker import Clips
from safetensors.torch import save_file

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import BatchSampler
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.config import TrainConfig
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
from hyperlift.training.distillation.step import DistillationStep
from hyperlift.training.distributed import process_group
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.trainer import RunFolder, Trainer


def main(out: Path, balance: float | None) -> None:
    torch.set_num_threads(1)
    term = FeatureTerm(student_layers=(0,), teacher_layers=(1,), weight=1e-4, balance=balance)
    parts = DistillationConfig(
        spatial_mimicking=term,
        temporal_mimicking=term,
        generation=term,
        output=OutputTerm(enabled=True),
        balance_every=2,
    )
    with process_group("cpu") as (ranks, _):
        torch.manual_seed(1)
        teacher = HyperLifter(ModelConfig(channels=16, depth=2, heads=2, n_frames=9, drop_path=0.0))
        torch.manual_seed(0)
        student = HyperLifter(ModelConfig(channels=8, depth=1, heads=2, n_frames=9, drop_path=0.0))
        step = DistillationStep(parts, student.config, teacher, LossWeights())
        trainer = Trainer(
            model=student,
            sampler=BatchSampler(Clips(), 4, 0, flip=True),
            step=step,
            config=TrainConfig(epochs=2, batch_size=4, accumulate=2 if balance else 1),
            seed=0,
            folder=RunFolder(out),
            spec=LifterSpec(name="t", n_frames=9),
            run={},
            ranks=ranks,
            progress=False,
        )
        # Plain descent: Adam turns the rounding noise of a gradient that is zero into steps of full length.
        trainer.optimizer = torch.optim.SGD([*student.parameters(), *step.parameters()], lr=0.01)
        trainer.fit()
        state = {f"student.{name}": weight for name, weight in student.state_dict().items()}
        state |= {f"distiller.{name}": weight for name, weight in step.state_dict().items()}
        save_file(state, out / f"rank{ranks.rank}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), 0.3 if sys.argv[2] == "balanced" else None)
