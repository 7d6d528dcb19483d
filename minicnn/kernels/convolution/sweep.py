"""Runs of pixels whose windows lose the same taps to the padding.

In an image with padding 1 the inner pixels are one run, each corner and each side another. A run has a list of taps;
`Sweep` holds runs and lists, once a geometry. Forwards it goes over the output; backwards over the image, whose pixels
of each remainder by the stride make runs of their own.
"""

import functools
from dataclasses import dataclass

import numpy as np

from minicnn.kernels.geometry import Axis, Geometry


@dataclass(frozen=True, eq=False)
class Sweep:
    """The runs of target pixels, and the taps that reach each of them.

    Attributes:
        runs: for each run its first row and column, how many rows and columns, the steps between them in the target,
            and the first and the last of its taps.
        taps: for each tap of each run the row and column of its source pixel for the run's first pixel, and which
            tap of the window it is.
        step: by how many source pixels the window moves from one target pixel of a run to the next, down and right.
    """

    runs: np.ndarray
    taps: np.ndarray
    step: tuple[int, int]


@functools.lru_cache(maxsize=1024)
def tables(sweep: Sweep, planes: int, row: int, pixel: int, plane: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs, and for every tap in every plane its offset in the source, that of its weight, and its number.

    Args:
        sweep: over the target.
        planes: how many.
        row, pixel, plane: how far apart rows, pixels and planes lie in the source.
        outputs: how far apart taps lie among the weights.
    """
    rows, columns, places = sweep.taps.T
    k = np.arange(planes)
    offsets = (rows * row + columns * pixel)[:, None] + k * plane
    weights = (places[:, None] * planes + k) * outputs
    runs = sweep.runs.copy()
    runs[:, 6:] *= planes
    return runs, np.stack([offsets.ravel(), weights.ravel(), weights.ravel() // outputs], 1)


def _reached(axis: Axis) -> list[list[tuple[int, int]]]:
    """For every output position the taps inside the image, and where each lies."""
    return [
        [(tap, at) for tap in range(axis.kernel) if 0 <= (at := axis.origin(i) + tap * axis.dilation) < axis.size]
        for i in range(axis.output)
    ]


def _reaching(axis: Axis) -> list[list[tuple[int, int]]]:
    """For every position of the image the taps with which an output position sees it, and which position."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(axis.size)]
    for i, taps in enumerate(_reached(axis)):
        for tap, at in taps:
            found[at].append((tap, i))
    return [sorted(taps) for taps in found]


def _runs(positions: list[list[tuple[int, int]]], stride: int, step: int) -> list[tuple[int, int, list]]:
    """Positions `stride` apart in runs, in which taps move by `step`: the first, how many, and the first one's taps."""
    runs = []
    for start in range(min(stride, len(positions))):
        first, count = start, 0
        for i in range(start, len(positions) + stride, stride):
            moved = [(tap, at + count * step) for tap, at in positions[first]]
            if i < len(positions) and positions[i] == moved:
                count += 1
                continue
            runs.append((first, count, positions[first]))
            first, count = i, 1
    return runs


def _sweep(rows: list, columns: list, strides: tuple[int, int], step: tuple[int, int], width: int) -> Sweep:
    runs: list[tuple[int, ...]] = []
    taps: list[tuple[int, int, int]] = []
    for i, count, row_taps in _runs(rows, strides[0], step[0]):
        for j, length, column_taps in _runs(columns, strides[1], step[1]):
            before = len(taps)
            taps += [(row, column, p * width + q) for p, row in row_taps for q, column in column_taps]
            runs.append((i, j, count, length, *strides, before, len(taps)))
    table = np.array(taps, np.int64).reshape(-1, 3)
    return Sweep(np.array(runs, np.int64).reshape(-1, 8), table, step)


@functools.lru_cache(maxsize=512)
def forwards(geometry: Geometry) -> Sweep:
    """Over the output."""
    h, w = geometry.height, geometry.width
    return _sweep(_reached(h), _reached(w), (1, 1), (h.stride, w.stride), w.kernel)


@functools.lru_cache(maxsize=512)
def backwards(geometry: Geometry) -> Sweep:
    """Over the image."""
    h, w = geometry.height, geometry.width
    return _sweep(_reaching(h), _reaching(w), (h.stride, w.stride), (1, 1), w.kernel)
