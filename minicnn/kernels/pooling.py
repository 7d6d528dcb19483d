"""Max and average pooling on channels-last images.

    max:      y[n, i, j, c] = max over taps p, q inside the image of  x[n, i·s − P + p·d, j·s − P + q·d, c]
    average:  y[n, i, j, c] = Σ over taps inside the image / divisor

The channel is the innermost loop: it runs along memory, so many channels are computed at once. Max pooling notes
where each maximum was (its flat position in the H·W image); its gradient goes there alone. The
gradient of the average is spread evenly over the window. Threads share out images, so that windows which
overlap never write to one place from two threads.
"""

import functools
from typing import TypeAlias

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.geometry import INT32, Axis, Geometry
from minicnn.kernels.largest import largest, spread
from minicnn.kernels.memory import empty
from minicnn.kernels.sums import FEW_TERMS, sum_rows
from minicnn.kernels.tasks import spans, tasks

Windows: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of an average pool: the bounds of rows (OH, 2) and columns (OW, 2), and what each sum is divided by, (OH, OW)."""

FEW_CHANNELS = 4
"""Below it, adding numbers up one by one is faster than filling vectors with them."""


@tasks
def _max_forward(row, x, y, where, rows, runs, row_step, column_step, stride):
    """A row of outputs. rows … stride: what `windows` gives."""
    H, W = x.shape[1:3]
    OH, OW = y.shape[1:3]
    n, i = row // OH, row % OH
    for run in range(len(runs)):
        j, cells = runs[run, 0], runs[run, 1]
        start = rows[i, 0] * W + runs[run, 2]
        largest(
            x, n * H * W + start, rows[i, 1], row_step, runs[run, 3], column_step, cells, stride,
            y, where, (n * OH + i) * OW + j, start,
        )  # fmt: skip


@tasks
def _spread(row, g, where, grad_x):
    """As `_scatter`, for windows that tile the image: every cell is written once."""
    H, W = grad_x.shape[1:3]
    OH, OW = g.shape[1:3]
    n, i = row // OH, row % OH
    start = i * (H // OH) * W
    spread(grad_x, n * H * W + start, H // OH, W, W // OW, OW, g, where, (n * OH + i) * OW, start)


@tasks
def _scatter(n, g, where, grad_x):
    """grad_x[n, where[n, i, j, c], c] += g[n, i, j, c]"""
    OH, OW, C = g.shape[1:]
    grad_x[n] = 0
    for i in range(OH):
        for j in range(OW):
            for c in range(C):
                grad_x[n, where[n, i, j, c], c] += g[n, i, j, c]


@tasks
def _average_forward(row, x, y, rows, columns, divisor):
    OH, OW, C = y.shape[1:]
    n, i = row // OH, row % OH
    for j in range(OW):
        total = y[n, i, j]
        for c in range(C):
            total[c] = 0
        for h in range(rows[i, 0], rows[i, 1]):
            for w in range(columns[j, 0], columns[j, 1]):
                values = x[n, h, w]
                for c in range(C):
                    total[c] += values[c]
        for c in range(C):
            total[c] /= divisor[i, j]


@spans
def _average_of_many(begin, end, x, y, rows, columns, divisor):
    """As `_average_forward`, for windows of many taps."""
    OH, OW, C = y.shape[1:]
    H, W = x.shape[1:3]
    memory = x.reshape(-1)
    sums, block = np.empty(C), np.empty(C)
    for row in range(begin, end):
        n, i = row // OH, row % OH
        for j in range(OW):
            for c in range(C):
                sums[c] = 0
            first, width, height = columns[j, 0], columns[j, 1] - columns[j, 0], rows[i, 1] - rows[i, 0]
            if width == W:  # the window's rows lie one after another
                width, height = width * height, 1
            for h in range(rows[i, 0], rows[i, 0] + height):
                sum_rows(memory, ((n * H + h) * W + first) * C, width, C, C, sums, block)
            for c in range(C):
                y[n, i, j, c] = sums[c] / divisor[i, j]


@kernel
def _taps(rows, columns):
    """How many taps all windows have, and the largest of them."""
    height, width, most_rows, most_columns = 0, 0, 0, 0
    for i in range(len(rows)):
        height += rows[i, 1] - rows[i, 0]
        most_rows = max(most_rows, rows[i, 1] - rows[i, 0])
    for j in range(len(columns)):
        width += columns[j, 1] - columns[j, 0]
        most_columns = max(most_columns, columns[j, 1] - columns[j, 0])
    return height * width, most_rows * most_columns


@tasks
def _average_backward(n, g, grad_x, rows, columns, divisor):
    OH, OW, C = g.shape[1:]
    grad_x[n] = 0
    for i in range(OH):
        for j in range(OW):
            for row in range(rows[i, 0], rows[i, 1]):
                for column in range(columns[j, 0], columns[j, 1]):
                    for c in range(C):
                        grad_x[n, row, column, c] += g[n, i, j, c] / divisor[i, j]


def _empty_positions(shape: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    """For positions in an image of `size` (H, W), as int32: half as much memory as int64, and vectors twice as wide.

    Raises:
        ValueError: the image has more pixels than int32 counts.
    """
    if size[0] * size[1] > INT32:
        raise ValueError(f"max pooling counts up to {INT32} pixels of an image, got {size[0]} × {size[1]}")
    return empty(shape, np.dtype(np.int32))


def max_forward(x: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Maxima and where they are.

    Args:
        x: (N, H, W, C).

    Returns: y and the int32 positions in the H·W image, both (N, OH, OW, C).
    """
    shape = (x.shape[0], *geometry.output_size, x.shape[3])
    where = _empty_positions(shape, x.shape[1:3])
    y = empty(shape, x.dtype)
    _max_forward(len(y) * y.shape[1], x, y, where, *windows(geometry))
    return y, where


