"""Max pooling over a view in which every window is two axes: `max` forward, `argmax` and `add.at` backward."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _windows(x: np.ndarray, kernel_size, stride, padding, fill: float) -> np.ndarray:
    """A view (N, C, OH, OW, KH·KW) of the image between borders of `fill`."""
    kernel, (above, left) = _pair(kernel_size), _pair(padding)
    down, right = kernel if stride is None else _pair(stride)
    padded = np.pad(x, [(0, 0), (0, 0), (above, above), (left, left)], constant_values=fill)
    view = sliding_window_view(padded, kernel, (2, 3))[:, :, ::down, ::right]
    return view.reshape(*view.shape[:4], kernel[0] * kernel[1])


def max_pool2d(
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> np.ndarray:
    """y (N, C, OH, OW)"""
    return _windows(x, kernel_size, stride, padding, -np.inf).max(-1)


def max_pool2d_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> np.ndarray:
    """The gradient with respect to x: the first of equals gets it all."""
    windows = _windows(x, kernel_size, stride, padding, -np.inf)
    number = np.arange(x.size, dtype=np.float64).reshape(x.shape)
    where = _windows(number, kernel_size, stride, padding, -1.0)
    largest = windows.max(-1, keepdims=True)
    winners = ((windows == largest) | (np.isnan(windows) & np.isnan(largest))) & (where >= 0)
    first = winners.argmax(-1)[..., None]
    grad_x = np.zeros(x.size, x.dtype)
    np.add.at(grad_x, np.take_along_axis(where, first, -1).astype(np.int64)[..., 0], grad_output)
    return grad_x.reshape(x.shape)
