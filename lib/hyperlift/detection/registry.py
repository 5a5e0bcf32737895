"""Detectors by name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from hyperlift.detection.detector import Detector
from hyperlift.detection.movenet import MoveNetDetector
from hyperlift.detection.rtmlib_detector import RtmlibDetector
from hyperlift.errors import InputError, quoted


def _fast(**options: Any) -> Detector:
    return MoveNetDetector(**{"follow": "lightning", "long_side": 384, **options})


_MAKERS: Mapping[str, Callable[..., Detector]] = {
    "movenet": MoveNetDetector,
    "movenet-fast": _fast,
    "rtmlib": RtmlibDetector,
}
DETECTORS = tuple(_MAKERS)
"""Names that ``make_detector`` knows."""


def make_detector(name: str, **options: Any) -> Detector:
    """A detector by name.

    Args:
        name: ``movenet`` (bundled, with Thunder), ``movenet-fast`` (bundled, with Lightning and a smaller picture for
            new people) or ``rtmlib`` (optional extra).
        options: arguments of ``MoveNetDetector`` or ``RtmlibDetector``.

    Raises:
        InputError: the name or an option is unknown, or the detector cannot be opened.

    Example:
        >>> from hyperlift.detection.registry import make_detector
        >>> make_detector("movenet-fast", fps=25).skeleton.name
        'coco17'
    """
    if name not in _MAKERS:
        raise InputError(f"unknown detector {quoted(name)}; known: {', '.join(_MAKERS)}")
    maker = RtmlibDetector if name == "rtmlib" else MoveNetDetector
    known = set(inspect.signature(maker).parameters)
    unknown = sorted(set(options) - known)
    if unknown:
        raise InputError(f"detector {name} takes no option {', '.join(unknown)}; it takes {', '.join(sorted(known))}")
    return _MAKERS[name](**options)
