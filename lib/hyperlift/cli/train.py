"""``hyperlift train``: train a lifter from scratch, or resume a run."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hyperlift.cli.app import log_to_stderr, say
from hyperlift.cli.run_config import resolve_run_config
from hyperlift.cli.run_record import Sections, complete_record
from hyperlift.cli.training_chain import read_run_record
from hyperlift.cli.training_commands import Train
from hyperlift.config.loader import to_mapping
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import BatchSampler, Clips, JoinedClips, LabelConvention, StoreClips, open_clips
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file
from hyperlift.files.locks import folder_lock
from hyperlift.models.checkpoint import load_bin_weights, load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.warm_start import start_from_trained
from hyperlift.rendering.pictures.training_curves import draw_training_curves
from hyperlift.skeletons.joint_sets import H36M_25
from hyperlift.training.config import RunConfig
from hyperlift.training.distributed import Ranks, process_group
from hyperlift.training.environment import cost_of, environment
from hyperlift.training.sinks import check_sink, make_sink
from hyperlift.training.supervised import SupervisedStep, validation_error
from hyperlift.training.trainer import LossStep, RunFolder, Trainer, in_bfloat16, resume_file

_LOG = logging.getLogger(__name__)

StepMaker = Callable[[RunConfig, HyperLifter, float], tuple[LossStep, Mapping[str, Any]]]
"""Makes the loss step and its section of the run's record, from configuration, network and frame rate of the clips."""


UNNAMED_FPS = 25.0
"""Frame rate of clips that state none: that of Human3.6M as published for lifting."""

_REMAKE = (
    "; move it away and make it with feet and hands: hyperlift convert-mocap --arrays MOCAP MOCAP2 "
    "--config configs/data/mocap_whole_wild.yaml --out {store}"
)
"""Convention of a store of a version without feet."""


def main(options: Train) -> int:
    """Run the command; returns its exit code."""
    return fit_run(options, _supervised)


def fit_run(options: Train, make_step: StepMaker, sections: Sections | None = None) -> int:
    """Train; returns the exit code.

    Args:
        options: of the command.
        make_step: makes the loss step.
        sections: of the run's record, for ``complete_record``.

    Raises:
        InputError: options, data or folder are invalid; nothing is written.
    """
    run = resolve_run_config(options.network)
    _check_start(options, run)
    for name in options.log:
        check_sink(name)
    folder = _run_folder(options, run.name)
    if options.threads:
        torch.set_num_threads(options.threads)
    with process_group(options.device) as (ranks, device), ExitStack() as held:
        log_to_stderr(Train, logging.INFO if ranks.first else logging.WARNING)
        trainer = _make_trainer(options, run, make_step, folder, ranks, device)
        trainer.complete = partial(_comparable, run, sections or {})
        if options.resume:
            if ranks.first:
                held.enter_context(folder_lock(folder.path))
            trainer.resume(options.resume)
        if ranks.first:
            if not options.resume:
                held.enter_context(folder_lock(folder.path))
                _run_folder(options, run.name)  # checked again: another run can have started and ended meanwhile
            _prepare_folder(folder, trainer.run_config, options.seed, environment(device))
            trainer.sinks += tuple(make_sink(name, folder.path, run.name) for name in options.log)
            assert isinstance(trainer.model, HyperLifter)
            _LOG.info("%s: %s; %s", run.name, cost_of(trainer.model), _where(device, ranks, run))
            _LOG.info("%d clips of %d frames", len(trainer.sampler.clips), trainer.sampler.clips.n_frames)
        trainer.fit()
        for sink in trainer.sinks:
            sink.close()
        if ranks.first:
            curves = draw_training_curves(folder.log, folder.curves)
            say(f"trained; the checkpoint is {folder.checkpoint('last')}, the curves are {curves}")
    return 0


