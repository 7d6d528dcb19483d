"""How many pixels of the image a number has seen: the receptive field, followed through every operation.

Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019: along an axis, with r the
receptive field and j the jump, how many pixels neighbouring cells lie apart, a window of K taps with a stride s and a
dilation d gives

    r ← r + (K − 1) · d · j,     j ← j · s

from r = j = 1. Where branches meet, the larger of r and j counts. A linear layer sees all that its map's cells see
together. Padding is image too: near the border, and in small images, less of the image is there than the number says.
Which pixels a cell sees there is followed apart, as a span for every row and column of every map.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.pooling import adaptive_bounds
from minicnn.nn.functional.convolution import ConvTranspose2d
from minicnn.nn.functional.linear import Linear
from minicnn.nn.functional.padding import Pad, origins
from minicnn.nn.functional.pooling import AdaptiveMaxPool2d, AveragePool2d
from minicnn.nn.functional.unfolding import Fold
from minicnn.operators.extremes import ExtremeAlong, ExtremeOf
from minicnn.operators.matmul import MatrixProduct
from minicnn.operators.reduction import Mean, Sum, Variance

GATHERING = (Linear, MatrixProduct, Sum, Mean, Variance, ExtremeOf, ExtremeAlong)
"""Operations whose result sees all that their argument's cells see, where they change its shape."""

NOTHING = (2**62, 0)
"""The span of no pixel, which leaves every other as it is when they are put together."""

Number = int | Fraction


@dataclass(frozen=True)
class Reach:
    """What the cells of a map see along one axis, in pixels.

    Attributes:
        size: one cell, in an image without end.
        jump: from one cell to the next.
        whole: all cells together.
        spans: int64 (cells, 2), the first pixel that each cell sees and the one beyond the last: exact, the ends of
            the image and of every map on the way considered. Those of a cell that sees padding alone are `NOTHING`.
    """

    size: Number
    jump: Number
    whole: Number
    spans: np.ndarray

    @classmethod
    def of_image(cls, pixels: int) -> "Reach":
        """Every pixel sees itself."""
        return cls(1, 1, pixels, np.arange(pixels)[:, None] + [0, 1])

    def through(self, axis: Axis) -> "Reach":
        """Behind windows."""
        reach = self._behind(axis.kernel, axis.stride, axis.dilation, axis.output)
        return replace(reach, spans=self.of_cells(axis.size)._gathered(*_taps(axis), axis.output))

    def back_through(self, axis: Axis) -> "Reach":
        """Behind a convolution that goes the other way: each cell sees the windows that it was in."""
        size = self.size + (math.ceil(axis.extent / axis.stride) - 1) * self.jump
        jump = Fraction(self.jump) / axis.stride
        windows, cells = _taps(axis)
        spans = self.of_cells(axis.output)._gathered(cells, windows, axis.size)
        return Reach(size, jump, size + (axis.size - 1) * jump, spans)

    def averaged(self, bounds: np.ndarray) -> "Reach":
        """Behind windows from row `bounds[i, 0]` up to `bounds[i, 1]`; of unequal ones the largest counts."""
        lengths, step = bounds[:, 1] - bounds[:, 0], int(np.diff(bounds[:, 0]).max(initial=0))
        windows = np.repeat(np.arange(len(bounds)), lengths)
        cells = np.concatenate([np.arange(0), *(np.arange(*bound) for bound in bounds)])
        reach = self._behind(int(lengths.max(initial=1)), step, 1, len(bounds))
        return replace(reach, whole=self.whole, spans=self._gathered(windows, cells, len(bounds)))

    def padded(self, pair: tuple[int, int], mode: str) -> "Reach":
        """With cells added before and behind, or taken away."""
        sources = origins(mode, len(self.spans), *pair)
        return replace(self, spans=np.where(sources[:, None] < 0, NOTHING, self.spans[sources]))

    def of_cells(self, cells: int) -> "Reach":
        """For a map of so many cells: of another number, since they were cut or repeated, each may see all."""
        if cells == len(self.spans):
            return self
        every = [self.spans[:, 0].min(initial=NOTHING[0]), self.spans[:, 1].max(initial=NOTHING[1])]
        return replace(self, spans=np.tile(every, (cells, 1)))

    def _behind(self, kernel: int, stride: int, dilation: int, output: int) -> "Reach":
        size, jump = self.size + (kernel - 1) * dilation * self.jump, self.jump * stride
        return Reach(size, jump, size + (output - 1) * jump, self.spans)

    def _gathered(self, sees: np.ndarray, seen: np.ndarray, cells: int) -> np.ndarray:
        """The spans of so many cells, where cell `sees[i]` sees what `seen[i]` of this map does."""
        spans = np.tile(NOTHING, (cells, 1))
        np.minimum.at(spans[:, 0], sees, self.spans[seen, 0])
        np.maximum.at(spans[:, 1], sees, self.spans[seen, 1])
        return spans


