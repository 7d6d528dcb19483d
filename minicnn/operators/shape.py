"""Operations that move elements without computing: views, indexing, joining."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import result_type
from minicnn.operators.arithmetic import array_of, cast, unbroadcast
from minicnn.operators.reduction import normalize_dims


def shape_from(sizes: tuple) -> tuple[int, ...]:
    """`(2, 3)` from `f(2, 3)` or `f((2, 3))`.

    Raises:
        TypeError: for sizes that aren't integers.
    """
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    sizes = tuple(s.item() if isinstance(s, Variable) else s for s in sizes)  # type: ignore[attr-defined]
    for size in sizes:
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
            raise TypeError(f"a shape consists of ints, got {sizes!r}")
    return tuple(int(s) for s in sizes)


class Reshape(Operator):
    """The same elements, in row-major order, under another shape."""

    reads = ""
    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g.reshape(ctx.shape), None


def reshape(x: Any, *sizes: Any) -> Any:
    """The same elements under another shape, one size of which may be -1; a view where memory allows.

    Raises:
        ValueError: where the number of elements differs.
    """
    shape = shape_from(sizes)
    array = array_of(x)
    known = int(np.prod([s for s in shape if s != -1]))
    unknown = shape.count(-1)
    fits = (
        all(s >= -1 for s in shape)
        and (unknown == 0 and known == array.size)
        or (unknown == 1 and known > 0 and array.size % known == 0)
    )
    if not fits:
        raise ValueError(f"shape {shape} is invalid for a tensor of shape {array.shape} ({array.size} elements)")
    return Reshape.apply(x, shape)


def view(x: Any, *sizes: Any) -> Any:
    """As `reshape`, but refusing what would need a copy, except from channels-last memory.

    In PyTorch a view never copies. Images lie channels-last in memory here, without the program's having
    asked for it, so `features.view(N, -1)` copies where it must.

    Raises:
        ValueError: where the number of elements differs.
        RuntimeError: where the memory order allows no view.
    """
    result = reshape(x, *sizes)
    array = array_of(x)
    if not np.may_share_memory(result._array, array) and array.size:
        channels_last = array.ndim == 4 and array.transpose(0, 2, 3, 1).flags.c_contiguous
        if not channels_last:
            raise RuntimeError(
                f"view size {shape_from(sizes)} is not compatible with the memory order of a tensor of shape "
                f"{array.shape}; use reshape"
            )
    return result


class Clone(Operator):
    """A copy in the same memory order."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x.copy(order="K")

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

    reads = ""
    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        ctx.axes = axes
        return x.transpose(axes)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g.transpose(np.argsort(ctx.axes)) if ctx.axes else g, None


def permute(x: Any, *dims: Any) -> Any:
    """The axes in the order `dims`, as a view.

    Raises:
        ValueError: where `dims` isn't a permutation of all axes.
    """
    order = shape_from(dims)
    ndim = array_of(x).ndim
    axes = normalize_dims(order, ndim) if order else ()
    if len(axes) != ndim:
        raise ValueError(f"permute needs each of the {ndim} dims once, got {order}")
    return Permute.apply(x, axes)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two axes swapped, as a view."""
    ndim = array_of(x).ndim
    axes = list(range(ndim))
    if ndim:
        (a,), (b,) = normalize_dims(dim0, ndim), normalize_dims(dim1, ndim)
        axes[a], axes[b] = b, a
    return Permute.apply(x, tuple(axes))


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` joined into one.

    Args:
        x: any shape; (N, C, H, W) with `start_dim=1` gives (N, C·H·W), in that order.

    Raises:
        IndexError: for dims out of range.
        ValueError: where `start_dim` comes after `end_dim`.
    """
    shape = array_of(x).shape
    if not shape:
        return reshape(x, 1)
    (start,), (end,) = normalize_dims(start_dim, len(shape)), normalize_dims(end_dim, len(shape))
    if start > end:
        raise ValueError(f"flatten needs start_dim <= end_dim, got {start_dim} and {end_dim}")
    joined = int(np.prod(shape[start : end + 1]))
    return Reshape.apply(x, (*shape[:start], joined, *shape[end + 1 :]))


