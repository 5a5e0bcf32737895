"""Chains of training runs: ``training.after`` of a configuration names the run whose weights it starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from hyperlift.cli.run_record import complete_record
from hyperlift.config.loader import load_config, to_mapping
from hyperlift.errors import InputError, quoted
from hyperlift.evaluation.run_files import read_training_log
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.warm_start import start_from_trained
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import read_json
from hyperlift.training.config import RunConfig
from hyperlift.training.trainer import RunFolder, differing_keys

_MAX_RECORD_BYTES = 1_000_000
"""Size limit of the record of a chain. Chosen: far above that of many stages."""


@dataclass(frozen=True)
class Stage:
    """One run of a chain."""

    config: Path
    """Its YAML file."""
    run: RunConfig
    folder: RunFolder
    before: tuple["Stage", ...] = ()
    """Stages whose weights it starts from."""
    changes: tuple[str, ...] = ()
    """Changes of keys of its file."""

    @property
    def weights(self) -> Path:
        """The weights for the next stage: those with the lowest validation error, or the last ones if there is no
        validation or ``training.hand_on`` selects them."""
        best = self.folder.checkpoint("best")
        return best if best.is_file() and self.run.training.hand_on == "best" else self.folder.checkpoint("last")

    @property
    def begun(self) -> bool:
        """Whether its training has started, so that its start weights are no longer needed."""
        return self.finished or self.folder.resume.is_file()

    @property
    def epochs_done(self) -> int:
        """Epochs in the log."""
        if not self.folder.log.is_file():
            return 0
        return max((record["epoch"] for record in read_training_log(self.folder.log)), default=0)

    @property
    def finished(self) -> bool:
        """Whether its final weights exist."""
        return self.epochs_done >= self.run.training.epochs and self.folder.checkpoint("last").is_file()


def chain_of(config: Path, out: Path | None = None, changes: Sequence[str] = ()) -> tuple[Stage, ...]:
    """The stages of a configuration in order of training, itself last.

    Args:
        config: YAML of the last run.
        out: its folder, ``checkpoint/pose3d/NAME`` where it is None. The other stages lie beside it, by their names.
        changes: of keys of ``config``, as ``load_config`` takes them.

    Raises:
        InputError: a file is missing or does not fit, they lead in a circle, two have one name, or weights of one do
            not fit the next.
    """
    last = out or Path("checkpoint/pose3d") / load_config(config, RunConfig, changes).name
    found: dict[Path, Stage] = {}
    _add_stage(config, last, found, (), changes)
    stages = tuple(found.values())
    names = [stage.run.name for stage in stages]
    if len(set(names)) < len(names):
        raise InputError(f"{config}: its stages are named {', '.join(names)}; each wants a name of its own")
    if len({stage.folder.path.resolve() for stage in stages}) < len(stages):
        raise InputError(f"`out` is {last}, where the stage {last.name} lies; choose another folder")
    for stage in stages:
        _check_fit(stage)
    return stages


def needed(stage: Stage) -> tuple[Stage, ...]:
    """The stages that are still needed, in order: those before a started one are not."""
    earlier = () if stage.begun else tuple(one for before in stage.before for one in needed(before))
    return tuple(dict.fromkeys((*earlier, stage)))


def _add_stage(
    file: Path, folder: Path, found: dict[Path, Stage], trail: tuple[Path, ...], changes: Sequence[str] = ()
) -> Stage:
    key = file.resolve()
    if key in found:
        return found[key]
    run = load_config(file, RunConfig, changes)
    before = []
    for after in run.training.after:
        if not after.is_file():
            beside = file.parent / after
            hint = f"write {beside}" if beside.is_file() else "name a configuration"
            raise InputError(
                f"{file}: training.after is {after}: no such file; paths in a configuration start at the working "
                f"directory: {hint}"
            )
        if after.resolve() in (*trail, key):
            raise InputError(f"{file}: training.after is {after}, which comes after {file} itself: a circle")
        its_folder = folder.parent / load_config(after, RunConfig).name
        before.append(_add_stage(after, its_folder, found, (*trail, key)))
    found[key] = Stage(file, run, RunFolder(folder), tuple(before), tuple(changes))
    return found[key]


def check_finished(stage: Stage, seed: int) -> None:
    """Reject a finished stage that does not match the chain.

    Args:
        stage: a finished one.
        seed: of the chain.

    Raises:
        InputError: it was trained with another configuration or seed, or does not state them.
    """
    record = stage.folder.record
    remedy = f"move {stage.folder.path} away to train it again, or give another `out`"
    run, its_seed = read_run_record(record, remedy)
    theirs = complete_record(run, str(record), {"distillation": lambda section, _: section})
    differing = differing_keys(_apart_from_place(theirs), _apart_from_place(to_mapping(stage.run)))
    if its_seed != seed:
        differing.append(f"seed ({quoted(its_seed)} before, {seed} now)")
    if differing:
        raise InputError(
            f"{stage.folder.path}: was trained with another configuration than {stage.config}: "
            f"{', '.join(differing)}; {remedy}"
        )


@reader("record of a training run")
def read_run_record(path: Path, remedy: str) -> tuple[dict[str, Any], int]:
    """Configuration and seed of a run, from ``config.json`` of its folder.

    Raises:
        InputError: the file is missing or invalid.
    """
    made_by = read_json(path, remedy, _MAX_RECORD_BYTES)
    run = made_by.get("run") if isinstance(made_by, dict) else None
    seed = made_by.get("seed") if isinstance(made_by, dict) else None
    if not isinstance(run, dict) or not isinstance(run.get("training"), dict) or type(seed) is not int:
        raise InputError(f"{path}: does not say how the stage was trained ({quoted(made_by)}); {remedy}")
    return run, seed


def _apart_from_place(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without the path of the start weights, which differs if train.py trained the stages."""
    return {**record, "training": {**record["training"], "after": []}}


def _check_fit(stage: Stage) -> None:
    """Check before training that the start weights of a stage fit its network."""
    if not stage.before:
        return
    for before in stage.before:
        if before.run.model.n_frames != stage.run.model.n_frames:
            raise InputError(
                f"{before.config}: model.n_frames is {before.run.model.n_frames}, of {stage.run.name} it is "
                f"{stage.run.model.n_frames}; all stages see clips of one length (data.crop_frames shortens them)"
            )
    with torch.device("meta"):
        # Without stochastic depth, which has no weights.
        model, *trained = (HyperLifter(replace(one.run.model, drop_path=0.0)) for one in (stage, *stage.before))
    names = " and ".join(str(before.config) for before in stage.before)
    start_from_trained(model, trained, f"{names} for {stage.run.name}")