def _comparable(run: RunConfig, sections: Sections, record: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """The record of a resumed run, without its start weights, which are part of its state."""
    complete = complete_record(record, source, sections)
    return {**complete, "training": {**complete["training"], "after": to_mapping(run.training.after)}}


def _run_folder(options: Train, name: str) -> RunFolder:
    """The folder of a new or resumed run; that of another run is rejected."""
    if options.resume:
        home = resume_file(options.resume).parent
        if options.checkpoint and options.checkpoint.resolve() != home.resolve():
            raise InputError(
                f"{options.resume}: lies in another folder than `checkpoint` {options.checkpoint}; a run goes on in "
                "its own folder: leave `checkpoint` out, or copy the whole folder first"
            )
        return RunFolder(home)
    folder = RunFolder(options.checkpoint or Path("checkpoint/pose3d") / name)
    if folder.resume.exists():
        raise InputError(
            f"{folder.path}: already holds a run; resume it (`resume` {folder.resume}) or choose another folder"
        )
    if folder.work:
        found = ", ".join(file.name for file in folder.work)
        raise InputError(
            f"{folder.path}: holds {found} of another run and no state to resume; choose another folder or move them"
        )
    _check_foreign(folder)
    return folder


def _check_foreign(folder: RunFolder) -> None:
    """Reject a folder without a run, whose files have names that a run writes."""
    foreign = [folder.curves] if folder.curves.exists() else []
    if folder.record.exists():
        try:
            read_run_record(folder.record, "")  # left by a run that was killed before its first step
        except InputError:
            foreign.append(folder.record)
    if foreign:
        raise InputError(f"{foreign[0]}: is of no training run and would be replaced; move it or choose another folder")


def _check_start(options: Train, run: RunConfig) -> None:
    """Reject a run whose start weights are missing, or given although it does not use them."""
    if options.resume and not options.pretrained:
        return  # the state of a resumed run holds its weights
    if not options.pretrained and run.training.after:
        config, before = options.network.config, " and ".join(map(str, run.training.after))
        raise InputError(
            f"{config}: starts from the weights that {before} trains (training.after); train that first and "
            f"give its best.safetensors as `pretrained`, or let hyperlift train-wild {config} train all"
        )
    if run.training.finetune != bool(options.pretrained):
        given = ", ".join(map(str, options.pretrained)) or "not given"
        raise InputError(
            f"{run.name}: training.finetune is {str(run.training.finetune).lower()} and `pretrained` is {given}; "
            "finetuning wants both"
        )


def _make_trainer(
    options: Train,
    run: RunConfig,
    make_step: StepMaker,
    folder: RunFolder,
    ranks: Ranks,
    device: torch.device,
) -> Trainer:
    convention = LabelConvention(run.model.label_space, run.model.rootrel, run.data.gt_2d)
    root = options.data or run.data.root
    folders = [folder / run.data.train for folder in (root, *run.data.more)]
    opened = {folder: _open_split(folder, convention, run, options.preload) for folder in dict.fromkeys(folders)}
    fps, credit = _fps_and_credits(opened, run)
    if len({clips.n_frames for clips in opened.values()}) > 1:
        lengths = ", ".join(f"{folder} has {clips.n_frames}" for folder, clips in opened.items())
        raise InputError(f"clips of different lengths: {lengths} frames; convert them alike")
    clips = opened[folders[0]] if len(folders) == 1 else JoinedClips([opened[folder] for folder in folders])
    torch.manual_seed(options.seed)
    model = HyperLifter(run.model).to(device)
    if options.pretrained:
        _start_from(model, options.pretrained, run, fps)
    _freeze_all_but(model, run.training.partial_train)
    step, record = make_step(run, model, fps)
    return Trainer(
        model=model,
        sampler=BatchSampler(
            clips,
            run.training.batch_size,
            options.seed,
            flip=run.data.flip,
            clips_per_epoch=run.training.clips_per_epoch,
            crop_frames=run.data.crop_frames,
        ),
        step=step,
        config=run.training,
        seed=options.seed,
        folder=folder,
        spec=LifterSpec(
            name=run.name,
            skeleton=run.model.skeleton,
            fps=fps,
            label_space=run.model.label_space,
            rootrel=run.model.rootrel,
            n_frames=run.model.n_frames,
            credit=credit,
        ),
        run={**to_mapping(run), **record},
        validate=_validator(run, root, convention, fps, options.preload),
        ranks=ranks,
        progress=options.progress,
    )


def _supervised(run: RunConfig, model: HyperLifter, fps: float) -> tuple[LossStep, Mapping[str, Any]]:
    frames = 1 if run.model.frame_lifter is None else run.model.frame_lifter.frames
    return SupervisedStep(run.loss, model.skeleton, run.training.one_frame, frames), {}


def _start_from(model: HyperLifter, pretrained: Sequence[Path], run: RunConfig, fps: float) -> None:
    if len(pretrained) == 1 and pretrained[0].suffix != ".safetensors":
        load_bin_weights(pretrained[0], model)
        return
    found = [load_checkpoint(file) for file in pretrained]
    for file, checkpoint in zip(pretrained, found, strict=True):
        spec = checkpoint.spec
        if (spec.skeleton, spec.fps) != (run.model.skeleton, fps):
            raise InputError(
                f"{file}: knows {spec.skeleton} at {spec.fps:g} frames a second, the clips are "
                f"{run.model.skeleton} at {fps:g}; convert the data alike or train from scratch"
            )
    start_from_trained(model, [checkpoint.model for checkpoint in found], " and ".join(map(str, pretrained)))


def _freeze_all_but(model: HyperLifter, trained: tuple[str, ...] | None) -> None:
    if trained is None:
        return
    # The transformer's layers are named without it, as in published configurations.
    short = {name: name.removeprefix("transformer.") for name, _ in model.named_parameters()}
    unknown = [prefix for prefix in trained if not any(name.startswith(prefix) for name in short.values())]
    if unknown or not trained:
        layers = ", ".join(dict.fromkeys(name.split(".")[0] for name in short.values()))
        raise InputError(f"partial_train {list(trained)}: no parameter begins with {unknown}; layers are {layers}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(short[name].startswith(trained))


def _where(device: torch.device, ranks: Ranks, run: RunConfig) -> str:
    threads = f"{torch.get_num_threads()} threads" if device.type == "cpu" else torch.cuda.get_device_name(device)
    precision = "bfloat16" if in_bfloat16(run.training, device) else "float32"
    return f"{device.type}, {threads}, {precision}" + (f", {ranks.world} processes" if ranks.world > 1 else "")


def _open_split(where: Path, convention: LabelConvention, run: RunConfig, preload: bool) -> Clips:
    clips = open_clips(where, convention, preload=preload)
    if clips.skeleton.name != run.model.skeleton:
        remedy = _REMAKE.format(store=where.parent) if run.model.skeleton == H36M_25.name else ""
        raise InputError(
            f"{where}: holds skeleton {clips.skeleton.name}, the config asks for {run.model.skeleton}{remedy}"
        )
    if clips.n_frames > run.model.n_frames:
        raise InputError(
            f"{where}: clips of {clips.n_frames} frames, the model takes {run.model.n_frames}; "
            "set model.n_frames or slice the data again"
        )
    fps, _ = _fps_and_credit(clips, run)
    if run.data.fps is not None and fps != run.data.fps:
        raise InputError(
            f"{where}: holds {fps:g} frames a second, data.fps of the config is {run.data.fps:g}; "
            "convert the data at that rate or change data.fps"
        )
    return clips


def _fps_and_credit(clips: Clips, run: RunConfig) -> tuple[float, str]:
    if isinstance(clips, StoreClips):
        return clips.store.meta.fps, run.data.credit or clips.store.meta.credit
    return run.data.fps or UNNAMED_FPS, run.data.credit


def _fps_and_credits(opened: Mapping[Path, Clips], run: RunConfig) -> tuple[float, str]:
    """The common frame rate of several sources, and their distinct credit lines."""
    facts = {folder: _fps_and_credit(clips, run) for folder, clips in opened.items()}
    if len({fps for fps, _ in facts.values()}) > 1:
        rates = ", ".join(f"{folder} has {fps:g}" for folder, (fps, _) in facts.items())
        raise InputError(f"clips of different frame rates: {rates} frames a second; convert them at one rate")
    return next(iter(facts.values()))[0], "\n".join(dict.fromkeys(credit for _, credit in facts.values() if credit))


def _validator(
    run: RunConfig, root: Path, convention: LabelConvention, fps: float, preload: bool
) -> Callable[[nn.Module], Mapping[str, float]] | None:
    if run.data.validation is None:
        return None
    where = root / run.data.validation
    held_out = _open_split(where, convention, run, preload)
    theirs, _ = _fps_and_credit(held_out, run)
    if theirs != fps:
        raise InputError(
            f"{where}: holds {theirs:g} frames a second, the training clips have {fps:g}; convert both at one rate"
        )
    return lambda model: validation_error(model, held_out)


def _prepare_folder(folder: RunFolder, run: Mapping[str, Any], seed: int, where: Mapping[str, Any]) -> None:
    resolved = {"seed": seed, "environment": where, "run": run}
    with atomic_file(folder.record) as partial_file:
        partial_file.write_text(json.dumps(resolved, indent=1) + "\n", encoding="utf-8")
