"""``hyperlift convert-h36m``: the pickle of Human3.6M to a clip store."""

from hyperlift.cli.app import log_to_stderr, say
from hyperlift.cli.data_commands import ConvertH36M
from hyperlift.datasets.h36m_clips import convert_h36m


def main(options: ConvertH36M) -> int:
    """Run the command; returns its exit code."""
    log_to_stderr(ConvertH36M)
    source = options.dt_root / options.dt_file
    for split, clips in convert_h36m(source, options.out, options.plan, options.clip_format).items():
        say(f"{options.out / split}: {clips} clips of {options.plan.n_frames} frames")
    return 0
