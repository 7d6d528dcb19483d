"""How many pixels of the image a number has seen: the receptive field, followed through every operation.

Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019: along an axis, with r the
receptive field and j the jump, how many pixels neighbouring cells lie apart, a window of K taps with a stride s and a
dilation d gives

    r ← r + (K − 1) · d · j,     j ← j · s

from r = j = 1. Where branches meet, the larger of each counts. A linear layer sees all that its map's cells see
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
    """

    size: Number = 1
    jump: Number = 1
    whole: Number = 1

    def through(self, kernel: int, stride: int, dilation: int, output: int) -> "Reach":
        """Behind windows of which there are `output`."""
        size, jump = self.size + (kernel - 1) * dilation * self.jump, self.jump * stride
        return Reach(size, jump, size + (output - 1) * jump)

    def back_through(self, axis: Axis) -> "Reach":
        """Behind a convolution that goes the other way: each cell sees the windows that it was in."""
        jump = Fraction(self.jump) / axis.stride
        size = self.size + (math.ceil(axis.extent / axis.stride) - 1) * self.jump
        return Reach(size, jump, size + (axis.size - 1) * jump)

    def averaged(self, bounds: np.ndarray) -> "Reach":
        """Behind windows from row `bounds[i, 0]` up to `bounds[i, 1]`; of unequal ones the largest counts."""
        lengths, steps = bounds[:, 1] - bounds[:, 0], np.diff(bounds[:, 0])
        reach = self.through(int(lengths.max()), int(steps.max(initial=0)), 1, len(bounds))
        return Reach(reach.size, reach.jump, self.whole)


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
    return Reach(*(max(getattr(reach, name) for reach in reaches) for name in ("size", "jump", "whole")))


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
            rows.through(h.kernel, h.stride, h.dilation, h.output),
            columns.through(w.kernel, w.stride, w.dilation, w.output),
        )
    if operator in GATHERING and (output._array.ndim < 4 or output._array.shape[2:] != x._array.shape[2:]):
        return (Reach(rows.whole, 1, rows.whole), Reach(columns.whole, 1, columns.whole))
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
