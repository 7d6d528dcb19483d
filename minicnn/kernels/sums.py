"""Sums that stay accurate however many terms they have, over any axes of any memory order.

    total[a, b] = Σ over r of  x[a, r, b]        x (A, R, B), the memory of an array

One float32 accumulator of 2·10⁷ ones stops at 2²⁴: every term is rounded beside all that came before it. So eight rows
at a time are added in pairs, then carried in float64, in blocks of at most BLOCK rows that are added up in turn; the
blocks serve float64, which has no wider numbers. An array with several groups of axes to sum over takes one pass for
each, the largest first.

Where rows are short, several of them are added as one long row, which fills the vectors, and folded in halves at the
end. How the work is divided depends on sizes alone, so that the result is the same for any number of threads.
"""

import functools
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.machine import WAKE_SUMS
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import share

BLOCK = 256
"""How many rows are added before their sum is added to those of the blocks before."""
CHUNKS = 32
"""Into how many parts one long sum is divided; sums of so many are not."""
LONG_ROW = 128
WIDEST_ROW = 1024
"""The sums of so many columns, in float64, stay in the first-level cache; wider rows are divided."""
FEW_TERMS = 16
"""So few taps of a pool are added one after another, and half as many terms by NumPy: a mean is rounded once more."""
LONGEST_PRODUCT = 4096
"""The longest inner product of two matrices that BLAS adds up in its own order: in blocks of a few hundred."""
LONGEST_OF_FEW = 256
"""The same for vectors and for at most FEW_PRODUCTS results: BLAS may carry one accumulator through all of a sum."""
FEW_PRODUCTS = 2**12
FLOATS = np.dtype(np.float32), np.dtype(np.float64)
NOTHING = np.empty(0)
add: Any = np.add.reduce


@part
def sum_rows(x, first, rows, stride, width, sums, block):
    """sums[k] += Σ over rows of  x[first + row · stride + k],  k < width.

    Args:
        sums: float64.
        block: float64 scratch as long as `sums`.
    """
    step, count = np.uint64(stride), np.uint64(width)
    row = np.uint64(first)  # of unsigned numbers Numba knows that they don't count from the end
    left = rows
    while left >= 8:
        turns = min(left, BLOCK) // 8
        for k in range(count):
            block[k] = 0
        for _ in range(turns):
            for k in range(count):
                i = row + k
                block[k] += ((x[i] + x[i + step]) + (x[i + np.uint64(2) * step] + x[i + np.uint64(3) * step])) + (
                    (x[i + np.uint64(4) * step] + x[i + np.uint64(5) * step])
                    + (x[i + np.uint64(6) * step] + x[i + np.uint64(7) * step])
                )
            row += np.uint64(8) * step
        for k in range(count):
            sums[k] += block[k]
        left -= 8 * turns
    for _ in range(left):
        for k in range(count):
            sums[k] += x[row + k]
        row += step


@part
def _square_rows(x, first, rows, stride, width, shift, sums, block):
    """sums[k] += Σ over rows of  (x[first + row · stride + k] − shift[k])²,  k < width"""
    row, step, count = np.uint64(first), np.uint64(stride), np.uint64(width)
    for start in range(0, rows, BLOCK):
        for k in range(count):
            block[k] = 0
        for _ in range(start, min(rows, start + BLOCK)):
            for k in range(count):
                d = np.float64(x[row + k]) - shift[k]
                block[k] += d * d
            row += step
        for k in range(count):
            sums[k] += block[k]


