"""Import of Matplotlib with its bundled fonts only, without a font cache in the home folder.

On first import, Matplotlib searches all fonts of the system and caches the list in the home folder. Our commands use
only its bundled DejaVu Sans, so they skip the search and draw the same on every machine. If the library is used in
another program, Matplotlib is not changed.
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
    """Import Matplotlib's fonts, in our own commands without the font cache. Call it before other imports of it."""
    if COMMAND_KEY not in os.environ or _HOME_KEY in os.environ or "matplotlib" in sys.modules:
        return
    with TemporaryDirectory() as folder:
        os.environ[_HOME_KEY] = folder
        try:
            _write_empty_list(Path(folder))
            from matplotlib.font_manager import fontManager
        finally:
            del os.environ[_HOME_KEY]
    if fontManager.ttflist:  # this release has another cache format, and has searched the system
        return
    from matplotlib import get_data_path

    for font in sorted(Path(get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf")):
        fontManager.addfont(font)


def _write_empty_list(folder: Path) -> None:
    """Write an empty font cache in the format of the installed release of Matplotlib."""
    found = find_spec("matplotlib.font_manager")
    source = Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
    version = re.search(r"^    __version__ = (.+)$", source, re.MULTILINE)
    if version is None:
        return
    cache_version = ast.literal_eval(version[1])
    empty = {
        "__class__": "FontManager",
        "_version": cache_version,
        "_FontManager__default_weight": "normal",
        "default_size": None,
        "defaultFamily": {"ttf": "DejaVu Sans", "afm": "Helvetica"},
        "afmlist": [],
        "ttflist": [],
    }
    (folder / f"fontlist-v{cache_version}.json").write_text(json.dumps(empty))
