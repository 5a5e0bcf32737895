"""Array annotations such as ``Float[np.ndarray, "frames joints 3"]``.

Tests check them through jaxtyping and beartype: pytest's plugin of jaxtyping is loaded before this module. Nobody else
waits for the import, nor needs the package; there the names below accept any subscript and mean the bare array type.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int, Shaped
else:

    class _Unchecked:
        def __class_getitem__(cls, item):
            return item[0]

    Bool = Float = Int = Shaped = _Unchecked

__all__ = ["Bool", "Float", "Int", "Shaped"]
