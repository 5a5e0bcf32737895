"""Registry of all functions that read users' files, with a last-resort error handler.

Every such function is decorated with :func:`reader`. The decorator registers it, which gives the fuzz harness its list
of targets, and converts any unexpected exception to :class:`UnforeseenDamage`, which names the file: a reader raises
nothing but :class:`~hyperlift.errors.InputError`.

A foreseeable fault needs its own message. An unexpected exception is chained as the cause, logged with its traceback at
DEBUG, and counted separately by the fuzz harness.
"""

import inspect
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar, cast

from hyperlift.errors import InputError, one_line

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class UnforeseenDamage(InputError):
    """A file caused an exception for which its reader has no message; ``__cause__`` is that exception."""


@dataclass(frozen=True)
class Reader:
    """A registered reader.

    Attributes:
        name: kind of file in messages, such as "keypoints" or "run YAML"; unique.
        module: module that defines the function.
        function: qualified name within the module.
        read: the decorated function.
    """

    name: str
    module: str
    function: str
    read: Callable[..., object]


_PATH_MAX = 4096
"""Maximal characters of a path in a message: ``PATH_MAX`` of Linux."""
_registered: dict[str, Reader] = {}


def registered() -> Mapping[str, Reader]:
    """The readers of all modules imported so far, by name."""
    return MappingProxyType(_registered)


def reader(name: str, remedy: str = "copy or make it again") -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorator that registers a reader and converts its unexpected exceptions.

    Messages name the file: the first argument that is a path, a text or has an attribute ``path``. Without such an
    argument (bytes, a mapping) the message begins with ``name``. A generator function is covered while it is iterated.
    Below ``@classmethod`` or ``@staticmethod``, this decorator is the inner one.

    Args:
        name: kind of file in messages; unique in the package.
        remedy: end of the message: what the user can do about a damaged file.
    """

    def decorate(read: Callable[_P, _R]) -> Callable[_P, _R]:
        wrapped = cast(Callable[_P, _R], _iterated(read) if inspect.isgeneratorfunction(read) else _called(read))
        known = _registered.get(name)
        entry = Reader(name, read.__module__, read.__qualname__, wrapped)
        assert known is None or (known.module, known.function) == (entry.module, entry.function), f"two readers {name}"
        _registered[name] = entry
        return wrapped

    def _called(read: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(read)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _guard(name, remedy, args, kwargs):
                return read(*args, **kwargs)

        return guarded

    def _iterated(read: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(read)
        def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _guard(name, remedy, args, kwargs):
                yield from read(*args, **kwargs)

        return guarded

    return decorate


@contextmanager
def _guard(name: str, remedy: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Iterator[None]:
    try:
        yield
    except (InputError, ImportError):  # a failed import is a fault of the installation, not of the file
        raise
    except Exception as error:
        _log.debug("unexpected exception in the reader of %s", name, exc_info=error)
        file = _file_of((*args, *kwargs.values()))
        what = f"{name} cannot be read" if file is None else f"{one_line(file, _PATH_MAX)}: cannot be read as {name}"
        raise UnforeseenDamage(f"{what} ({_reason(error)}); {remedy}") from error


def _file_of(values: tuple[object, ...]) -> str | None:
    for value in values:
        value = getattr(value, "path", value)
        if isinstance(value, str | os.PathLike):
            return os.fsdecode(value)
    return None


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {one_line(error.strerror)}"
    try:
        text = one_line(str(error))
    except Exception:  # the exception may format values of the file, which can fail
        text = ""
    return f"{kind}: {text}" if text else kind
