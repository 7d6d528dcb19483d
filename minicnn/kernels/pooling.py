"""Max and average pooling on channels-last images.

    max:      y[n, i, j, c] = max over taps p, q inside the image of  x[n, i·s − P + p·d, j·s − P + q·d, c]
    average:  y[n, i, j, c] = Σ over taps inside the image / divisor

The channel is the innermost loop: it runs along memory, so many channels are computed at once. Max pooling notes
where each maximum was (its flat position in the H·W image); its gradient goes there alone. The
gradient of the average is spread evenly over the window. Threads share out images, so that windows which
overlap never write to one place from two threads.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.largest import largest
from minicnn.kernels.memory import empty
from minicnn.kernels.windows import range_inside


@kernel
def _max_row(x, y, where, n, i, kernel_size, stride, dilation, before):
    """The maxima of one row of cells."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    top = i * stride[0] - before[0]
    p0, p1 = range_inside(top, kernel_size[0], dilation[0], H)
    image, result, position = x.reshape(-1), y.reshape(-1), where.reshape(-1)
    taps, places = (
        np.empty(kernel_size[0] * kernel_size[1], np.int64),
        np.empty(kernel_size[0] * kernel_size[1], np.int64),
    )
    count, known = 0, -1
    for j in range(OW):
        left = j * stride[1] - before[1]
        q0, q1 = range_inside(left, kernel_size[1], dilation[1], W)
        if known != q0 * kernel_size[1] + q1:  # other taps than the last cell's
            known = q0 * kernel_size[1] + q1
            count = 0
            for p in range(p0, p1):
                for q in range(q0, q1):
                    places[count] = (top + p * dilation[0]) * W + q * dilation[1]
                    taps[count] = places[count] * C
                    count += 1
        largest(
            image, (n * H * W + left) * C, taps, places, count, C, result, position, ((n * OH + i) * OW + j) * C, left
        )


@kernel(parallel=True)
def _max_forward(x, y, where, kernel_size, stride, dilation, before):
    N, OH = y.shape[0], y.shape[1]
    for row in prange(N * OH):
        _max_row(x, y, where, np.int64(row // OH), np.int64(row % OH), kernel_size, stride, dilation, before)


@kernel(parallel=True)
def _scatter(g, where, grad_x):
    """grad_x[n, where[n, i, j, c], c] += g[n, i, j, c]"""
    N, OH, OW, C = g.shape
    for n in prange(N):
        grad_x[n] = 0
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    grad_x[n, where[n, i, j, c], c] += g[n, i, j, c]


@kernel(parallel=True)
def _average_forward(x, y, rows, columns, divisor):
    N, OH, OW, C = y.shape
    for cell in prange(N * OH):
        n, i = cell // OH, cell % OH
        for j in range(OW):
            total = y[n, i, j]
            for c in range(C):
                total[c] = 0
            for row in range(rows[i, 0], rows[i, 1]):
                for column in range(columns[j, 0], columns[j, 1]):
                    values = x[n, row, column]
                    for c in range(C):
                        total[c] += values[c]
            for c in range(C):
                total[c] /= divisor[i, j]


@kernel(parallel=True)
def _average_backward(g, grad_x, rows, columns, divisor):
    N, OH, OW, C = g.shape
    for n in prange(N):
        grad_x[n] = 0
        for i in range(OH):
            for j in range(OW):
                for row in range(rows[i, 0], rows[i, 1]):
                    for column in range(columns[j, 0], columns[j, 1]):
                        for c in range(C):
                            grad_x[n, row, column, c] += g[n, i, j, c] / divisor[i, j]


def max_forward(x: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Maxima and where they are.

    Args:
        x: (N, H, W, C).

    Returns: y and the int32 positions in the H·W image, both (N, OH, OW, C).
    """
    rows, columns = geometry.height, geometry.width
    shape = (x.shape[0], *geometry.output_size, x.shape[3])
    y, where = empty(shape, x.dtype), empty(shape, np.dtype(np.int32))
    _max_forward(
        x, y, where, geometry.kernel, (rows.stride, columns.stride), (rows.dilation, columns.dilation),
        (rows.before, columns.before),
    )  # fmt: skip
    return y, where


def scatter(values: np.ndarray, where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (N, OH, OW, C) added up at their positions in an image of zeros (N, H, W, C)."""
    N, C = values.shape[0], values.shape[3]
    image = empty((N, size[0] * size[1], C), values.dtype)
    _scatter(values, where, image)
    return image.reshape(N, *size, C)


def window_bounds(axis: Axis) -> np.ndarray:
    """For every output cell of an undilated window the first row inside the image and the one after the last."""
    origins = np.arange(axis.output) * axis.stride - axis.before
    return np.stack([np.maximum(origins, 0), np.minimum(origins + axis.kernel, axis.size)], 1)


def adaptive_bounds(size: int, output: int) -> np.ndarray:
    """The bounds of adaptive pooling: cell i covers ⌊i·size/output⌋ up to ⌈(i + 1)·size/output⌉."""
    cells = np.arange(output)
    return np.stack([cells * size // output, -(-(cells + 1) * size // output)], 1)


def window_divisor(geometry: Geometry, count_include_pad: bool, divisor_override: int | None) -> np.ndarray:
    """What each sum of an average pool is divided by, (OH, OW).

    A window counts the cells it covers: inside the image, or with `count_include_pad` inside image and
    padding too, but never what `ceil_mode` lets hang over beyond the padding.
    """
    if divisor_override is not None:
        return np.full(geometry.output_size, divisor_override, np.int64)
    counts = []
    for axis in (geometry.height, geometry.width):
        bounds = window_bounds(axis)
        if count_include_pad:
            origins = np.arange(axis.output) * axis.stride - axis.before
            counts.append(np.minimum(origins + axis.kernel, axis.size + axis.before) - origins)
        else:
            counts.append(bounds[:, 1] - bounds[:, 0])
    return np.multiply.outer(*counts)


def average_forward(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Sums over windows, each divided by its divisor.

    Args:
        x: (N, H, W, C).
        rows, columns: (OH, 2) and (OW, 2), each cell's first index and the one after its last.
        divisor: (OH, OW).

    Returns: (N, OH, OW, C)
    """
    y = empty((x.shape[0], len(rows), len(columns), x.shape[3]), x.dtype)
    _average_forward(x, y, rows, columns, divisor.astype(x.dtype))
    return y


def average_backward(
    grad_output: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """The gradient by x (N, H, W, C), given the gradient by y (N, OH, OW, C)."""
    grad_x = empty((grad_output.shape[0], *size, grad_output.shape[3]), grad_output.dtype)
    _average_backward(grad_output, grad_x, rows, columns, divisor.astype(grad_x.dtype))
    return grad_x
