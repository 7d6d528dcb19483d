"""Chapter 7: max pooling and its ties."""

import numpy as np


def max_pool2d(x, kernel_size: int, stride: int | None = None, padding: int = 0):
    """The largest number of every window.

    Args:
        x: the images, (N, C, H, W).
        kernel_size: K, rows and columns of a window.
        stride: an int; K if None.
        padding: an int, at most K // 2. The padding counts as minus infinity.

    Returns: (N, C, OH, OW).
    """
    return _windows(x, kernel_size, stride, padding).max(-1)


def max_pool2d_backward(grad_output, x, kernel_size: int, stride: int | None = None, padding: int = 0):
    """The gradient of `max_pool2d` with respect to x.

    Each output pixel sends its gradient to the largest number of its window; of equal ones to the first, row by row.

    Args:
        grad_output: (N, C, OH, OW).
        x, kernel_size, stride, padding: what `max_pool2d` was given.

    Returns: (N, C, H, W).
    """
    N, C, H, W = x.shape
    K, step = kernel_size, kernel_size if stride is None else stride
    winners = _windows(x, kernel_size, stride, padding).argmax(-1)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), grad_output.dtype)
    for n, c, i, j in np.ndindex(grad_output.shape):
        p, q = divmod(winners[n, c, i, j], K)
        padded[n, c, i * step + p, j * step + q] += grad_output[n, c, i, j]
    return padded[:, :, padding : padding + H, padding : padding + W]


def _windows(x, kernel_size, stride, padding):
    """Every window of the padded images as a row: (N, C, OH, OW, K·K)."""
    N, C, H, W = x.shape
    step = kernel_size if stride is None else stride
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), -np.inf, x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size, kernel_size), (2, 3))[:, :, ::step, ::step]
    return windows.reshape(*windows.shape[:4], kernel_size * kernel_size)
