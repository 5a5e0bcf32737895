"""Runs that start from each other's weights: ``training.after`` of a configuration names the one before it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from hyperlift.cli.run_record import complete_record
from hyperlift.cli.train import take_over
from hyperlift.config import load_config, to_mapping
from hyperlift.errors import InputError
from hyperlift.models import HyperLifter
from hyperlift.training.config import RunConfig
from hyperlift.training.trainer import RunFolder, differing_keys


@dataclass(frozen=True)
class Stage:
    """One run of a chain."""

    config: Path
    """Its YAML file."""
    run: RunConfig
    folder: RunFolder

    @property
    def epochs_done(self) -> int:
        """Epochs in the log."""
        if not self.folder.log.is_file():
            return 0
        return max((json.loads(line)["epoch"] for line in self.folder.log.read_text().splitlines()), default=0)

    @property
    def finished(self) -> bool:
        """Whether its weights are there to go on from."""
        return self.epochs_done >= self.run.training.epochs and self.folder.checkpoint("last").is_file()


def chain_of(config: Path, out: Path | None = None) -> tuple[Stage, ...]:
    """The stages that a configuration asks for, the first one first and itself last.

    Args:
        config: YAML of the last run.
        out: its folder, ``checkpoint/pose3d/NAME`` where it is None. The other stages lie beside it, by their names.

    Raises:
        InputError: a file is missing or does not fit, they lead in a circle, two have one name, or weights of one do
            not fit the next.
    """
    files, runs = [config], [load_config(config, RunConfig)]
    while (after := runs[-1].training.after) is not None:
        file = files[-1].parent / after
        if not file.is_file():
            raise InputError(f"{files[-1]}: training.after is {after}; {file}: no such file")
        if any(file.samefile(known) for known in files):
            raise InputError(f"{files[-1]}: training.after is {after}, which comes after {files[-1]} itself: a circle")
        files.append(file)
        runs.append(load_config(file, RunConfig))
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise InputError(f"{config}: its stages are named {', '.join(reversed(names))}; each wants a name of its own")
    for file, before, run in zip(files[1:], runs[1:], runs[:-1], strict=True):
        _check_fit(file, before, run)
    last = out or Path("checkpoint/pose3d") / runs[0].name
    folders = [last, *(last.parent / name for name in names[1:])]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError(f"--out {last}: is where the stage {last.name} lies; choose another folder")
    stages = [Stage(file, run, RunFolder(folder)) for file, run, folder in zip(files, runs, folders, strict=True)]
    return tuple(reversed(stages))


def check_finished(stage: Stage, seed: int) -> None:
    """Refuse a finished stage that is not what the chain asks for.

    Args:
        stage: a finished one.
        seed: of the chain.

    Raises:
        InputError: it was trained with another configuration or seed, or does not say with which.
    """
    record = stage.folder.path / "config.json"
    remedy = f"move {stage.folder.path} away to train it again, or give another --out"
    try:
        made_by = json.loads(record.read_text())
        run, its_seed = made_by["run"], made_by["seed"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{record}: does not say how the stage was trained ({error}); {remedy}") from error
    theirs = complete_record(run, str(record), {"distillation": lambda section, _: section})
    differing = differing_keys(_apart_from_place(theirs), _apart_from_place(to_mapping(stage.run)))
    if its_seed != seed:
        differing.append(f"seed ({its_seed} before, {seed} now)")
    if differing:
        raise InputError(
            f"{stage.folder.path}: was trained with another configuration than {stage.config}: "
            f"{', '.join(differing)}; {remedy}"
        )


def _apart_from_place(record: Mapping[str, Any]) -> dict[str, Any]:
    """Without where the weights to start from came from: a stage may have been trained by train.py, one by one."""
    return {**record, "training": {**record["training"], "after": None}}


def _check_fit(file: Path, before: RunConfig, run: RunConfig) -> None:
    """Whether weights of one run fit the next, before either is trained."""
    if before.model.n_frames != run.model.n_frames:
        raise InputError(
            f"{file}: model.n_frames is {before.model.n_frames}, of {run.name} it is {run.model.n_frames}; "
            "all stages see clips of one length (data.crop_frames shortens them)"
        )
    with torch.device("meta"):
        # Without stochastic depth, which has no weights.
        trained, model = (HyperLifter(replace(one.model, drop_path=0.0)) for one in (before, run))
    take_over(model, trained, f"{file} for {run.name}")
