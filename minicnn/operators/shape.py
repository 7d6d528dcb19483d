"""Views: the same elements under another shape, and expansion."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.operators.operands import array_of
from minicnn.operators.reduction import normalize_dims


def shape_from(sizes: tuple) -> tuple[int, ...]:
    """`(2, 3)` from `f(2, 3)` or `f((2, 3))`.

    Raises:
        TypeError: for sizes that aren't integers, or none at all.
    """
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    elif not sizes:
        raise TypeError("missing the shape; write () for a tensor without dimensions")
    for size in sizes:
        if type(size) is not int:
            return tuple([_size_from(s) for s in sizes])
    return sizes


def _size_from(size: Any) -> int:
    if isinstance(size, Variable):
        size = size._array.item()
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
        raise TypeError(f"a shape consists of ints, got {size!r}")
    return int(size)


class Reshape(Operator):
    """The same elements, in row-major order, under another shape."""

    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g.reshape(ctx.shape), None


def reshape(input: Any, *shape: Any) -> Any:
    """The same elements under another shape, one size of which may be -1; a view where memory allows.

    Raises:
        ValueError: where the number of elements differs.
        TypeError: for sizes that aren't integers.
    """
    sizes, array = shape_from(shape), array_of(input)
    known = prod([size for size in sizes if size != -1])
    unknown = sizes.count(-1)
    fits = known == array.size if not unknown else unknown == 1 and known > 0 and array.size % known == 0
    if not fits or any(size < -1 for size in sizes):
        raise ValueError(f"shape {sizes} is invalid for a tensor of shape {array.shape} ({array.size} elements)")
    return Reshape.apply(input, sizes)


def view(input: Any, *shape: Any) -> Any:
    """As `reshape`, but refusing what would need a copy, except from channels-last memory.

    In PyTorch a view never copies. Images lie channels-last in memory here, without the program's having
    asked for it, so `features.view(N, -1)` copies where it must.

    Raises:
        ValueError: where the number of elements differs.
        TypeError: for sizes that aren't integers.
        RuntimeError: where the memory order allows no view.
    """
    result = reshape(input, *shape)
    array = array_of(input)
    if not array.flags.c_contiguous and not np.may_share_memory(result._array, array) and array.size:
        channels_last = array.ndim == 4 and array.transpose(0, 2, 3, 1).flags.c_contiguous
        if not channels_last:
            raise RuntimeError(
                f"view size {shape_from(shape)} is not compatible with the memory order of a tensor of shape "
                f"{array.shape}; use reshape"
            )
    return result


class Clone(Operator):
    """A copy in the same memory order; in row-major order where elements share memory."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x.copy(order="C" if 0 in x.strides else "K")

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


class Contiguous(Clone):
    """A copy in row-major order."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x.copy(order="C")


class Permute(Operator):
    """The axes in another order, as a view."""

    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        ctx.axes = axes
        return x.transpose(axes)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g.transpose(np.argsort(ctx.axes)) if ctx.axes else g, None


def permute(input: Any, *dims: Any) -> Any:
    """The axes in the order `dims`, as a view.

    Raises:
        ValueError: where `dims` isn't a permutation of all axes.
        IndexError: for dims out of range.
    """
    order, ndim = shape_from(dims), array_of(input).ndim
    axes = normalize_dims(order, ndim) if order else ()
    if len(axes) != ndim or len(order) != ndim:
        raise ValueError(f"permute needs each of the {ndim} dims once, got {order}")
    return Permute.apply(input, axes)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes swapped, as a view.

    Raises:
        IndexError: for dims out of range.
    """
    ndim = array_of(input).ndim
    axes = list(range(ndim))
    for dim in (dim0, dim1):
        normalize_dims(dim, ndim)
    if ndim:
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return Permute.apply(input, tuple(axes))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` joined into one.

    Args:
        input: any shape; (N, C, H, W) with `start_dim=1` gives (N, C·H·W), in that order.

    Raises:
        IndexError: for dims out of range.
        ValueError: where `start_dim` comes after `end_dim`.
    """
    shape = array_of(input).shape or (1,)
    (start,), (end,) = normalize_dims(start_dim, len(shape)), normalize_dims(end_dim, len(shape))
    if start > end:
        raise ValueError(f"flatten needs start_dim <= end_dim, got {start_dim} and {end_dim}")
    return Reshape.apply(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def squeeze(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Without the axes of size 1, or without those of `dim` that have size 1, as a view."""
    shape = array_of(input).shape
    axes = () if isinstance(dim, (tuple, list)) and not dim else normalize_dims(dim, len(shape))
    return Reshape.apply(input, tuple(s for axis, s in enumerate(shape) if s != 1 or axis not in axes))


def unsqueeze(input: Any, dim: int) -> Any:
    """With an axis of size 1 at `dim`, as a view.

    Raises:
        IndexError: for a `dim` out of range.
    """
    shape = array_of(input).shape
    (axis,) = normalize_dims(dim, len(shape) + 1)
    return Reshape.apply(input, (*shape[:axis], 1, *shape[axis:]))


class Expand(Operator):
    """Axes of size 1 repeated, as a view; the walk sums the gradient."""

    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g, None


def expand(input: Any, *sizes: Any) -> Any:
    """Axes of size 1 repeated to `sizes`, as a view that can't be written to; -1 keeps a size.

    Raises:
        ValueError: where an axis has neither size 1 nor the size asked for.
    """
    wanted, shape = shape_from(sizes), array_of(input).shape
    extra = len(wanted) - len(shape)
    if extra >= 0:
        target = (*wanted[:extra], *[o if w == -1 else w for w, o in zip(wanted[extra:], shape, strict=True)])
        if min(target, default=0) >= 0 and all(o in (1, t) for o, t in zip(shape, target[extra:], strict=True)):
            return Expand.apply(input, target)
    raise ValueError(f"can't expand a tensor of shape {shape} to {wanted}")
