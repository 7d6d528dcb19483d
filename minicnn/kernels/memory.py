"""The order of elements in memory: images lie channels-last, whatever their shape says.

A tensor of shape (N, C, H, W) is, as a rule, an array (N, H, W, C) in row-major order seen through
`transpose(0, 3, 1, 2)`. Kernels that treat every element alike run along memory and don't care.
"""

import importlib
import math
import threading
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from minicnn.kernels.machine import LINE_BYTES

SMALL_BYTES = 2**16
SHELF_BYTES = 2**30


class _Buffer(np.ndarray):
    """Memory of an array to come.

    A class of its own, because NumPy lets an array on a view of an array point to the latter, past the view.
    """


class _Shelf:
    """Buffers that arrays have left, by size, to be used again.

    The operating system gives a large array page by page, and clears each page: for an array that is written and
    read once this costs more than the computation. A training step asks for the same sizes again and again.
    """

    most = SHELF_BYTES  # here, where it is still found when the interpreter ends and clears its modules

    def __init__(self) -> None:
        self.buffers: defaultdict[int, list[_Buffer]] = defaultdict(list)
        self.bytes = 0

    def take(self, size: int) -> _Buffer:
        """A buffer of at least `size` bytes, used before or new."""
        step = 1 << (size.bit_length() - 4)  # sizes in steps of a sixteenth to an eighth
        size = -(-size // step) * step
        waiting = self.buffers[size]
        if waiting:
            self.bytes -= size
            return waiting.pop()
        memory = np.empty(size + LINE_BYTES, np.uint8)
        return _Buffer(size, np.uint8, memory, -memory.ctypes.data % LINE_BYTES)

    def give(self, buffer: _Buffer) -> None:
        """Keep a buffer, unless the shelf is full."""
        size = buffer.size
        if self.bytes + size <= self.most:
            self.bytes += size
            self.buffers[size].append(buffer)


_shelf = _Shelf()


class _Lent(np.ndarray):
    """A buffer in use; when the last array on it is gone, it goes back to the shelf."""

    def __del__(self, shelf: _Shelf = _shelf) -> None:
        shelf.give(self.base)  # type: ignore[arg-type]


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """As `np.empty`; large arrays begin at a cache line, in buffers that are used again."""
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL_BYTES:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, _shelf.take(size).view(_Lent))


class _Scratch(threading.local):
    """Each thread's memory for what no kernel call leaves behind."""

    def __init__(self) -> None:
        self.arrays: dict[np.dtype, np.ndarray] = {}


_scratch = _Scratch()


def scratch(size: int, dtype: np.dtype) -> np.ndarray:
    """At least `size` numbers, to be used within one kernel call: the next one gets the same memory."""
    array = _scratch.arrays.get(dtype)
    if array is None or array.size < size:
        array = _scratch.arrays[dtype] = empty((max(size, SMALL_BYTES),), dtype)
    return array


def give_back() -> None:
    """Return to the system what waits to be used again, and this thread's scratch memory."""
    _scratch.arrays.clear()
    _shelf.buffers.clear()
    _shelf.bytes = 0


def empty_like(x: np.ndarray) -> np.ndarray:
    """As `np.empty_like` for a dense array: the same shape, dtype and order in memory."""
    if x.nbytes < SMALL_BYTES or not is_dense(x):
        return np.empty_like(x)
    return np.ndarray(x.shape, x.dtype, _shelf.take(x.nbytes).view(_Lent), 0, x.strides)


def copy(target: np.ndarray, source: np.ndarray) -> None:
    """target[...] = source, of one shape and dtype; large ones by all threads, whatever order either lies in."""
    if target.nbytes < SMALL_BYTES:
        target[...] = source
    else:
        importlib.import_module("minicnn.kernels.copying").copy(target, source)  # which imports Numba


def join(target: np.ndarray, sources: Sequence[np.ndarray], axis: int) -> None:
    """Fill `target` with arrays of its dtype, one behind the other along an axis."""
    if target.nbytes < SMALL_BYTES:
        np.concatenate(sources, axis, out=target)
    else:
        importlib.import_module("minicnn.kernels.copying").join(target, sources, axis)


def channels_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as a row-major (N, H, W, C): a view where memory allows, else a copy."""
    x = x.transpose(0, 2, 3, 1)
    if x.flags.c_contiguous:
        return x
    return row_major(x)


def contiguous(x: np.ndarray) -> np.ndarray:
    """`x` itself where it lies in row-major order, else a copy that does."""
    return x if x.flags.c_contiguous else row_major(x)


def row_major(x: np.ndarray) -> np.ndarray:
    """A copy in row-major order."""
    result = empty(x.shape, x.dtype)
    copy(result, x)
    return result


def channels_first(x: np.ndarray) -> np.ndarray:
    """(N, H, W, C) seen as (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)


def flat(x: np.ndarray) -> np.ndarray:
    """A dense array along its memory, as a one-dimensional view."""
    return x.ravel("K")


class Unlocked:
    """Read-only memory as memory that may be written to."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}


def read(array: np.ndarray) -> np.ndarray:
    """An array for a kernel that only reads it, whether or not NumPy would let it be written to.

    For the difference Numba would compile the kernel once more.
    """
    return array if array.flags.writeable else np.asarray(Unlocked(array))


def is_dense(x: np.ndarray) -> bool:
    """Whether the elements of `x` fill their memory, without gaps or overlaps, in whatever order of the axes."""
    return x.flags.c_contiguous or flat(x).base is not None  # a copy would own its memory


def dense(x: np.ndarray) -> np.ndarray:
    """`x` itself where its memory has neither gaps nor overlaps, else a row-major copy."""
    return x if is_dense(x) else np.ascontiguousarray(x)


def like(x: np.ndarray, model: np.ndarray) -> np.ndarray:
    """`x` with its elements in the memory order of the dense array `model`, of the same shape."""
    if x.strides == model.strides:
        return x
    return copied(x, model)


def copied(x: np.ndarray, model: np.ndarray) -> np.ndarray:
    """A copy of `x` with its elements in the memory order of `model`, of the same shape."""
    result = empty_like(model) if x.dtype == model.dtype else np.empty_like(model, dtype=x.dtype)
    copy(result, x)
    return result
