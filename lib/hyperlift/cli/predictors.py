"""Loading of networks for commands."""

from pathlib import Path

from hyperlift.cli.run_config import refuse_contradiction, resolve_run_config
from hyperlift.cli.training_commands import Configuration
from hyperlift.config.loader import to_mapping
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import Checkpoint, load_bin_weights, load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter


def load_checkpoint_for(path: Path, network: Configuration) -> Checkpoint:
    """Load a checkpoint, and check it against the other options of the command.

    Args:
        path: ``.safetensors`` of this library, or an older ``.bin``, which needs ``network.config``.
        network: options about the network.

    Raises:
        InputError: the file cannot be loaded, or the options contradict it.
    """
    if path.suffix == ".safetensors" or not path.is_file():
        checkpoint = load_checkpoint(path)
        refuse_contradiction(network, path, to_mapping(checkpoint.model.config))
        return checkpoint
    if network.config is None:
        raise InputError(f"{path}: carries no configuration; give the `config` (and `hyper_cfg`) it was trained with")
    run = resolve_run_config(network)
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
