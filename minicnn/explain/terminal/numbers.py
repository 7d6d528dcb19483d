"""How numbers, sums and shapes are written."""

from collections.abc import Iterable, Sequence
from typing import SupportsFloat

import numpy as np

LARGEST_WHOLE = 10**6
"""From here on, whole numbers too are written in four digits."""


def number(value: SupportsFloat) -> str:
    """A whole number as it is, another one in four digits."""
    real = float(value)
    if abs(real) < LARGEST_WHOLE and real.is_integer():
        return str(int(real))
    return f"{real:.4g}"


def factor(value: SupportsFloat) -> str:
    """A number behind a sign: negative ones in brackets."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def is_rounded(arrays: Iterable[np.ndarray]) -> bool:
    """Whether `number` leaves out digits of some of these numbers."""
    for array in arrays:
        finite = array[np.isfinite(array)]
        doubtful = finite[(finite != np.floor(finite)) | (np.abs(finite) >= LARGEST_WHOLE)]
        if any(float(number(value)) != value for value in doubtful.tolist()):
            return True
    return False


def times(sizes: Sequence[int]) -> str:
    """Sizes with × between them."""
    return "×".join(map(str, sizes)) or "one number"


def indices(place: Iterable[int]) -> str:
    """[0, 1, 2]"""
    return f"[{', '.join(map(str, place))}]"


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
