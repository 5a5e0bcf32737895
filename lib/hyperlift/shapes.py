"""Array annotations such as ``Float[np.ndarray, "frames joints 3"]``, and the array namespace of an array.

Tests check the annotations with jaxtyping and beartype: the pytest plugin of jaxtyping is imported before this module.
Outside tests, jaxtyping is not imported, and an annotation means the bare array type.
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
    """``torch`` for a tensor, ``numpy`` for an array, so that a metric and a loss share one formula. Torch accepts the
    names ``axis`` and ``keepdims`` of NumPy."""
    return sys.modules[type(array).__module__.partition(".")[0]]
