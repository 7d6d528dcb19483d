"""How many pixels of the image a number has seen: the receptive field, followed through every operation.

Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019: along an axis, with r the
receptive field and j the jump, how many pixels neighbouring cells lie apart, a window of K taps with a stride s and a
dilation d gives

    r ← r + (K − 1) · d · j,     j ← j · s

from r = j = 1; the first cell's field begins at b ← b − p · j, with the padding p, from b = 0. Where branches meet, the
larger of r and j counts, and the smaller b. A linear layer sees all that its map's cells see
together. Padding is image too: near the border, and in small images, less of the image is there than the number says.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.pooling import adaptive_bounds
from minicnn.nn.functional.convolution import ConvTranspose2d
from minicnn.nn.functional.linear import Linear
from minicnn.nn.functional.pooling import AdaptiveMaxPool2d, AveragePool2d
from minicnn.nn.functional.unfolding import Fold
from minicnn.operators.extremes import ExtremeAlong, ExtremeOf
from minicnn.operators.matmul import MatrixProduct
from minicnn.operators.reduction import Mean, Sum, Variance

GATHERING = (Linear, MatrixProduct, Sum, Mean, Variance, ExtremeOf, ExtremeAlong)
"""Operations whose result sees all that their argument's cells see, where they change its shape."""

Number = int | Fraction


@dataclass(frozen=True)
class Reach:
    """What the cells of a map see along one axis, in pixels.

    Attributes:
        size: one cell.
        jump: from one cell to the next.
        whole: all cells together.
        begin: where the first one begins; below 0 in the padding.
        spread: pixels from there on that hold all that the cell sees; more than `size` where a convolution that goes
            the other way has put several cells between two of the map before, or windows are unequal.
    """

    size: Number = 1
    jump: Number = 1
    whole: Number = 1
    begin: Number = 0
    spread: Number = 1

    def through(self, kernel: int, stride: int, dilation: int, output: int, before: int = 0) -> "Reach":
        """Behind windows of which there are `output`, the first one `before` cells before the map."""
        size, jump = self.size + (kernel - 1) * dilation * self.jump, self.jump * stride
        spread = self.spread + (kernel - 1) * dilation * self.jump
        return Reach(size, jump, size + (output - 1) * jump, self.begin - before * self.jump, spread)

    def span(self, cell: int, pixels: int) -> tuple[int, int]:
        """(begin, end) of what a cell sees of an image of so many pixels; empty where it sees padding alone."""
        first = self.begin + cell * self.jump
        begin = min(max(math.floor(first), 0), pixels)
        return begin, max(min(math.ceil(first + self.spread), pixels), begin)

    def back_through(self, axis: Axis) -> "Reach":
        """Behind a convolution that goes the other way: each cell sees the windows that it was in."""
        jump = Fraction(self.jump) / axis.stride
        size = self.size + (math.ceil(axis.extent / axis.stride) - 1) * self.jump
        begin = self.begin - (axis.extent - 1 - axis.before) * jump
        return Reach(size, jump, size + (axis.size - 1) * jump, begin, self.spread + (axis.extent - 1) * jump)

    def averaged(self, bounds: np.ndarray) -> "Reach":
        """Behind windows from row `bounds[i, 0]` up to `bounds[i, 1]`; of unequal ones the largest counts."""
        lengths, step = bounds[:, 1] - bounds[:, 0], int(np.diff(bounds[:, 0]).max(initial=0))
        reach = self.through(int(lengths.max()), step, 1, len(bounds))
        begins, ends = (bounds - step * np.arange(len(bounds))[:, None]).T
        first = int(begins.min())  # padding cuts windows short, in small maps at both ends
        spread = self.spread + (int(ends.max()) - first - 1) * self.jump
        return Reach(reach.size, reach.jump, self.whole, self.begin + first * self.jump, spread)


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
        self._set(image, (Reach(whole=H), Reach(whole=W)))

    def of(self, tensor: Variable) -> tuple[int, int] | None:
        """(rows, columns) that a cell of `tensor` sees; None where it doesn't depend on the image."""
        field = self._fields.get(id(tensor._memory))
        return None if field is None else (math.ceil(field[0].size), math.ceil(field[1].size))

    def spans(self, tensor: Variable, image: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """What rows of the image the rows of a map see, and what columns its columns.

        Args:
            tensor: a map (N, C, H, W) that depends on the image.
            image: its (H, W).

        Returns: int64 (H, 2) and (W, 2): the first pixel and the one beyond the last.
        """
        field, sizes = self._fields[id(tensor._memory)], tensor._array.shape[2:]
        rows, columns = (
            np.array([reach.span(cell, pixels) for cell in range(count)], np.int64).reshape(-1, 2)
            for reach, count, pixels in zip(field, sizes, image, strict=True)
        )
        return rows, columns

    def follow(self, operator: type, arguments: tuple, outputs: Any) -> None:
        """Take an operation into account."""
        tensors = [argument for argument in arguments if isinstance(argument, Variable)]
        known = [self._fields[id(tensor._memory)] for tensor in tensors if id(tensor._memory) in self._fields]
        if not known:
            return
        rows, columns = (_largest([field[axis] for field in known]) for axis in (0, 1))
        for output in outputs if isinstance(outputs, tuple) else (outputs,):
            self._set(output, _behind(operator, arguments, output, rows, columns))

    def _set(self, tensor: Variable, field: Field) -> None:
        self._fields[id(tensor._memory)] = field  # one counter for all views, and for a tensor changed in place
        self._alive.append(tensor._memory)


def _largest(reaches: list[Reach]) -> Reach:
    size, jump, whole = (max(getattr(reach, name) for reach in reaches) for name in ("size", "jump", "whole"))
    begin = min(reach.begin for reach in reaches)
    return Reach(size, jump, whole, begin, max(reach.begin + reach.spread for reach in reaches) - begin)


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
        h, w = geometry.height, geometry.width
        return (
            rows.through(h.kernel, h.stride, h.dilation, h.output, h.before),
            columns.through(w.kernel, w.stride, w.dilation, w.output, w.before),
        )
    if operator in GATHERING and (output._array.ndim < 4 or output._array.shape[2:] != x._array.shape[2:]):
        rows, columns = (Reach(one.whole, 1, one.whole, one.begin, one.whole) for one in (rows, columns))
    return rows, columns


@contextmanager
def every_operation(observe: Callable[[type, tuple, Any], None]) -> Iterator[None]:
    """Call `observe(operator, arguments, outputs)` after every operation on Tensors in this `with` block.

    While it lasts, `Operator.apply` is replaced, for all threads: layers are not the only ones who compute, `forward`
    may call a function such as `max_pool2d` too, whose window no module tells.
    """
    original = Operator.__dict__["apply"]

    def apply(cls: type, *arguments: Any) -> Any:
        outputs = original.__func__(cls, *arguments)
        observe(cls, arguments, outputs)
        return outputs

    Operator.apply = classmethod(apply)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Operator.apply = original  # type: ignore[method-assign]
