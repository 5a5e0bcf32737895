"""``hyperlift convert-mpi-inf-3dhp``: the files of MPI-INF-3DHP to a clip store."""

from hyperlift.cli.app import log_to_stderr, say
from hyperlift.cli.data_commands import ConvertMPIINF3DHP
from hyperlift.datasets.mpi_inf_3dhp_clips import convert_mpi_inf_3dhp


def main(options: ConvertMPIINF3DHP) -> int:
    """Run the command; returns its exit code."""
    log_to_stderr(ConvertMPIINF3DHP)
    train, test = options.dt_root / options.train_file, options.dt_root / options.test_file
    for split, clips in convert_mpi_inf_3dhp(train, test, options.out, options.plan).items():
        say(f"{options.out / split}: {clips} clips of {options.plan.n_frames} frames")
    return 0
