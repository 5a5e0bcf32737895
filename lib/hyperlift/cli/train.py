"""Train a lifter from scratch or go on with a run."""

import argparse
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hyperlift.cli.app import guarded
from hyperlift.cli.run_config import add_config_arguments, resolve_run_config
from hyperlift.config import to_mapping
from hyperlift.data.clips import BatchSampler, Clips, LabelConvention, StoreClips, open_clips
from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec
from hyperlift.models import HyperLifter
from hyperlift.training.config import RunConfig
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import LossStep, RunFolder, Trainer
from hyperlift.training.validation import validation_error

_LOG = logging.getLogger(__name__)

StepMaker = Callable[[RunConfig, HyperLifter, float], tuple[LossStep, Mapping[str, Any]]]
"""From configuration, network and frames a second of the clips: what to minimise, and what the run's record says of
it beside the configuration."""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(description="Train a lifter; the run folder gets checkpoints and a log.")
    add_config_arguments(arguments, config_required=True)
    arguments.add_argument("-r", "--resume", type=Path, metavar="FILE", help="last.resume.pt of the run to go on with")
    arguments.add_argument("--seed", type=int, default=0, help="of weights, order of clips, flips, stochastic depth")
    arguments.add_argument("--data", type=Path, help="folder of the clips, in place of data.root of the config")
    arguments.add_argument("--device", default=None, help="cpu or cuda; the default is cuda where there is one")
    arguments.add_argument("--threads", type=int, help="CPU threads; the default is all cores")
    arguments.add_argument("--no-progress", action="store_true", help="no progress bar")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return fit_run(parser().parse_args(argv), _supervised)


def fit_run(args: argparse.Namespace, make_step: StepMaker) -> int:
    """Train as the arguments of ``parser`` say; returns the exit code.

    Raises:
        InputError: something does not fit; nothing has been written then.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run = resolve_run_config(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    folder = RunFolder(args.checkpoint or Path("checkpoint/pose3d") / run.name)

    convention = LabelConvention(run.model.label_space, run.model.rootrel)
    root = args.data or run.data.root
    clips = open_clips(root / run.data.train, convention)
    _check_clips(clips, run, root / run.data.train)
    fps, credit = _fps_and_credit(clips, run)

    torch.manual_seed(args.seed)
    model = HyperLifter(run.model).to(device)
    step, record = make_step(run, model, fps)
    trainer = Trainer(
        model=model,
        sampler=BatchSampler(
            clips,
            run.training.batch_size,
            args.seed,
            flip=run.data.flip,
            clips_per_epoch=run.training.clips_per_epoch,
        ),
        step=step,
        config=run.training,
        seed=args.seed,
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
        validate=_validator(run, root, convention),
        progress=not args.no_progress,
    )
    if args.resume:
        trainer.resume(args.resume)
    elif folder.resume.exists():
        raise InputError(
            f"{folder.path}: already holds a run; go on with it by -r {folder.resume} or choose another folder"
        )
    _prepare_folder(folder, trainer.run_config, args.seed)
    parameters = sum(p.numel() for p in model.parameters())
    _LOG.info(
        "%s: %.2f M parameters, %d clips of %d frames, on %s",
        run.name,
        parameters / 1e6,
        len(clips),
        clips.n_frames,
        device,
    )
    trainer.fit()
    print(f"trained; the checkpoint is {folder.checkpoint('last')}")
    return 0


def _check_clips(clips: Clips, run: RunConfig, where: Path) -> None:
    if clips.skeleton.name != run.model.skeleton:
        raise InputError(f"{where}: holds skeleton {clips.skeleton.name}, the config asks for {run.model.skeleton}")
    if clips.n_frames > run.model.n_frames:
        raise InputError(
            f"{where}: clips of {clips.n_frames} frames, the model takes {run.model.n_frames}; "
            "set model.n_frames or slice the data again"
        )


def _fps_and_credit(clips: Clips, run: RunConfig) -> tuple[float, str]:
    if isinstance(clips, StoreClips):
        return clips.store.meta.fps, run.data.credit or clips.store.meta.credit
    return 25.0, run.data.credit


def _validator(
    run: RunConfig, root: Path, convention: LabelConvention
) -> Callable[[nn.Module], Mapping[str, float]] | None:
    if run.data.validation is None:
        return None
    held_out = open_clips(root / run.data.validation, convention)
    _check_clips(held_out, run, root / run.data.validation)
    return lambda model: validation_error(model, held_out)


def _supervised(run: RunConfig, model: HyperLifter, fps: float) -> tuple[LossStep, Mapping[str, Any]]:
    return SupervisedStep(run.loss, model.skeleton), {}


def _prepare_folder(folder: RunFolder, run: Mapping[str, Any], seed: int) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder.path}: cannot create the run folder ({error.strerror})") from error
    resolved = {"seed": seed, "torch": torch.__version__, "run": run}
    (folder.path / "config.json").write_text(json.dumps(resolved, indent=1) + "\n")
