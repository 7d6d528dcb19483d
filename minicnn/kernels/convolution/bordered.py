"""A small image between zeros, in a workspace that stays in the cache.

In an image of 7 × 7 pixels half of all windows lose taps to the padding, and runs of pixels that lose the same ones are
short. Laid between zeros,

    workspace[block][row + top, column + left, lane] = x[row, column, block · L + lane]

all windows have all taps and make one run. On depthwise layers of 7 × 7 pixels the gradient with respect to weight was
faster by 1.6 with 3 × 3 taps, by 2.5 with 5 × 5. Sums over taps are faster only where taps share what they read
(`grouped_framed`).

A zero times NaN or infinity is NaN, so a gradient that isn't finite is computed anew without a border, and weights that
aren't are not used with one.
"""

import functools
from dataclasses import dataclass

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import LINE_BYTES, SECOND_LEVEL
from minicnn.kernels.vectors import load, store

COMPLETE = 0.7
"""The share of windows with all taps up to which a border pays; at 0.73, 14 × 14 pixels and 3 × 3 taps, it was even."""

MOST = SECOND_LEVEL // 4 // LINE_BYTES
"""Pixels of a workspace; larger ones leave the second-level cache."""

SIDE_BY_SIDE = 8
"""Vectors of channels that are laid together: memory is read in lines that follow each other."""


@dataclass(frozen=True, eq=False)
class Border:
    """Where the image lies in the workspace.

    Attributes:
        rows, columns: of the image, those that any window reaches.
        first: the place of the image's first pixel.
        width, area: columns and pixels of the workspace.
    """

    rows: int
    columns: int
    first: int
    width: int
    area: int


@functools.lru_cache(maxsize=512)
def laid(geometry: Geometry) -> Border | None:
    """The image between the zeros of its padding; None where no window reaches it."""
    h, w = geometry.height, geometry.width
    tall, wide = (axis.origin(axis.output - 1) + axis.before + axis.extent for axis in (h, w))
    rows, columns = min(h.size, tall - h.before), min(w.size, wide - w.before)
    if min(rows, columns) <= 0:
        return None
    return Border(rows, columns, h.before * wide + w.before, wide, tall * wide)


@functools.lru_cache(maxsize=512)
def border(geometry: Geometry) -> Border | None:
    """The same, where it pays for the gradient with respect to weight."""
    found = laid(geometry)
    return None if found is None or found.area > MOST or complete(geometry) > COMPLETE else found


def complete(geometry: Geometry) -> float:
    """The share of windows that have all their taps inside the image."""
    axes = geometry.height, geometry.width
    return float(np.prod([(axis.taps_inside()[1] == axis.kernel).mean() if axis.output else 1 for axis in axes]))


@functools.lru_cache(maxsize=1024)
def tables(geometry: Geometry, width: int, vector: int) -> tuple[np.ndarray, np.ndarray]:
    """The output as one run and its taps, as `sweep.tables` gives them, in a workspace of `width` columns."""
    h, w = geometry.height, geometry.width
    places = np.arange(h.kernel)[:, None] * h.dilation * width + np.arange(w.kernel) * w.dilation
    number = np.arange(places.size)
    taps = np.stack([places.ravel() * vector, number, number], 1)
    return np.array([[0, 0, h.output, w.output, 1, 1, 0, places.size]]), taps


@part
def lay(x, x0, C, pitch, rows, columns, begin, end, workspace, first, width, area, vector):
    """Lay blocks begin … end − 1 of an image whose rows are `pitch` pixels; the workspace's border is zeros already."""
    for i in range(rows):
        for j in range(columns):
            source, target = x0 + (i * pitch + j) * C, (first + i * width + j) * vector
            for block in range(begin, end):
                store(load(x, source + min(block * vector, C - vector)), workspace, target + (block - begin) * area)
