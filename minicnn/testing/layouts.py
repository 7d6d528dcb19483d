"""Arrays in every order of memory, and what to fill them with."""

from dataclasses import dataclass
from typing import Any

import numpy as np


def fill(shape: tuple[int, ...], kind: str, seed: int, dtype: Any = np.float32) -> np.ndarray:
    """An array of small integers, of {-1, 0, 1} (full of ties), of reals over four orders of magnitude or normals."""
    rng = np.random.default_rng(seed)
    if kind == "integers":
        return rng.integers(-4, 5, shape).astype(dtype)
    if kind == "ties":
        return rng.integers(-1, 2, shape).astype(dtype)
    spread = 0 if kind == "normals" else 2
    return (rng.standard_normal(shape) * 10.0 ** rng.uniform(-spread, spread, shape)).astype(dtype)


@dataclass(frozen=True)
class Layout:
    """How an array lies in memory. Axes are counted from the last one.

    Attributes:
        ranks: the order of the axes, the innermost has the lowest rank.
        gap: an axis along which elements lie apart, if any.
        reverse: an axis that runs backwards, if any.
        repeat: an axis of stride 0, along which one element stands for all, if any; this changes the values.
    """

    ranks: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    gap: int | None = None
    reverse: int | None = None
    repeat: int | None = None

    def of(self, x: np.ndarray) -> np.ndarray:
        """The values of `x` laid out like this."""
        order = sorted(range(x.ndim), key=lambda axis: -self.ranks[x.ndim - 1 - axis])
        y = x.transpose(order).copy()
        places = [
            None if axis is None or axis >= x.ndim else order.index(x.ndim - 1 - axis)
            for axis in (self.gap, self.reverse, self.repeat)
        ]
        if places[0] is not None:
            wide = np.repeat(y, 2, places[0])
            lines = np.moveaxis(wide, places[0], 0)
            lines[1::2] = np.nan if x.dtype.kind == "f" else 99
            y = np.moveaxis(lines[::2], 0, places[0])
        if places[1] is not None:
            y = np.flip(np.flip(y, places[1]).copy() if places[0] is None else y, places[1])
        if places[2] is not None and x.size:
            strides = [0 if place == places[2] else stride for place, stride in enumerate(y.strides)]
            y = np.lib.stride_tricks.as_strided(y, y.shape, strides)
        return y.transpose(np.argsort(order))


CONTIGUOUS = Layout()
_NAMED = {
    "contiguous": CONTIGUOUS,
    "channels_last": Layout((1, 2, 0, 3, 4, 5)),
    "strided": Layout(gap=0),
    "transposed": Layout((1, 0, 2, 3, 4, 5)),
    "reversed": Layout(reverse=0),
}
LAYOUTS = tuple(_NAMED)


def lay_out(x: np.ndarray, layout: str | Layout) -> np.ndarray:
    """A copy of `x` with the same values in memory order `layout`, one of LAYOUTS or any other."""
    return (_NAMED[layout] if isinstance(layout, str) else layout).of(x)
