"""``hyperlift distill``: train a small lifter from a large one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hyperlift.cli import train
from hyperlift.cli.run_config import changes_by_file
from hyperlift.cli.training_commands import Distill
from hyperlift.config.loader import load_config
from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.training.config import RunConfig
from hyperlift.training.distillation.config import DistillationConfig
from hyperlift.training.distillation.step import DistillationStep
from hyperlift.training.distillation.teacher import (
    check_pair,
    choose_teacher,
    complete_identity,
    identity,
    load_teacher,
)
from hyperlift.training.trainer import LossStep


def main(options: Distill) -> int:
    """Run the command; returns its exit code."""
    for_run, for_distillation = changes_by_file(options.train.network.changes, "distillation")
    config = load_config(options.distill_cfg, DistillationConfig, for_distillation)
    network = replace(options.train.network, changes=for_run)

    def make_step(run: RunConfig, model: HyperLifter, fps: float) -> tuple[LossStep, Mapping[str, Any]]:
        if run.training.compile and config.feature_terms:
            raise InputError(
                f"{network.config}: training.compile hides the layers that {', '.join(config.feature_terms)} compare; "
                "set compile: false, or leave only the output part on"
            )
        teacher = load_teacher(choose_teacher(config, run.model, options.teacher))
        check_pair(config, run.model, fps, teacher)
        device = next(model.parameters()).device
        step = DistillationStep(config, run.model, teacher.model.to(device), run.loss).to(device)
        return step, {"distillation": identity(config, teacher)}

    return train.fit_run(replace(options.train, network=network), make_step, {"distillation": complete_identity})
