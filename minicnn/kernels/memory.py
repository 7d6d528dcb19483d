"""The order of elements in memory: images lie channels-last, whatever their shape says.

A tensor of shape (N, C, H, W) is, as a rule, an array (N, H, W, C) in row-major order seen through
`transpose(0, 3, 1, 2)`. Kernels that treat every element alike run along memory and don't care.
"""

import numpy as np


def channels_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as a row-major (N, H, W, C): a view where memory allows, else a copy."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def channels_first(x: np.ndarray) -> np.ndarray:
    """(N, H, W, C) seen as (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)


def order(x: np.ndarray) -> tuple[int, ...] | None:
    """The axes of `x` from outermost to innermost in memory, None if memory has gaps or overlaps."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    if x.ndim == 4 and x.transpose(0, 2, 3, 1).flags.c_contiguous:
        return (0, 2, 3, 1)
    axes = tuple(np.argsort([-stride for stride in x.strides], kind="stable"))
    return axes if x.transpose(axes).flags.c_contiguous else None


def dense(x: np.ndarray) -> np.ndarray:
    """`x` itself where its memory has neither gaps nor overlaps, else a row-major copy."""
    return x if order(x) is not None else np.ascontiguousarray(x)


def flat(x: np.ndarray) -> np.ndarray:
    """A dense array along its memory, as a one-dimensional view."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    return x.transpose(order(x)).reshape(-1)


def like(x: np.ndarray, model: np.ndarray) -> np.ndarray:
    """`x` with its elements in the memory order of the dense array `model`, of the same shape."""
    if x.strides == model.strides:
        return x
    result = np.empty_like(model, dtype=x.dtype)
    result[...] = x
    return result


def element_strides(x: np.ndarray) -> tuple[int, ...]:
    """Strides in elements instead of bytes."""
    return tuple(stride // x.itemsize for stride in x.strides)
