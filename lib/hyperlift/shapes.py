"""Array annotations such as ``Float[np.ndarray, "frames joints 3"]``.

Tests check them through jaxtyping and beartype. An installation that only lifts does not carry jaxtyping; there the
names below accept any subscript and mean the bare array type.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Shaped
else:
    try:
        from jaxtyping import Bool, Float, Int, Shaped
    except ModuleNotFoundError:

        class _Unchecked:
            def __class_getitem__(cls, item):
                return item[0]

        Bool = Float = Int = Shaped = _Unchecked

__all__ = ["Bool", "Float", "Int", "Shaped"]
