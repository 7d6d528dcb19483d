"""The same elements in another order along their axes, as copies: flipped, rolled, turned."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.numbers import integer_argument, integers_argument
from minicnn.operators.operands import alone
from minicnn.operators.shape import Contiguous, transpose


class Flip(Operator):
    """Some axes backwards."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        ctx.axes = axes
        return np.flip(x, axes).copy(order="C" if 0 in x.strides else "K")

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return np.flip(g, ctx.axes)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.flip(x, ctx.axes)


def flip(input: Any, dims: Any) -> Any:
    """A copy with some axes backwards.

    Args:
        input: any tensor.
        dims: a tuple of axes.

    Raises:
        IndexError: for axes out of range.
        ShapeError: for an axis twice.
    """
    if not isinstance(dims, (tuple, list)):
        raise TypeError(f"flip needs dims as a tuple of ints, got {dims!r}")
    ndim = array_argument(input, "flip").ndim
    axes = [single_axis(dim, ndim) for dim in integers_argument(dims, "flip", "dims")]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"flip: a dim appears several times in dims {tuple(dims)}")
    return Flip.apply(input, tuple(axes) if ndim else ())


def fliplr(input: Any) -> Any:
    """A copy with the second axis backwards.

    Raises:
        ShapeError: for fewer than 2 dimensions.
    """
    return _flipped(input, 1, "fliplr")


def flipud(input: Any) -> Any:
    """A copy with the first axis backwards.

    Raises:
        ShapeError: for a tensor without dimensions.
    """
    return _flipped(input, 0, "flipud")


def _flipped(input: Any, axis: int, name: str) -> Any:
    shape = array_argument(input, name).shape
    if len(shape) <= axis:
        raise ShapeError(f"{name} needs at least {axis + 1} dimensions, got shape {shape}")
    return Flip.apply(input, (axis,))


class Roll(Operator):
    """Elements moved on along axes; those that leave at the end come in at the start."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> np.ndarray:
        ctx.forth, ctx.back = (shifts, axes), (tuple([-shift for shift in shifts]), axes)
        return _rolled(x, shifts, axes)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return _rolled(g, *ctx.back)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _rolled(x, *ctx.forth)


def _rolled(x: np.ndarray, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> np.ndarray:
    if not x.size:
        return x.copy()
    if axes is None:
        return np.asarray(np.roll(x, shifts[0] % x.size), order="C")
    return np.asarray(np.roll(x, [s % x.shape[a] for s, a in zip(shifts, axes, strict=True)], axes), order="C")


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """A copy whose elements are moved on along axes; those that leave at the end come in at the start.

    Args:
        input: any tensor.
        shifts: how far, an int or one for each of `dims`.
        dims: the axes; where none are given, the tensor rolls as if it had one axis.

    Raises:
        ShapeError: for no shifts, or not as many as dims.
        IndexError: for axes out of range.
    """
    ndim = array_argument(input, "roll").ndim
    steps = integers_argument(shifts, "roll", "shifts")
    axes = () if dims is None else integers_argument(dims, "roll", "dims")
    if not steps:
        raise ShapeError("roll needs at least one shift")
    if not axes and len(steps) == 1:
        return Roll.apply(input, steps, None)
    if len(axes) != len(steps):
        raise ShapeError(f"roll needs as many shifts as dims, got {len(steps)} and {len(axes)}")
    if not ndim:
        raise IndexError(f"roll got dims {axes}, but the tensor has no dimensions")
    if not array_argument(input, "roll").size:  # PyTorch doesn't look at dims then
        return Roll.apply(input, steps, None)
    return Roll.apply(input, steps, tuple([single_axis(axis, ndim) for axis in axes]))


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """A copy turned by `k` times 90 degrees, from the first of `dims` towards the second.

    Raises:
        ShapeError: for other than two different dims, or fewer than 2 dimensions.
        IndexError: for dims out of range.
    """
    ndim, turns = array_argument(input, "rot90").ndim, integer_argument(k, "rot90", "k") % 4
    wanted = integers_argument(dims, "rot90", "dims")
    if len(wanted) != 2 or ndim < 2:
        raise ShapeError(f"rot90 needs 2 dims and at least 2 dimensions, got dims {wanted} and {ndim} dimensions")
    if wanted[0] == wanted[1] or abs(wanted[0] - wanted[1]) == ndim:
        raise ShapeError(f"rot90 needs two different dims, got {wanted}")
    first, second = [single_axis(dim, ndim) for dim in wanted]
    if turns == 0:
        return Contiguous.apply(input)
    if turns == 2:
        return Flip.apply(input, (first, second))
    return alone(transpose(Flip.apply(input, (second if turns == 1 else first,)), first, second))
