"""A rectifier whose slope is learned, for each channel: y = x where x > 0, slope · x elsewhere.

Where the pixels of a channel lie side by side, a row of them has one slope; where the channels of a pixel do, a row has
all slopes.
"""

import numpy as np

from minicnn.kernels.memory import contiguous, empty_like, like
from minicnn.kernels.tasks import tasks


@tasks
def _forward_rows(row, x, slopes, y):
    slope = slopes[row % slopes.size]
    for k in range(x.shape[1]):
        y[row, k] = x[row, k] if x[row, k] > 0 else x[row, k] * slope


@tasks
def _forward_columns(row, x, slopes, y):
    for c in range(x.shape[1]):
        y[row, c] = x[row, c] if x[row, c] > 0 else x[row, c] * slopes[c]


@tasks
def _backward_rows(row, g, x, slopes, by_x, by_slope):
    slope = slopes[row % slopes.size]
    for k in range(x.shape[1]):
        by_x[row, k] = g[row, k] if x[row, k] > 0 else g[row, k] * slope
    if by_slope.size:
        for k in range(x.shape[1]):
            by_slope[row, k] = 0 if x[row, k] > 0 else g[row, k] * x[row, k]


@tasks
def _backward_columns(row, g, x, slopes, by_x, by_slope):
    for c in range(x.shape[1]):
        by_x[row, c] = g[row, c] if x[row, c] > 0 else g[row, c] * slopes[c]
    if by_slope.size:
        for c in range(x.shape[1]):
            by_slope[row, c] = 0 if x[row, c] > 0 else g[row, c] * x[row, c]


def _laid(x: np.ndarray) -> np.ndarray:
    """x itself where it is row-major or channels-last, else a row-major copy."""
    return x if x.ndim > 1 and np.moveaxis(x, 1, -1).flags.c_contiguous else contiguous(x)


def _rows(x: np.ndarray, slopes: int) -> tuple[np.ndarray, bool]:
    """x (N, C, …) as rows, which either have one slope each, or all of them."""
    if x.flags.c_contiguous:
        return x.reshape(len(x) * slopes if x.ndim > 1 else 1, -1), True
    by_pixel = np.moveaxis(x, 1, -1)
    return by_pixel.reshape(-1, x.shape[1]), slopes == 1


def forward(x: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """y, in the memory order of x where that is row-major or channels-last.

    Args:
        x: (N, C, …), not empty, float32 or float64.
        slopes: (C,) or (1,), of the same dtype.
    """
    x = _laid(x)
    y = empty_like(x)
    seen, one_each = _rows(x, slopes.size)
    (_forward_rows if one_each else _forward_columns)(len(seen), seen, slopes, _rows(y, slopes.size)[0])
    return y


def backward(
    grad_output: np.ndarray, x: np.ndarray, slopes: np.ndarray, needs_slopes: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """The gradients with respect to x, and with respect to the slope of every element, for each channel to be added up.

    Args:
        grad_output, x: (N, C, …), not empty, float32 or float64.
        slopes: (C,) or (1,), of the same dtype.
        needs_slopes: whether the second one is asked for; else None is returned for it.
    """
    x = _laid(x)
    g = like(grad_output, x)
    by_x, by_slope = empty_like(x), empty_like(x) if needs_slopes else None
    seen, one_each = _rows(x, slopes.size)
    into = np.empty((0, 0), x.dtype) if by_slope is None else _rows(by_slope, slopes.size)[0]
    kernel = _backward_rows if one_each else _backward_columns
    kernel(len(seen), _rows(g, slopes.size)[0], seen, slopes, _rows(by_x, slopes.size)[0], into)
    return by_x, by_slope
