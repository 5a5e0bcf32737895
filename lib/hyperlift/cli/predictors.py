"""Networks from files, for the commands that want one."""

import argparse
from pathlib import Path

from hyperlift.cli.run_config import refuse_contradiction, resolve_run_config
from hyperlift.config import to_mapping
from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec, Predictor
from hyperlift.models import HyperLifter
from hyperlift.models.checkpoint import Checkpoint, load_bin_weights, load_checkpoint
from hyperlift.models.predictor import TorchPredictor


def load_checkpoint_for(path: Path, args: argparse.Namespace) -> Checkpoint:
    """The checkpoint that a command names, checked against what its other arguments say.

    Args:
        path: ``.safetensors`` of this library, or an older ``.bin``, which needs ``--config``.
        args: with ``config``, ``hyper_cfg``, ``hyper_relation_bias`` and ``version``.

    Raises:
        InputError: the file does not load, or the arguments contradict it.
    """
    if path.suffix == ".safetensors" or not path.is_file():
        checkpoint = load_checkpoint(path)
        refuse_contradiction(args, path, to_mapping(checkpoint.model.config))
        return checkpoint
    if args.config is None:
        raise InputError(f"{path}: carries no configuration; give the --config (and --hyper_cfg) it was trained with")
    run = resolve_run_config(args)
    model = HyperLifter(run.model)
    load_bin_weights(path, model)
    spec = LifterSpec(
        name=run.name,
        skeleton=run.model.skeleton,
        label_space=run.model.label_space,
        rootrel=run.model.rootrel,
        n_frames=run.model.n_frames,
        credit=run.data.credit,
    )
    return Checkpoint(model=model.eval(), spec=spec, run=to_mapping(run))


def load_checkpoint_predictor(path: Path, args: argparse.Namespace) -> tuple[Predictor, LifterSpec]:
    """A checkpoint as a function on arrays, with its contract."""
    checkpoint = load_checkpoint_for(path, args)
    return TorchPredictor(checkpoint.model), checkpoint.spec
