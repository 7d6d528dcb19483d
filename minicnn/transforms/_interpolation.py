"""`InterpolationMode`, and what it is called elsewhere."""

from enum import Enum
from typing import Any


class InterpolationMode(Enum):
    """How pixels between pixels are computed. Tensors know the first four, of which rotations know two."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PILLOW = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
"""Pillow's numbers of the modes."""

_BY_NUMBER = {number: mode for mode, number in PILLOW.items() if mode is not InterpolationMode.NEAREST_EXACT}


def interpolation_of(value: Any) -> InterpolationMode:
    """The mode, given itself or Pillow's number of it.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, int) and value in _BY_NUMBER:
        return _BY_NUMBER[int(value)]
    if not isinstance(value, InterpolationMode):
        raise TypeError(
            "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, "
            f"got {value!r}"
        )
    return value