def squeeze(x: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Without the axes of size 1, or without those of `dim` that have size 1."""
    shape = array_of(x).shape
    axes = normalize_dims(dim, len(shape))
    return Reshape.apply(x, tuple(s for axis, s in enumerate(shape) if s != 1 or axis not in axes))


def unsqueeze(x: Any, dim: int) -> Any:
    """With an axis of size 1 at `dim`."""
    shape = array_of(x).shape
    (axis,) = normalize_dims(dim, len(shape) + 1)
    return Reshape.apply(x, (*shape[:axis], 1, *shape[axis:]))


class Expand(Operator):
    """Axes of size 1 repeated, as a view."""

    reads = ""
    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.shape = x.shape
        return np.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return unbroadcast(g, ctx.shape), None


def expand(x: Any, *sizes: Any) -> Any:
    """Axes of size 1 repeated to `sizes`, as a view that can't be written to; -1 keeps a size.

    Raises:
        ValueError: where an axis has neither size 1 nor the size asked for.
    """
    wanted, shape = shape_from(sizes), array_of(x).shape
    extra = len(wanted) - len(shape)
    if extra >= 0:
        old = (1,) * extra + shape
        target = tuple(
            o if w == -1 and i >= extra else w for i, (w, o) in enumerate(zip(wanted, old, strict=True))
        )
        if all(o in (1, t) and t >= 0 for o, t in zip(old, target, strict=True)):
            return Expand.apply(x, target)
    raise ValueError(f"can't expand a tensor of shape {shape} to {wanted}")


class Index(Operator):
    """x[key]"""

    reads = ""
    shares_memory = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, key: Any) -> np.ndarray:
        ctx.key, ctx.shape = key, x.shape
        return np.asarray(x[key])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        grad_input = np.zeros(ctx.shape, g.dtype)
        if is_basic(ctx.key):
            grad_input[ctx.key] = g
        else:
            np.add.at(grad_input, ctx.key, g)  # an element taken twice gets both gradients
        return grad_input, None


class SetIndex(Operator):
    """x with x[key] replaced by value."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: np.ndarray, key: Any) -> np.ndarray:
        ctx.key, ctx.shape = key, value.shape
        y = x.copy()
        y[key] = value
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        by_x = g.copy()
        by_x[ctx.key] = 0
        by_value = g[ctx.key]
        lacking = len(ctx.shape) - by_value.ndim  # a value may have leading axes of size 1 that x[key] lacks
        return by_x, unbroadcast(by_value.reshape((1,) * lacking + by_value.shape), ctx.shape), None


def is_basic(key: Any) -> bool:
    """Whether `key` selects by ints, slices, None and `...` alone, so that the selection is a view."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        p is None or p is Ellipsis or isinstance(p, (slice, int, np.integer)) and not isinstance(p, (bool, np.bool_))
        for p in parts
    )


def index_key(key: Any) -> Any:
    """`key` with Tensors as arrays and lists as index arrays, ready for NumPy.

    Raises:
        ValueError: for slices with a step below 1, which torch refuses.
    """
    if isinstance(key, tuple):
        return tuple(index_key(part) for part in key)
    if isinstance(key, slice):
        bounds = [b.item() if isinstance(b, Variable) else b for b in (key.start, key.stop, key.step)]  # type: ignore[attr-defined]
        if bounds[2] is not None and bounds[2] < 1:
            raise ValueError(f"step must be greater than zero, got {bounds[2]}")
        return slice(*bounds)
    key = array_of(key)
    if isinstance(key, list):
        key = np.asarray(key, int if not key else None)
    if isinstance(key, np.ndarray):
        if key.dtype.kind not in "iub":
            raise IndexError(f"tensors used as indices must be integer or bool, got {key.dtype}")
        if key.ndim == 0 and key.dtype.kind in "iu":
            return int(key)
    return key


def index(x: Any, key: Any) -> Any:
    """x[key]: a view where `key` consists of ints, slices, None and `...`, a copy otherwise."""
    return Index.apply(x, index_key(key))


class Concatenate(Operator):
    """Tensors joined along an axis."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, axis: int, *arrays: np.ndarray) -> np.ndarray:
        ctx.axis, ctx.ends = axis, np.cumsum([a.shape[axis] for a in arrays])[:-1]
        return np.concatenate(arrays, axis)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return None, *np.split(g, ctx.ends, ctx.axis)


def cat(tensors: Sequence, dim: int = 0) -> Any:
    """Join tensors along an existing axis.

    Args:
        tensors: Tensors whose shapes agree but along `dim`.

    Raises:
        ValueError: for no tensors, or shapes that don't agree.
    """
    if not len(tensors):
        raise ValueError("cat needs at least one tensor")
    arrays = [array_of(t) for t in tensors]
    kept = [t for t, a in zip(tensors, arrays, strict=True) if a.shape != (0,)] or list(tensors)[:1]  # as torch
    arrays = [array_of(t) for t in kept]
    (axis,) = normalize_dims(dim, arrays[0].ndim) or (0,)
    for a in arrays:
        same = [s for i, s in enumerate(a.shape) if i != axis]
        if a.ndim == 0 or same != [s for i, s in enumerate(arrays[0].shape) if i != axis]:
            raise ValueError(f"cat along dim {dim} needs shapes that agree elsewhere, got {[b.shape for b in arrays]}")
    dtype = result_type(*[array_of(t) for t in tensors])
    return Concatenate.apply(axis, *[cast(t, dtype) for t in kept])


def stack(tensors: Sequence, dim: int = 0) -> Any:
    """Join tensors of one shape along a new axis.

    Raises:
        ValueError: for no tensors, or shapes that differ.
    """
    if not len(tensors):
        raise ValueError("stack needs at least one tensor")
    shapes = [array_of(t).shape for t in tensors]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"stack needs tensors of one shape, got {shapes}")
    return cat([unsqueeze(t, dim) for t in tensors], normalize_dims(dim, len(shapes[0]) + 1)[0])
