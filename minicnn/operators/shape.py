"""The same elements under another shape or order: views where PyTorch's are views, and copies.

Whether a tensor can be viewed under another shape depends on the order in which its elements are promised to lie;
where they lie otherwise, they are laid anew first (see `minicnn.autograd.storage`).
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.autograd.graph import entitled
from minicnn.autograd.operator import ViewOperator
from minicnn.autograd.storage import can_view, is_contiguous, promised, restrided, settle, with_unit_axes
from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.reduction import normalize_dims
from minicnn.operators.tracing import Traceable


def shape_from(sizes: tuple, named: dict | None = None, name: str = "size") -> tuple[int, ...]:
    """`(2, 3)` from `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`.

    Args:
        sizes: the arguments.
        named: those by name.
        name: the name that the shape has among them.

    Raises:
        TypeError: for sizes that aren't integers, none at all, or other names.
    """
    if named:
        if sizes or named.keys() != {name}:
            raise TypeError(f"unexpected arguments {', '.join(named)}; the shape may be called {name!r}")
        sizes = (named[name],)
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    elif not sizes:
        raise TypeError("missing the shape; write () for a tensor without dimensions")
    for size in sizes:
        if type(size) is not int:
            return tuple([_size_from(s) for s in sizes])
    return sizes


def _size_from(size: Any) -> int:
    if isinstance(size, Variable) and size._array.size == 1:
        size = size._array.item()
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
        raise TypeError(f"a shape consists of ints, got {size!r}")
    return int(size)


class View(ViewOperator):
    """The same memory under another shape."""

    @staticmethod
    def view(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g.reshape(ctx.shape)


class Reshape(Operator):
    """A copy of the elements, in row-major order, under another shape."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.shape, ctx.whole = x.shape, shape
        return kernels.memory.row_major(x).reshape(shape)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x.reshape(ctx.whole)

    backward = View.backward


def reshape(input: Any, *shape: Any, **named: Any) -> Any:
    """The same elements under another shape, one size of which may be -1; a view where `view` allows, else a copy.

    Raises:
        ShapeError: where the number of elements differs.
        TypeError: for sizes that aren't integers.
    """
    sizes = _sizes(shape_from(shape, named, "shape"), array_argument(input, "reshape"))
    result = _view(input, sizes)
    return Reshape.apply(input, sizes) if result is None else result


def view(input: Any, *shape: Any, **named: Any) -> Any:
    """The same memory under another shape, one size of which may be -1; what is written through it shows in `input`.

    What an operation computed lies in row-major order as far as this is concerned, images and weights too.

    Raises:
        ShapeError: where the number of elements differs.
        TypeError: for sizes that aren't integers.
        RuntimeError: where axes are to be joined that don't lie one behind the other, after a transposition say.
    """
    sizes = _sizes(shape_from(shape, named), array_argument(input, "view"))
    result = _view(input, sizes)
    if result is None:
        raise RuntimeError(
            f"view size {sizes} is not compatible with the order in memory of a tensor of shape "
            f"{tuple(array_argument(input, 'view').shape)} and stride {promised(input)[1]}; use reshape"
        )
    return result


