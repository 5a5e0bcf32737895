"""What plain values of a document may be taken for."""

from typing import TypeGuard


def is_number(value: object, least: float, most: float) -> TypeGuard[float]:
    """Whether a value is a number, not a truth value, from ``least`` to ``most``; NaN is not."""
    return type(value) in (int, float) and least <= value <= most  # type: ignore[operator]


def is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    """Whether a value is a whole number, not a truth value, from ``least`` to ``most``."""
    return type(value) is int and least <= value <= most
