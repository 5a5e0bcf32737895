"""Array annotations such as ``Float[np.ndarray, "frames joints 3"]``, and formulas for NumPy and torch alike.

Tests check them through jaxtyping and beartype: pytest's plugin of jaxtyping is loaded before this module. Nobody else
waits for the import, nor needs the package; there the names below accept any subscript and mean the bare array type.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int, Shaped
else:

    class _Unchecked:
        def __class_getitem__(cls, item):
            return item[0]

    Bool = Float = Int = Shaped = _Unchecked

__all__ = ["Bool", "Float", "Int", "Shaped", "namespace"]


def namespace(array: Any) -> Any:
    """``torch`` for a tensor, ``numpy`` for an array: a formula written in functions that both have is a metric and a
    loss in one. Torch takes NumPy's ``axis`` and ``keepdims`` for its ``dim`` and ``keepdim``."""
    return sys.modules[type(array).__module__.partition(".")[0]]