def adaptive_max_forward(x: np.ndarray, output_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """As `max_forward`, for windows that divide the image into `output_size` parts."""
    (H, W), (OH, OW) = x.shape[1:3], output_size
    where = _empty_positions((x.shape[0], OH, OW, x.shape[3]), (H, W))
    y = empty(where.shape, x.dtype)
    if y.size:
        rows, columns = adaptive_bounds(H, OH), adaptive_bounds(W, OW)
        spans = np.stack([rows[:, 0], rows[:, 1] - rows[:, 0]], 1)
        ones = np.ones(OW, np.int64)
        runs = np.stack([np.arange(OW), ones, columns[:, 0], columns[:, 1] - columns[:, 0]], 1)
        _max_forward(len(y) * OH, x, y, where, spans, runs, W, 1, 1)
    return y, where


def scatter(
    values: np.ndarray, where: np.ndarray, size: tuple[int, int], geometry: Geometry | None = None
) -> np.ndarray:
    """Values (N, OH, OW, C) added up at their positions in an image of zeros (N, H, W, C).

    Args:
        values: (N, OH, OW, C).
        where: positions in the H·W image, as `values`.
        size: (H, W).
        geometry: the windows of `max_forward` that found the positions, if it did; those that tile the image are
            filled one by one.
    """
    N, C = values.shape[0], values.shape[3]
    if geometry is not None and tiles_image(geometry) and C >= FEW_CHANNELS:
        image = empty((N, *size, C), values.dtype)
        _spread(N * values.shape[1], values, where, image)
        return image
    image = empty((N, size[0] * size[1], C), values.dtype)
    _scatter(N, values, where, image)
    return image.reshape(N, *size, C)


@functools.lru_cache(maxsize=4096)
def tiles_image(geometry: Geometry) -> bool:
    """Whether every pixel of the image is in exactly one window, and every tap in the image."""
    return all(
        axis.before == 0 and axis.kernel == axis.extent == axis.stride and axis.output * axis.stride == axis.size
        for axis in (geometry.height, geometry.width)
    )


@functools.lru_cache(maxsize=4096)
def windows(geometry: Geometry) -> tuple[np.ndarray, np.ndarray, int, int, int]:
    """What the kernels of max pooling need to know of the windows.

    Returns:
        (OH, 2): each row's first tap inside the image and how many are inside;
        (runs, 4): of neighbouring cells that see equally many columns the first cell, how many cells, the first cell's
            first tap inside the image and how many are inside;
        distances in cells of the image: from tap to tap downwards, to the right, and from window to window.
    """
    rows, columns = geometry.height, geometry.width
    place, taps = columns.taps_inside()
    begins = np.flatnonzero((np.diff(place, prepend=-1) != columns.stride) | (np.diff(taps, prepend=-1) != 0))
    cells = np.diff(begins, append=columns.output)
    runs = np.stack([begins, cells, place[begins], taps[begins]], 1)
    return np.stack(rows.taps_inside(), 1), runs, rows.dilation * columns.size, columns.dilation, columns.stride


def window_bounds(axis: Axis) -> np.ndarray:
    """For every output cell of an undilated window the first row inside the image and the one after the last."""
    origins = np.arange(axis.output) * axis.stride - axis.before
    return np.stack([np.maximum(origins, 0), np.minimum(origins + axis.kernel, axis.size)], 1)


def adaptive_bounds(size: int, output: int) -> np.ndarray:
    """The bounds of adaptive pooling: output i covers ⌊i·size/output⌋ up to ⌈(i + 1)·size/output⌉."""
    positions = np.arange(output)
    return np.stack([positions * size // output, -(-(positions + 1) * size // output)], 1)


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


@functools.lru_cache(maxsize=256)
def average_windows(geometry: Geometry, count_include_pad: bool, divisor_override: int | None) -> Windows:
    """The windows of an average pool, and what each sum is divided by; nobody may change them."""
    divisor = window_divisor(geometry, count_include_pad, divisor_override)
    return window_bounds(geometry.height), window_bounds(geometry.width), divisor


@functools.lru_cache(maxsize=256)
def adaptive_windows(size: tuple[int, int], output: tuple[int, int]) -> Windows:
    """The windows that divide an image into `output` parts, and how many cells each has; nobody may change them."""
    rows, columns = (adaptive_bounds(s, o) for s, o in zip(size, output, strict=True))
    return rows, columns, np.multiply.outer(rows[:, 1] - rows[:, 0], columns[:, 1] - columns[:, 0])


def average_forward(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Sums over windows, each divided by its divisor.

    Args:
        x: (N, H, W, C).
        rows, columns: (OH, 2) and (OW, 2), each cell's first index and the one after its last.
        divisor: (OH, OW).

    Returns: (N, OH, OW, C)
    """
    y = empty((x.shape[0], len(rows), len(columns), x.shape[3]), x.dtype)
    average = _average_forward if _taps(rows, columns)[1] <= FEW_TERMS else _average_of_many
    average(len(y) * len(rows), x, y, rows, columns, divisor.astype(x.dtype))
    return y


def average_backward(
    grad_output: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given that with respect to y (N, OH, OW, C).

    Where an element is in many windows, their gradients are added up in float64.
    """
    dtype = grad_output.dtype
    wide = np.dtype(np.float64) if _taps(rows, columns)[0] > FEW_TERMS * size[0] * size[1] else dtype
    grad_x = empty((grad_output.shape[0], *size, grad_output.shape[3]), wide)
    _average_backward(len(grad_x), grad_output, grad_x, rows, columns, divisor.astype(dtype))
    return grad_x.astype(dtype, copy=False)