def _taps(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """(position, pixel) of every tap that is inside the image."""
    pixels = np.arange(axis.output)[:, None] * axis.stride - axis.before + np.arange(axis.kernel) * axis.dilation
    positions, taps = np.nonzero((pixels >= 0) & (pixels < axis.size))
    return positions, pixels[positions, taps]


Field = tuple[Reach, Reach]
"""Rows and columns."""


class Fields:
    """The receptive fields of the tensors of one forward."""

    def __init__(self) -> None:
        self._fields: dict[int, Field] = {}
        self._alive: list[Any] = []  # a counter's id is its own as long as it lives

    def start(self, image: Variable) -> None:
        """Say that `image` (N, C, H, W) is what is seen."""
        H, W = image._array.shape[2:]
        self._set(image, (Reach.of_image(H), Reach.of_image(W)))

    def of(self, tensor: Variable) -> tuple[int, int] | None:
        """(rows, columns) that a cell of `tensor` sees; None where it doesn't depend on the image."""
        field = self._fields.get(id(tensor._memory))
        return None if field is None else (math.ceil(field[0].size), math.ceil(field[1].size))

    def spans(self, tensor: Variable) -> tuple[np.ndarray, np.ndarray]:
        """What rows of the image the rows of a map see, and what columns its columns.

        Args:
            tensor: a map (N, C, H, W) that depends on the image.

        Returns: int64 (H, 2) and (W, 2): the first pixel and the one beyond the last, 0 and 0 for no pixel.
        """
        spans = (reach.spans for reach in _fitting(self._fields[id(tensor._memory)], tensor))
        rows, columns = (np.where(one[:, :1] < one[:, 1:], one, 0) for one in spans)
        return rows, columns

    def follow(self, operator: type, arguments: tuple, outputs: Any) -> None:
        """Take an operation into account."""
        tensors = [argument for argument in arguments if isinstance(argument, Variable)]
        known = [
            _fitting(self._fields[id(tensor._memory)], tensor)
            for tensor in tensors
            if id(tensor._memory) in self._fields
        ]
        if not known:
            return
        rows, columns = (_largest([field[axis] for field in known]) for axis in (0, 1))
        for output in outputs if isinstance(outputs, tuple) else (outputs,):
            self._set(output, _behind(operator, arguments, output, rows, columns))

    def _set(self, tensor: Variable, field: Field) -> None:
        self._fields[id(tensor._memory)] = field  # one counter for all views, and for a tensor changed in place
        self._alive.append(tensor._memory)


def _fitting(field: Field, tensor: Variable) -> Field:
    """The field of a tensor that shares its memory with the one noted, perhaps as a part of it."""
    if tensor._array.ndim != 4:
        return field
    (rows, columns), (H, W) = field, tensor._array.shape[2:]
    return rows.of_cells(H), columns.of_cells(W)


def _largest(reaches: list[Reach]) -> Reach:
    size, jump, whole = (max(getattr(reach, name) for reach in reaches) for name in ("size", "jump", "whole"))
    cells = max(len(reach.spans) for reach in reaches)
    spans = np.stack([reach.of_cells(cells).spans for reach in reaches])
    return Reach(size, jump, whole, np.stack([spans[..., 0].min(0), spans[..., 1].max(0)], 1))


def _behind(operator: type, arguments: tuple, output: Variable, rows: Reach, columns: Reach) -> Field:
    x, *rest = arguments
    geometry = next((argument for argument in rest if isinstance(argument, Geometry)), None)
    if operator is AveragePool2d:
        return rows.averaged(rest[0]), columns.averaged(rest[1])
    if operator is AdaptiveMaxPool2d:
        (H, W), (OH, OW) = x._array.shape[2:], rest[0]
        return rows.averaged(adaptive_bounds(H, OH)), columns.averaged(adaptive_bounds(W, OW))
    if geometry is not None and operator in (ConvTranspose2d, Fold):
        return rows.back_through(geometry.height), columns.back_through(geometry.width)
    if geometry is not None:
        return rows.through(geometry.height), columns.through(geometry.width)
    if operator is Pad and x._array.ndim == 4:
        pairs, mode = rest[:2]
        rows, columns = (one.padded(pairs.get(axis, (0, 0)), mode) for axis, one in ((2, rows), (3, columns)))
    if operator in GATHERING and (output._array.ndim < 4 or output._array.shape[2:] != x._array.shape[2:]):
        rows, columns = (Reach(one.whole, 1, one.whole, one.of_cells(1).spans) for one in (rows, columns))
    return rows, columns
