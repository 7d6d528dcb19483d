"""Few channels or outputs, seen as more of them.

The columns of a kernel row lie side by side in x, so they may count as channels: KW·C instead of C, and one tap instead
of KW. And outputs of neighbouring cells lie side by side in y, so m cells may share a vector: m·O outputs instead of O,
m·s instead of s columns from one to the next, and KW + (m − 1)·s columns that they see between them:

    y[i, j·m + k, o] = Σ over p, q, c of  x[i·s + p, j·m·s + q, c] · wide[p, q, c, k, o]
    wide[p, q, c, k, o] = weight[p, q − k·s, c, o] where there is such a tap, else 0

It is the same convolution of the same arrays, with other sizes and strides.
"""

import functools
from typing import NamedTuple

import numpy as np

from minicnn.kernels.geometry import Geometry
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import tasks

FEW_CHANNELS = 14
"""Fewer channels don't fill tiles."""


@tasks
def _pad_columns(row, x, before, padded):
    """padded[n, h, before + w] = x[n, h, w], zeros elsewhere"""
    H, W, C = x.shape[1:]
    width = padded.shape[2]
    n, h = row // H, row % H
    for w in range(width):
        inside = 0 <= w - before < W
        for c in range(C):
            padded[n, h, w, c] = x[n, h, w - before, c] if inside else 0


class Runs(NamedTuple):
    """How x and y are seen.

    Attributes:
        cells: how many neighbours share a vector, m; it divides the cells of a row.
        columns: how many columns they see, KW + (m − 1)·s.
        width: of the image from the first column that a cell sees to the last.
    """

    cells: int
    columns: int
    width: int

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def of(cls, C: int, O: int, G: int, geometry: Geometry, vector: int) -> "Runs | None":
        """The view that pays, if one does."""
        w = geometry.width
        if G > 1 or C >= FEW_CHANNELS or w.dilation > 1 or geometry.kernel == (1, 1):
            return None
        most = vector // O if w.stride < w.kernel else 1
        cells = max([m for m in range(1, most + 1) if w.output % m == 0], default=1)
        return cls(cells, w.kernel + (cells - 1) * w.stride, (w.output - 1) * w.stride + w.kernel)

    def pads(self, geometry: Geometry) -> bool:
        """Whether cells see columns in the padding."""
        return geometry.width.before > 0 or self.width > geometry.width.size

    def image(self, x: np.ndarray, geometry: Geometry) -> np.ndarray:
        """x (N, H, W, C) with all columns that cells see, zeros in the padding."""
        if not self.pads(geometry):
            return x
        padded = empty((*x.shape[:2], self.width, x.shape[3]), x.dtype)
        _pad_columns(x.shape[0] * x.shape[1], x, geometry.width.before, padded)
        return padded

    def _taps(self, cell: int, geometry: Geometry) -> slice:
        """Of the columns that cells see between them, those that one of them sees."""
        first = cell * geometry.width.stride
        return slice(first, first + geometry.width.kernel)

    def spread(self, weight: np.ndarray, geometry: Geometry) -> np.ndarray:
        """weight (O, C, KH, KW) as (KH, columns · C, cells · O), zeros where a cell has no tap."""
        O, C, KH, _ = weight.shape
        wide = np.zeros((KH, self.columns, C, self.cells, O), weight.dtype)
        for cell in range(self.cells):
            wide[:, self._taps(cell, geometry), :, cell] = weight.transpose(2, 3, 1, 0)
        return wide.reshape(KH, self.columns * C, self.cells * O)

    def fold(self, total: np.ndarray, C: int, O: int, geometry: Geometry) -> np.ndarray:
        """What `spread` does to a gradient: (KH, columns · C, cells · O) added up to (KH, KW, C, O)."""
        KH, KW = geometry.kernel
        if self.cells == 1:
            return total.reshape(KH, KW, C, O)
        total = total.reshape(KH, self.columns, C, self.cells, O)
        folded = total[:, self._taps(0, geometry), :, 0]
        for cell in range(1, self.cells):
            folded = folded + total[:, self._taps(cell, geometry), :, cell]
        return folded
