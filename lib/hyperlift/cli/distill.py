"""Train a small lifter from a large one."""

from collections.abc import Mapping, Sequence
from typing import Any

from hyperlift.cli import train
from hyperlift.cli.app import guarded
from hyperlift.cli.distill_arguments import parser
from hyperlift.config import load_config
from hyperlift.distillation import DistillationConfig, DistillationStep
from hyperlift.distillation.teacher import check_pair, choose_teacher, complete_identity, identity, load_teacher
from hyperlift.errors import InputError
from hyperlift.models import HyperLifter
from hyperlift.training.config import RunConfig
from hyperlift.training.trainer import LossStep


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    config = load_config(args.distill_cfg, DistillationConfig)

    def make_step(run: RunConfig, model: HyperLifter, fps: float) -> tuple[LossStep, Mapping[str, Any]]:
        if run.training.compile and config.feature_terms:
            raise InputError(
                f"{args.config}: training.compile hides the layers that {', '.join(config.feature_terms)} compare; "
                "set compile: false, or leave only the output part on"
            )
        teacher = load_teacher(choose_teacher(config, run.model, args.teacher))
        check_pair(config, run.model, fps, teacher)
        device = next(model.parameters()).device
        step = DistillationStep(config, run.model, teacher.model.to(device), run.loss).to(device)
        return step, {"distillation": identity(config, teacher)}

    return train.fit_run(args, make_step, {"distillation": complete_identity})
