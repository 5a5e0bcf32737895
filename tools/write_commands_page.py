"""Write docs/commands.md, the reference of every command and option, from the declarations.

python tools/write_commands_page.py
"""

from pathlib import Path

from hyperlift.cli.main import COMMANDS, options_of
from hyperlift.config.option import OptionField, option_fields

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Written by `python tools/write_commands_page.py` from the declarations of the options; a test keeps it up to date.

`hyperlift COMMAND …`, `python -m hyperlift COMMAND …`, and the scripts that are named below are the same. `hyperlift
--version` prints the version of the library; `--version` of a command is that of the network.

In the name of an option `_` and `-` are the same: published command lines with `--hyper_cfg`, `--hyper_relation_bias`,
`--distill_cfg`, `--video_size` and the like stay valid. Relative paths start at the working directory, on the command
line and in every YAML file. The column Python names the field where a command is called as a function; messages of the
library name that field.

A mistake is one line on standard error, and the exit code is 2.

"""
SCRIPTS = {
    "lift": "infer_wild.py",
    "train": "train.py",
    "distill": "train_distill.py",
    "evaluate": "evaluate.py",
    "attention": "vis_attn.py",
    "export": "deployment/deployment_pose3d.py",
    "train-wild": "tools/train_wild.py",
    "model-card": "tools/model_card.py",
    "draw-curves": "tools/draw_curves.py",
    "convert-mocap": "tools/convert_mocap.py",
    "convert-h36m": "tools/convert_h36m_mixste_style.py",
    "convert-mpi-inf-3dhp": "tools/convert_mpi_inf_3dhp.py",
    "fit-detector-noise": "tools/fit_detector_noise.py",
}


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(section(command) for command in COMMANDS)


def section(command: str) -> str:
    """A command: what it does and its options, those that must be given first."""
    kind = options_of(command)
    options = sorted(option_fields(kind), key=lambda one: not (one.required or one.option.positional))
    does = " ".join((kind.__doc__ or "").split())
    script = f" Also `python {SCRIPTS[command]}`." if command in SCRIPTS else ""
    rows = [row for one in options for row in rows_of(one)]
    return "\n".join([f"## {command}\n", f"{does}{script}\n", "| option | Python | what |", "|---|---|---|", *rows, ""])


def rows_of(one: OptionField) -> list[str]:
    """A row, or one for each switch."""
    if one.option.switches:
        return [_row(f"`--{name}`", one.name, does) for name, does in one.option.switches.items()]
    spelt = f"`{one.flag}`" if one.option.positional else ", ".join(f"`{name}`" for name in one.spellings)
    value = "" if one.option.positional or one.kind is bool else f" `{one.metavar}`"
    needed = " **required**" if one.required and not one.option.positional else ""
    return [_row(f"{spelt}{value}{needed}", one.name, one.help)]


def _row(spelt: str, name: str, does: str) -> str:
    cells = (spelt.replace("|", "\\|"), f"`{name}`", does.replace("<", "&lt;"))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
