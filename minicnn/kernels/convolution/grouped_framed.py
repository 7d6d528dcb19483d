"""Depthwise convolution with many taps: a vector of channels at a time, copied with its padding to where it stays near.

In memory the pixels of one vector of channels lie C numbers apart, a cache line here and one there, and windows of
k × k read each of them k² times. Here each is read once: into a frame, an image of one vector's channels with its
padding around it, which a near cache holds. Inside the frame all windows are whole, so there is but one kind of pixel,
and the taps of a row share what they read: for 8 pixels of 5 taps 12 vectors are loaded instead of 40.

Measured by turns with sweeping images where they lie (forward, 2 cores, AVX-512, a disturbed machine): 1.1 to 3.0 times
as fast for 5 × 5 to 9 × 9 taps on images of 7 × 7 to 112 × 112 pixels, most on the small ones; 3 × 3, which waits for
memory, 0.5 to 1.0.
"""

import functools

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution.bordered import laid, lay, tables
from minicnn.kernels.convolution.planes import divided
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.machine import FIRST_LEVEL, SECOND_LEVEL, lanes
from minicnn.kernels.memory import empty, read
from minicnn.kernels.tasks import tasks
from minicnn.kernels.vectors import add_taps, copies, load, store_apart, zero

FEWEST_TAPS = 20
"""Windows of fewer taps are swept where they lie."""

LARGEST = 2 * SECOND_LEVEL
"""Bytes of a frame: windows read a few rows of it at a time, but it is written as a whole."""

NEAR = FIRST_LEVEL // 2
"""Bytes of frames that are filled together, half of a first-level cache: memory is read in longer pieces."""


def applies(geometry: Geometry, weight: np.ndarray) -> bool:
    """Whether windows have many taps, those of a row as far apart as pixels, small frames and finite weights."""
    width = geometry.width
    if geometry.kernel[0] * geometry.kernel[1] < FEWEST_TAPS or _together(geometry) == 1:
        return False
    frame = laid(geometry)
    return (
        width.stride == width.dilation
        and frame is not None
        and frame.area * lanes(weight.dtype) * weight.itemsize <= LARGEST
        and bool(np.isfinite(weight).all())
    )


def _together(geometry: Geometry) -> int:
    """How many taps of a row share what they read; kernels are compiled for a few numbers only."""
    return next((count for count in (7, 5, 3) if geometry.kernel[1] % count == 0), 1)


@functools.lru_cache(maxsize=512)
def mirrored(geometry: Geometry) -> Geometry | None:
    """The windows in which the gradient with respect to x sees that with respect to y; None if there are none such.

    Of stride 1: pixel i is seen by the outputs i + before − p · d, which is a window of as many taps, the last one
    first, that begins d · (k − 1) − before pixels earlier.
    """
    axes = []
    for axis in (geometry.height, geometry.width):
        reach = (axis.kernel - 1) * axis.dilation
        if axis.stride > 1 or axis.before > reach or axis.after > reach:
            return None
        borders = reach - axis.before, reach - axis.after
        axes.append(Axis.of(axis.output, axis.kernel, 1, axis.dilation, *borders, axis.size))
    return Geometry(*axes)


@part(forceinline=True)
def _some(frames, at, step, offsets, together, weight, w, O, start, y, to, pixels):
    """Neighbouring pixels, as many as `pixels` has entries; taps several at a time, as many as `together` has."""
    sums = copies(start, pixels)
    for t in range(0, len(offsets), len(together)):
        sums = add_taps(sums, frames, at + offsets[t], step, weight, w + t * O, O, O, together, (0,))
    store_apart(sums, y, to, O)


@part
def _sweep(frames, first, offsets, together, weight, bias, o, O, y, y0, lines, count, down, step):
    """All outputs of one vector of channels."""
    start = load(bias, o) if bias.size else zero(frames)
    for i in range(lines):
        j = 0
        while j < count:
            at, to = first + i * down + j * step, y0 + (i * count + j) * O + o
            left = count - j
            if left >= 8 and left != 14:
                _some(frames, at, step, offsets, together, weight, o, O, start, y, to, (0, 0, 0, 0, 0, 0, 0, 0))
                j += 8
            elif left >= 7:
                _some(frames, at, step, offsets, together, weight, o, O, start, y, to, (0, 0, 0, 0, 0, 0, 0))
                j += 7
            elif left >= 4:
                _some(frames, at, step, offsets, together, weight, o, O, start, y, to, (0, 0, 0, 0))
                j += 4
            else:
                _some(frames, at, step, offsets, together, weight, o, O, start, y, to, (0,))
                j += 1


@tasks
def _correlate(
    task, x, size, columns, rows_read, columns_read, first, wide, area, count, offsets, together, weight, bias, y,
    lines, across, C, down, step, parts, vector,
):  # fmt: skip
    """A task is a part of the channels of one image.

    Args:
        x, size, columns: the source, the elements and the columns of an image.
        rows_read, columns_read, first, wide, area: of the frame, see `Border`; area in elements.
        count: how many frames are filled together.
        offsets, together: of the taps; as many zeros as share what they read.
        weight, bias: [tap][channel] and [channel]; no bias stands for zeros.
        y, lines, across, C: the target, the size of its images, the channels.
        down, step: how far a window moves in a frame, down and right.
        parts: into how many tasks an image is divided.
    """
    blocks = -(-C // vector)
    n, part = task // parts, task % parts
    frames, end = np.zeros(area * count, x.dtype), blocks * (part + 1) // parts
    for begin in range(blocks * part // parts, end, count):
        last = min(begin + count, end)
        lay(x, n * size, C, columns, rows_read, columns_read, begin, last, frames, first, wide, area, vector)
        for block in range(begin, last):
            _sweep(
                frames, (block - begin) * area, offsets, together, weight, bias, min(block * vector, C - vector), C,
                y, n * lines * across * C, lines, across, down, step,
            )  # fmt: skip


def forward(x: np.ndarray, by_tap: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, C) from x (N, H, W, C), weights (KH, KW, C) and bias (C,)."""
    N, H, W, C = x.shape
    frame, (OH, OW), vector = laid(geometry), geometry.output_size, lanes(x.dtype)
    assert frame is not None, "see `applies`"
    _, taps = tables(geometry, frame.width, vector)
    area = frame.area * vector
    y = empty((N, OH, OW, C), x.dtype)
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    parts = divided(N, -(-C // vector))
    _correlate(
        N * parts, read(x.reshape(-1)), H * W * C, W, frame.rows, frame.columns, frame.first, frame.width, area,
        max(NEAR // (area * x.itemsize), 1), taps[:, 0].copy(), (0,) * _together(geometry), read(by_tap.reshape(-1)),
        start, y.reshape(-1), OH, OW, C, geometry.height.stride * frame.width * vector, geometry.width.stride * vector,
        parts, vector,
    )  # fmt: skip
    return y
