"""Which fonts Matplotlib knows, in processes of their own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from hyperlift import COMMAND_KEY

ROOT = Path(__file__).resolve().parents[3]
SAY = (
    "import hyperlift.rendering.pictures, matplotlib.font_manager as fonts; "
    "print(fonts.findfont('DejaVu Sans:bold')); print(sorted({font.name for font in fonts.fontManager.ttflist}))"
)


def said(tmp_path, code: str, **more: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name not in (COMMAND_KEY, "MPLCONFIGDIR")}
    environment |= {"PYTHONPATH": str(ROOT / "lib"), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), **more}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_a_command_draws_with_the_fonts_that_matplotlib_brings(tmp_path):
    bold, names = said(tmp_path, SAY, **{COMMAND_KEY: "1"})
    assert Path(bold).name == "DejaVuSans-Bold.ttf"
    # The empty list was read: a release that writes it otherwise would have searched the system, and know STIX.
    assert set(ast.literal_eval(names)) == {"DejaVu Sans", "DejaVu Sans Display", "DejaVu Sans Mono"}
    assert list(tmp_path.iterdir()) == []


def test_somebody_else_s_program_keeps_its_fonts(tmp_path):
    assert "STIXGeneral" in said(tmp_path, SAY)[1]


def test_a_folder_that_the_user_names_is_used(tmp_path):
    assert "STIXGeneral" in said(tmp_path, SAY, **{COMMAND_KEY: "1", "MPLCONFIGDIR": str(tmp_path / "mine")})[1]
    assert (tmp_path / "mine").is_dir()
