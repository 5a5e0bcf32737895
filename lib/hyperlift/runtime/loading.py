"""Opens lifters: bundled ones by name, others from an ONNX file."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from hyperlift.contract import STREAM_METADATA_KEY
from hyperlift.errors import InputError
from hyperlift.readers import reader
from hyperlift.runtime.session import OnnxLifter, metadata_of, open_session
from hyperlift.runtime.stream import OnnxStream

BUNDLED = {"small": "lifter-small.onnx", "nano": "lifter-nano.onnx"}
"""Bundled lifters of windows, by name; the first is the default."""
BUNDLED_STREAMS = {"small_stream": "lifter-small_stream.onnx"}
"""Bundled streaming lifters, by name."""


@reader("ONNX lifter", remedy="export it again, or name a bundled lifter")
def load_lifter(path: Path | str | None = None, threads: int | None = None) -> OnnxLifter:
    """Open a lifter; a streaming lifter is an ``OnnxStream``.

    Args:
        path: an ONNX file, or the name of a bundled lifter; None: the default lifter.
        threads: CPU threads; None: all cores.

    Raises:
        InputError: the file is missing or is no lifter.

    Example:
        >>> import numpy as np
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter = load_lifter("nano")
        >>> lifter(np.zeros((1, 81, 17, 3), np.float32)).shape
        (1, 81, 17, 3)
    """
    name = next(iter(BUNDLED)) if path is None else str(path)
    if (bundled := bundled_file(name)) is not None:
        if not bundled.is_file():
            raise InputError(
                f"the bundled lifter {name!r} is not in this installation; install hyperlift again or give an ONNX file"
            )
        return _opened(bundled.read_bytes(), f"bundled lifter {name!r}", threads)
    path = Path(name)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give an ONNX lifter, or the name of a bundled one: {_names()}")
    return _opened(path, str(path), threads)


def bundled_file(name: str) -> Traversable | None:
    """File of a bundled lifter; None if there is no such name."""
    file = {**BUNDLED, **BUNDLED_STREAMS}.get(name)
    return None if file is None else resources.files("hyperlift") / "weights" / file


def _opened(model: Path | bytes, source: str, threads: int | None) -> OnnxLifter:
    session = open_session(model, source, threads)
    streams = STREAM_METADATA_KEY in metadata_of(session, source)
    return (OnnxStream if streams else OnnxLifter)(model, source, threads, session)


def _names() -> str:
    return ", ".join([*BUNDLED, *BUNDLED_STREAMS])
