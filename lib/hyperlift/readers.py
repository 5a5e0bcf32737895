"""The readers of users' files, by name, and the net under them.

Every function that turns a file of the user's into values registers here with :func:`reader`. The decorator does two
things. It enters the function in :func:`registered`, from which the fuzz harness takes its list. And it turns whatever
stray exception a damaged file causes into one :class:`UnforeseenDamage` that names the file, so that no reader ends
in anything but :class:`~hyperlift.errors.InputError`.

The net is no excuse: a fault that can be foreseen has a message of its own. What the net caught keeps its cause,
is logged with its traceback at DEBUG, and is counted apart by the harness.
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
    """A file led to an exception that its reader has no message for; ``__cause__`` is that exception."""


@dataclass(frozen=True)
class Reader:
    """A function that turns a user's file into values.

    Attributes:
        name: what the file is, as a message says it: "keypoints", "run YAML". Unique.
        module: where the function stands.
        function: its qualified name there.
        read: the function, with the net under it.
    """

    name: str
    module: str
    function: str
    read: Callable[..., object]


_PATH_MAX = 4096
_registered: dict[str, Reader] = {}


def registered() -> Mapping[str, Reader]:
    """Return the readers of all modules imported so far, by name."""
    return MappingProxyType(_registered)


def reader(name: str, remedy: str = "copy or make it again") -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Register a function that reads a user's file, and put the net under it.

    The file is the first argument that is a path, a text or something with an attribute ``path``; a function that
    takes bytes or a mapping has none, and the message begins with ``name`` then. A generator function is covered
    while it is iterated. Under ``@classmethod`` or ``@staticmethod`` this decorator is the inner one.

    Args:
        name: what is read, as the message says it; unique in the package.
        remedy: what the user can do about a damaged file, the end of the message.
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
        def netted(*args: Any, **kwargs: Any) -> Any:
            with _net(name, remedy, args, kwargs):
                return read(*args, **kwargs)

        return netted

    def _iterated(read: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(read)
        def netted(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _net(name, remedy, args, kwargs):
                yield from read(*args, **kwargs)

        return netted

    return decorate


@contextmanager
def _net(name: str, remedy: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Iterator[None]:
    try:
        yield
    except (InputError, ImportError):  # an import that fails is a fault of the installation, not of the file
        raise
    except Exception as error:
        _log.debug("the reader of %s met an exception that it does not foresee", name, exc_info=error)
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
        said = one_line(str(error))
    except Exception:  # the text of an exception is made by whoever raised it, from the file's values
        said = ""
    return f"{kind}: {said}" if said else kind
