"""Matplotlib with the fonts that it brings along, leaving nothing in the user's home.

When it is first imported Matplotlib looks at every font of the system and keeps what it found in a folder of the user.
Our pictures take its own DejaVu Sans, so that a command needs neither the search nor the folder, and draws the same on
every machine. In the program of somebody who uses the library Matplotlib stays as that program wants it.
"""

import ast
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from hyperlift import COMMAND_KEY

_HOME_KEY = "MPLCONFIGDIR"


def import_matplotlib() -> None:
    """Import Matplotlib's fonts; of a process that is ours, without the user's folder. Call it before other imports."""
    if COMMAND_KEY not in os.environ or _HOME_KEY in os.environ or "matplotlib" in sys.modules:
        return
    with TemporaryDirectory() as folder:
        os.environ[_HOME_KEY] = folder
        try:
            _write_empty_list(Path(folder))
            from matplotlib.font_manager import fontManager
        finally:
            del os.environ[_HOME_KEY]
    if fontManager.ttflist:  # a release whose list is written otherwise: it has searched after all
        return
    from matplotlib import get_data_path

    for font in sorted(Path(get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf")):
        fontManager.addfont(font)


def _write_empty_list(folder: Path) -> None:
    """Write the list that Matplotlib expects to have kept, without fonts, as the installed release reads it."""
    found = find_spec("matplotlib.font_manager")
    source = Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
    version = re.search(r"^    __version__ = (.+)$", source, re.MULTILINE)
    if version is None:
        return
    told = ast.literal_eval(version[1])
    empty = {
        "__class__": "FontManager",
        "_version": told,
        "_FontManager__default_weight": "normal",
        "default_size": None,
        "defaultFamily": {"ttf": "DejaVu Sans", "afm": "Helvetica"},
        "afmlist": [],
        "ttflist": [],
    }
    (folder / f"fontlist-v{told}.json").write_text(json.dumps(empty))