def _sizes(sizes: tuple[int, ...], array: np.ndarray) -> tuple[int, ...]:
    """The sizes asked for, with −1 replaced."""
    known = prod([size for size in sizes if size != -1])
    unknown = sizes.count(-1)
    fits = known == array.size if not unknown else unknown == 1 and known > 0 and array.size % known == 0
    if not fits or any(size < -1 for size in sizes):
        raise ShapeError(f"shape {sizes} is invalid for a tensor of shape {array.shape} ({array.size} elements)")
    return tuple([array.size // known if size == -1 else size for size in sizes]) if unknown else sizes


def _view(input: Any, sizes: tuple[int, ...]) -> Any:
    """A view of `input` as `sizes`; None where there can't be one."""
    if not isinstance(input, Variable):
        input = Variable._computed(input)
    array = input._array
    if not array.flags.c_contiguous or not is_contiguous(input):
        if not is_contiguous(input) and not can_view(array.shape, promised(input)[1], sizes):
            return None
        if not can_view(array.shape, array.strides, sizes):
            settle(input)
    return View.apply(input, sizes)


class Clone(Traceable, Operator):
    """A copy in the same memory order; in row-major order where elements share memory."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        if 0 in x.strides or not kernels.memory.is_dense(x):
            return x.copy(order="C" if 0 in x.strides else "K")
        y = kernels.memory.empty_like(x)
        kernels.memory.copy(y, x)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


class Contiguous(Clone):
    """A copy in row-major order."""

    elementwise = False

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return kernels.memory.row_major(x)


class Permute(ViewOperator):
    """The axes in another order, as a view."""

    @staticmethod
    def view(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return x.transpose(axes)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (axes,) = ctx.arguments
        return g.transpose(np.argsort(axes)) if axes else g


class Transpose(Permute):
    """Two axes swapped."""


def permute(input: Any, *dims: Any, **named: Any) -> Any:
    """The axes in the order `dims`, as a view.

    Raises:
        ShapeError: where `dims` isn't a permutation of all axes.
        IndexError: for dims out of range.
    """
    order, ndim = shape_from(dims, named, "dims"), array_argument(input, "permute").ndim
    axes = normalize_dims(order, ndim) if order else ()
    if len(axes) != ndim or len(order) != ndim:
        raise ShapeError(f"permute needs each of the {ndim} dims once, got {order}")
    return Permute.apply(input, axes)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes swapped, as a view.

    Raises:
        IndexError: for dims out of range.
    """
    ndim = array_argument(input, "transpose").ndim
    axes = list(range(ndim))
    for dim in (dim0, dim1):
        normalize_dims(dim, ndim)
    if ndim:
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return Transpose.apply(input, tuple(axes))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` joined into one, as by `reshape`.

    Args:
        input: any shape; (N, C, H, W) with `start_dim=1` gives (N, C·H·W), in that order.

    Raises:
        IndexError: for dims out of range.
        ShapeError: where `start_dim` comes after `end_dim`.
    """
    shape = array_argument(input, "flatten").shape or (1,)
    (start,), (end,) = normalize_dims(start_dim, len(shape)), normalize_dims(end_dim, len(shape))
    if start > end:
        raise ShapeError(f"flatten needs start_dim <= end_dim, got {start_dim} and {end_dim}")
    if start == end and array_argument(input, "flatten").ndim and isinstance(input, Variable):
        return input
    return reshape(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


class Squeeze(ViewOperator):
    """Without some axes of size 1, which the others' strides don't depend on."""

    @staticmethod
    def view(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return x.squeeze(axes)

    backward = View.backward


class Unsqueeze(ViewOperator):
    """With another axis of size 1."""

    @staticmethod
    def view(x: np.ndarray, axis: int) -> np.ndarray:
        return with_unit_axes(np.expand_dims(x, axis), [axis])

    backward = View.backward


class SqueezeAlong(Squeeze):
    """Without given axes of size 1."""


@numpy_spelling
def squeeze(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Without the axes of size 1, or without those of `dim` that have size 1, as a view."""
    shape = array_argument(input, "squeeze").shape
    axes = () if isinstance(dim, (tuple, list)) and not dim else normalize_dims(dim, len(shape))
    operation = Squeeze if dim is None else SqueezeAlong
    return operation.apply(input, tuple([axis for axis in axes if shape[axis] == 1]))


@entitled("UnsqueezeBackward0")
@numpy_spelling
def unsqueeze(input: Any, dim: int) -> Any:
    """With an axis of size 1 at `dim`, as a view.

    Raises:
        IndexError: for a `dim` out of range.
    """
    shape = array_argument(input, "unsqueeze").shape
    (axis,) = normalize_dims(dim, len(shape) + 1)
    return Unsqueeze.apply(input, axis)


class Expand(ViewOperator):
    """Axes of size 1 repeated, as a view; the walk sums the gradient."""

    @staticmethod
    def view(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        added = len(shape) - x.ndim
        kept = zip(x.shape, x.strides, shape[added:], strict=True)
        y = restrided(x, shape, [0] * added + [stride if size == wide else 0 for size, stride, wide in kept])
        if y is None:
            y = np.broadcast_to(x, shape)
            y.flags.writeable = x.flags.writeable
        return with_unit_axes(y, [i for i in range(added) if shape[i] == 1]) if x.ndim else y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


def expand(input: Any, *sizes: Any, **named: Any) -> Any:
    """Axes of size 1 repeated to `sizes`, as a view; -1 keeps a size.

    Raises:
        ShapeError: where an axis has neither size 1 nor the size asked for.
    """
    wanted, shape = shape_from(sizes, named), array_argument(input, "expand").shape
    extra = len(wanted) - len(shape)
    if extra >= 0:
        target = (*wanted[:extra], *[o if w == -1 else w for w, o in zip(wanted[extra:], shape, strict=True)])
        if min(target, default=0) >= 0 and all(o in (1, t) for o, t in zip(shape, target[extra:], strict=True)):
            return Expand.apply(input, target)
    raise ShapeError(f"can't expand a tensor of shape {shape} to {wanted}")
