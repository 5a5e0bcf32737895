"""Allow-list of the functions that a pickle of plain data names, reimplemented on validated arguments.

A pickle describes an array as a call of a NumPy function and a state. Neither is passed to NumPy: a data type is built
from an allow-list of type strings, and an array from such a type, a shape and exactly as many bytes as both require.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hyperlift.errors import one_line, quoted
from hyperlift.safe_io.plain_values import NotPlain, check_keys

_SPEC = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,7}|O[48]")
"""Numbers, fixed-width strings, and objects (O4: from a 32-bit machine); no structured types, dates or sub-arrays."""
_OBJECTS = np.dtype(object)
MOST_EMPTY = 10**6
"""Maximal axis length and number of elements of an array without bytes, which the size of the file does not bound."""
MOST_AXES = 32
"""Maximal number of axes of a NumPy 1 array."""
_LAST_CODE_POINT = 0x10FFFF
"""The last code point of Unicode."""


class Name(str):
    """The name of a function or type in a pickle; it is never imported."""

    __slots__ = ()

    @property
    def described(self) -> str:
        """Text for messages."""
        return f"reference to {one_line(self)}"


class Unfinished:
    """A data type or array that the pickle has created and whose state has not been set.

    Attributes:
        spec: type string of a data type; None for an array.
        value: the result of ``build``.
    """

    __slots__ = ("spec", "value")
    described = "data type or array without a state"

    def __init__(self, spec: str | None) -> None:
        self.spec, self.value = spec, None

    def build(self, state: Any) -> Any:
        """Set the state, once, and return the finished value.

        Raises:
            NotPlain: the state is invalid.
        """
        if self.value is not None:
            raise NotPlain("a second state for the same data type or array")
        self.value = _array_of_state(state) if self.spec is None else _type_of_state(self.spec, state)
        return self.value


def resolve(module: Any, name: Any) -> Name:
    """The current name of a function or type; names of Python 2 and NumPy 1 are translated.

    Raises:
        NotPlain: the name is not on the allow-list.
    """
    if not isinstance(module, str) or not isinstance(name, str):
        raise NotPlain("a name that is no text")
    if module == "__builtin__":  # Python 2
        module = "builtins"
    elif module.startswith("numpy.core."):  # NumPy 1
        module = f"numpy._core.{module.removeprefix('numpy.core.')}"
    full_name = Name(f"{module}.{name}")
    if full_name not in _CALLS and full_name != _NDARRAY:
        raise NotPlain(f"this pickle wants to use {one_line(full_name)}, which plain data never needs")
    return full_name


def call(function: Any, arguments: Any) -> Any:
    """Evaluate a call of a function on the allow-list.

    Raises:
        NotPlain: the function is not on the allow-list, or its arguments are invalid.
    """
    if type(function) is not Name or function not in _CALLS or type(arguments) is not tuple:
        raise NotPlain("a call of something that plain data never calls")
    try:
        return _CALLS[function](*arguments)
    except NotPlain:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise NotPlain(f"{function} called with arguments that plain data never gives it") from error


def array_of(dtype: Any, shape: Any, data: Any, order: Any = "C") -> Any:
    """Build an array from validated parts; it is read-only, because it shares memory with ``data``.

    Args:
        dtype: from ``Unfinished.build``.
        shape: lengths of the axes.
        data: the bytes of all elements (or their latin-1 string, from Python 2); for objects, a list of the values.
        order: "C" or "F", as in NumPy.

    Raises:
        NotPlain: the parts are inconsistent.
    """
    if not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise NotPlain("an array without a data type or of an unknown order")
    if type(shape) is not tuple or len(shape) > MOST_AXES or not all(type(n) is int and n >= 0 for n in shape):
        raise NotPlain(f"an array of shape {_shown(shape)}")
    objects = dtype == _OBJECTS
    if not objects and type(data) is str:
        data = data.encode("latin1")
    if type(data) not in ((list,) if objects else (bytes, bytearray)):
        raise NotPlain(f"an array of {dtype} that is made of a {type(data).__name__}")
    elements = math.prod(shape)
    wanted, what = (elements, "values") if objects else (elements * dtype.itemsize, "bytes")
    if wanted != len(data):
        raise NotPlain(f"an array of {dtype} {_shown(shape)} takes {wanted:,} {what}, not {len(data):,}")
    if not data and max(elements, *shape, 0) > MOST_EMPTY:
        raise NotPlain(f"an empty array of shape {_shown(shape)}; the limit is {MOST_EMPTY:,}")
    if objects:
        array = np.empty(elements, object)
        for place, value in enumerate(data):
            array[place] = value
        array = array.reshape(shape)
    elif not data:
        array = np.zeros(shape, dtype)
    else:
        check_elements(dtype, data)
        array = np.ndarray(shape, dtype, buffer=data, order=order)
    array.flags.writeable = False
    return array


def check_elements(dtype: np.dtype, data: bytes | bytearray | memoryview) -> None:
    """Reject bytes that are not a valid boolean or character: NumPy does not check them.

    Raises:
        NotPlain: there is an invalid element.
    """
    if not len(data):
        return
    if dtype.kind == "b" and np.frombuffer(data, np.uint8).max() > 1:
        raise NotPlain("truth values other than 0 and 1")
    if dtype.kind == "U" and np.frombuffer(data, np.dtype("u4").newbyteorder(dtype.byteorder)).max() > _LAST_CODE_POINT:
        raise NotPlain("characters outside Unicode")


def _array_of_state(state: Any) -> np.ndarray:
    if type(state) is not tuple or len(state) != 5 or state[0] != 1 or type(state[3]) not in (bool, int):
        raise NotPlain("an array whose state is not version 1, shape, data type, order and content")
    _, shape, dtype, fortran, data = state
    # NumPy writes objects in C order, regardless of their order in memory.
    return array_of(dtype, shape, data, "F" if fortran and dtype != _OBJECTS else "C")


def _type_of_state(spec: str, state: Any) -> np.dtype:
    """Build a data type from its state, which must be the state that NumPy writes for a type without fields and
    sub-array."""
    plain = np.dtype("O" if spec[0] == "O" else spec)
    orders = "<>" if plain.kind in "iufcU" and plain.str[1:] not in ("i1", "u1") else "|<>"
    if type(state) is not tuple or len(state) != 8:
        raise NotPlain(f"a data type {spec} with a state of another version")
    version, order, subarray, names, fields, itemsize, alignment, flags = state
    fits = (
        (version, subarray, names, fields) == (3, None, None, None)
        and type(order) is str
        and len(order) == 1
        and order in orders
        and itemsize in ((-1, plain.itemsize) if plain.kind in "SU" else (-1,))
        and alignment in ((-1, plain.alignment) if plain.kind in "SU" else (-1,))
        and flags in {"O": (63,), "U": (0, 8)}.get(plain.kind, (0,))
    )
    if not fits:
        raise NotPlain(f"a data type {spec} with a state that a plain one never has")
    return np.dtype(f"{order}{spec}") if plain.kind in "iufcU" else plain


def _shown(value: Any) -> str:
    """Text of an unchecked value for messages; only strings and tuples of integers are formatted."""
    plain = type(value) is str or (type(value) is tuple and all(type(part) is int for part in value))
    return quoted(value) if plain else f"of type {type(value).__name__}"


def _dtype(spec: Any, align: Any = 0, copy: Any = 1) -> Unfinished:
    if type(spec) is not str or not _SPEC.fullmatch(spec) or align not in (0, 1) or copy not in (0, 1):
        raise NotPlain(f"the data type {_shown(spec)}; plain data has numbers, fixed-width texts and objects")
    return Unfinished(spec)


def _reconstruct(kind: Any, shape: Any, code: Any) -> Unfinished:
    if kind != _NDARRAY or shape != (0,) or code not in (b"b", "b"):
        raise NotPlain("an array of another kind than NumPy's own")
    return Unfinished(None)


def _scalar(dtype: Any, data: Any) -> np.generic:
    if dtype == _OBJECTS:
        raise NotPlain("a NumPy scalar that is an object")
    return array_of(dtype, (), data)[()]


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    if dtype == _OBJECTS:
        raise NotPlain("an array of objects from bytes")
    if order != "K":
        return array_of(dtype, shape, data, order)
    array = array_of(dtype, shape, data)
    if type(axes) is not tuple or not all(type(axis) is int for axis in axes) or sorted(axes) != [*range(array.ndim)]:
        raise NotPlain(f"an array whose axes are ordered {_shown(axes)}")
    return array.transpose(axes)


def _latin1_bytes(text: Any, encoding: Any = None) -> bytes:
    # Protocols 0 to 2 write bytes this way.
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise NotPlain(f"bytes in the encoding {_shown(encoding)}")
    return text.encode("latin1")


def _bytearray(content: Any = b"", encoding: Any = None) -> bytearray:
    return bytearray(content if type(content) is bytes else _latin1_bytes(content, encoding))


def _empty_bytes() -> bytes:
    return b""


def _complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise NotPlain("a complex number that is not made of two floats")
    return complex(real, imaginary)


def _set(members: Any = ()) -> set[Any]:
    if type(members) not in (list, tuple):
        raise NotPlain("a set whose members are no list")
    check_keys(members, ())
    return set(members)


def _frozenset(members: Any = ()) -> frozenset[Any]:
    return frozenset(_set(members))


def _mapping(pairs: Any = ()) -> dict[Any, Any]:
    """An OrderedDict as a plain dict, which has no attributes that a pickle could set."""
    if type(pairs) not in (list, tuple) or not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise NotPlain("an OrderedDict that is not made of pairs")
    check_keys([key for key, _ in pairs], ())
    return dict(pairs)


_NDARRAY = Name("numpy.ndarray")
_CALLS: Mapping[str, Callable[..., Any]] = {
    "numpy.dtype": _dtype,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "collections.OrderedDict": _mapping,
    "_codecs.encode": _latin1_bytes,
    "builtins.bytes": _empty_bytes,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    "builtins.set": _set,
    "builtins.frozenset": _frozenset,
}