@part(allocates=True)
def sum_tasks(begin, end, x, shift, R, B, width, chunks, partial, total):
    """Some tasks of a sum: each is a chunk of the rows of one a, and of as many columns as `width` has.

    Args:
        shift: (A · B,), where squares of x − shift are summed; else empty.
        width: `B` doubled until rows are long enough, or of how many columns the pieces are.
        partial: [a][chunk][b], float64; unused if there is but one chunk, which gives `total`, [a][b].
    """
    squares = shift.size > 0
    sums, block, shifts = np.empty(width), np.empty(width), np.empty(width if squares else 0)
    pieces = -(-B // width)
    for task in range(begin, end):
        b, place = task % pieces * width, task // pieces
        a, chunk = place // chunks, place % chunks
        r = R * chunk // chunks
        rows, first = R * (chunk + 1) // chunks - r, (a * R + r) * B + b
        stride, length, rest = B, min(width, B - b), 0
        if width > B:  # several rows as one
            stride = length = width
            rows, rest = rows * B // width, rows * B % width
        for k in range(length):
            sums[k] = 0
        if squares:
            for k in range(length):
                shifts[k] = shift[a * B + b + k % B]
            _square_rows(x, first, rows, stride, length, shifts, sums, block)
            _square_rows(x, first + rows * stride, min(rest, 1), 0, rest, shifts, sums, block)
        else:
            sum_rows(x, first, rows, stride, length, sums, block)
            sum_rows(x, first + rows * stride, min(rest, 1), 0, rest, sums, block)
        while length > B:
            length //= 2
            for k in range(length):
                sums[k] += sums[length + k]
        if chunks == 1:
            for k in range(length):
                total[a * B + b + k] = sums[k]
        else:
            for k in range(length):
                partial[(a * chunks + chunk) * B + b + k] = sums[k]


@part
def add_chunks(partial, chunks, B, total):
    """total[a, b] = Σ over chunks of  partial[a, chunk, b]"""
    for i in range(total.size):
        first, value = i // B * chunks * B + i % B, 0.0
        for chunk in range(chunks):
            value += partial[first + chunk * B]
        total[i] = value


@part
def _groups(first, last, x, shift, R, B, width, chunks, partial, total, tasks, groups):
    sum_tasks(tasks * first // groups, tasks * last // groups, x, shift, R, B, width, chunks, partial, total)


@kernel
def _sum(x, shift, R, B, width, chunks, total):
    tasks = total.size // B * chunks * -(-B // width)
    partial = np.empty(total.size * chunks if chunks > 1 else 0)
    groups = min(tasks, 2 * CHUNKS) if x.size >= WAKE_SUMS else 1
    share(_groups, groups, (x, shift, R, B, width, chunks, partial, total, tasks, groups))
    if chunks > 1:
        add_chunks(partial, chunks, B, total)


@functools.lru_cache(maxsize=4096)
def division(A: int, R: int, B: int) -> tuple[int, int]:
    """The width of the rows in which x (A, R, B) is summed, and into how many chunks they are divided."""
    width = min(B, WIDEST_ROW)
    while width < LONG_ROW and 4 * width <= R * B:
        width *= 2
    pieces, rows = -(-B // width), R * min(B, width) // width
    divided = A * R * B >= WAKE_SUMS and A * pieces < CHUNKS
    return width, max(1, min(CHUNKS, rows // 64)) if divided else 1


class _Pass(NamedTuple):
    """How an array is summed over axes that are neighbours in memory.

    Attributes:
        order: the axes in the order of memory.
        R, B, width, chunks: what the kernel needs to know.
        shape: of the result, where the summed axes are kept with size 1.
        laid: the same in the order of memory.
        back: the axes of `laid` in the order of `shape`.
        rest: the axes that remain to be summed over.
        dropped: the shape of the sum over all axes, without them.
        plain: whether NumPy, which has fewer costs of its own, is accurate: it adds up neighbours in eight sums.
    """

    order: tuple[int, ...]
    R: int
    B: int
    width: int
    chunks: int
    shape: tuple[int, ...]
    laid: tuple[int, ...]
    back: tuple[int, ...]
    rest: tuple[int, ...]
    dropped: tuple[int, ...]
    plain: bool


@functools.lru_cache(maxsize=4096)
def _first_pass(shape: tuple[int, ...], strides: tuple[int, ...], axes: tuple[int, ...]) -> _Pass:
    """The pass over the largest group of `axes` that are neighbours in memory."""
    order = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))
    wide = [axis for axis in order if shape[axis] > 1]
    runs = [list(run) for summed, run in itertools.groupby(wide, key=axes.__contains__) if summed]

    def count(some: list[int]) -> int:
        return math.prod([shape[axis] for axis in some])

    group = max(runs, key=count, default=[])
    inner = wide[wide.index(group[-1]) + 1 :] if group else wide
    R, B, size = count(group), count(inner), math.prod(shape)
    kept = tuple([1 if axis in group else n for axis, n in enumerate(shape)])
    neighbours = len(runs) == 1 and B == 1 and R <= 64 and 0 not in strides
    return _Pass(
        tuple(order), R, B, *division(size // max(R * B, 1), R, B), kept, tuple([kept[axis] for axis in order]),
        tuple(map(order.index, range(len(shape)))), tuple([a for run in runs if run != group for a in run]),
        tuple([n for axis, n in enumerate(shape) if axis not in axes]),
        size == 0 or count([a for run in runs for a in run]) <= FEW_TERMS // 2 or neighbours,
    )  # fmt: skip


def over(x: np.ndarray, axes: tuple[int, ...], keepdims: bool = False, dtype: Any = None) -> np.ndarray:
    """Σ x over some axes, a new array.

    Args:
        x: any shape and order in memory. What is neither float32 nor float64 is left to NumPy.
        axes: none twice, none negative.
        keepdims: keep the summed axes with size 1.
        dtype: of the result; that of x by default. Sums of float32 are carried in float64 either way.
    """
    first = _first_pass(x.shape, x.strides, axes)
    if first.plain or x.dtype not in FLOATS:
        return np.asarray(add(x, axes, dtype or x.dtype, None, keepdims))
    total = _total(x, None, axes, dtype or x.dtype)
    return total if keepdims else total.reshape(first.dropped)


def squares(x: np.ndarray, shift: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Σ (x − shift)² over some axes, in float64.

    Args:
        x: float32 or float64, any shape and order in memory.
        shift: float64, of the shape of the result.
        axes: none twice, none negative.

    Returns: float64, with the summed axes kept.
    """
    return _total(x, shift, axes, FLOATS[1])


def _total(x: np.ndarray, shift: np.ndarray | None, axes: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Σ x, or Σ (x − shift)², with the summed axes kept."""
    if not x.size:
        return np.zeros([1 if axis in axes else size for axis, size in enumerate(x.shape)], dtype)
    if shift is None and 0 in x.strides:
        once = tuple([slice(None) if stride else slice(1) for stride in x.strides])
        if x[once].size < x.size:
            return _total_of_repeated(x, once, axes, dtype)
    first = _first_pass(x.shape, x.strides, axes)
    memory = x.transpose(first.order).reshape(-1)
    if not memory.flags.writeable:  # Numba would compile once more for it
        memory = memory.copy()
    if shift is None:
        shifts = NOTHING
    else:
        shifts = np.broadcast_to(shift, first.shape).transpose(first.order).reshape(-1)
        shifts = shifts if shifts.flags.writeable else shifts.copy()
    total = empty(first.laid, FLOATS[1] if first.rest else np.dtype(dtype))
    _sum(memory, shifts, first.R, first.B, first.width, first.chunks, total.reshape(-1))
    total = total.transpose(first.back)
    return _total(total, None, first.rest, dtype) if first.rest else total


def _total_of_repeated(x: np.ndarray, once: tuple[slice, ...], axes: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Σ x where axes repeat one element: each is added up `once`, and multiplied."""
    total = _total(x[once], None, axes, FLOATS[1])
    times = math.prod([x.shape[axis] for axis in axes if not x.strides[axis]])
    with np.errstate(all="ignore"):
        total = (total * times).astype(dtype)
    return np.broadcast_to(total, [1 if axis in axes else size for axis, size in enumerate(x.shape)]).copy()


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b, where the parts of a long inner product are added up pairwise.

    Args:
        a: (K,) or (…, M, K).
        b: (K,) or (…, K, N).
    """
    K = a.shape[-1]
    M, N = 1 if a.ndim == 1 else a.shape[-2], 1 if b.ndim == 1 else b.shape[-1]
    few = min(M, N) == 1 or M * N <= FEW_PRODUCTS
    if (LONGEST_OF_FEW if few else LONGEST_PRODUCT) >= K or a.dtype.kind not in "fc":
        return np.asarray(np.matmul(a, b))
    half = K // 2
    first, last = (b[:half], b[half:]) if b.ndim == 1 else (b[..., :half, :], b[..., half:, :])
    return product(a[..., :half], first) + product(a[..., half:], last)
