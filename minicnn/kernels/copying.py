"""Copies from one order of memory to another, at the speed of memory where that can be had.

NumPy copies one element at a time where the two orders have no innermost axis in common, with one thread. Here axes
that lie one behind the other in both count as one, and then there are four cases:

    rows       the innermost axis is the same: rows are copied whole
    tiles      source[i, j] and target[j, i]: squares of both are in cache at once, so that each cache line is read and
               written whole (the transposition of a matrix; images from NCHW to NHWC)
    lines      the same with few of j, or of i: lines of one side are the colours of the other's pixels, or the pixels
               that a pixel shuffle makes of one
    elements   no axis of the source lies side by side, or too short a one: rows of the target, element by element
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.machine import lanes, vector_bytes
from minicnn.kernels.tasks import spans
from minicnn.kernels.vectors import fetch, load, store, transpose

ALONG = 64
"""How many of the source's neighbours are moved at a time; four cache lines of float32."""

AHEAD = 16
"""Rows that lie apart are fetched so many rows before they are copied."""

LONGEST_ROW = 2**15
"""Longer rows are divided, so that threads share them."""
FEW = 16
"""So many lines lie between each other at most; more are copied element by element."""


class _Plan(NamedTuple):
    """How to copy.

    Attributes:
        sizes, target, source: the outer axes, at least one: how long, and how far apart neighbours lie in each, in
            elements.
        inner, inner_source: the target's innermost axis: its length, and how far apart neighbours lie in the source.
            Of lines the axis along them, whose neighbours lie side by side on the side that has the lines apart.
        along, along_target: of tiles the source's innermost axis: its length, and how far apart neighbours lie in the
            target; 1 and 0 else.
        starts: of lines, where each begins; else none.
        together: of lines, whether they lie apart in the source and between each other in the target, or vice versa.
        extents: how many elements of memory the target and the source span.
    """

    sizes: np.ndarray
    target: np.ndarray
    source: np.ndarray
    inner: int
    inner_source: int
    along: int
    along_target: int
    starts: np.ndarray
    together: bool
    extents: tuple[int, int]


@functools.lru_cache(maxsize=4096)
def _plan(shape: tuple[int, ...], target: tuple[int, ...], source: tuple[int, ...], itemsize: int) -> _Plan | None:
    """None where NumPy is to copy: elements of other sizes, backwards or apart, a target with gaps."""
    if any(step < 0 or step % itemsize for step in (*target, *source)) or itemsize not in (4, 8):
        return None
    axes = [(t // itemsize, s // itemsize, n) for n, t, s in zip(shape, target, source, strict=True) if n > 1]
    merged: list[tuple[int, int, int]] = []
    for t, s, n in sorted(axes, reverse=True):
        if merged and merged[-1][:2] == (t * n, s * n):
            merged[-1] = (t, s, merged[-1][2] * n)
        else:
            merged.append((t, s, n))
    if not merged or merged[-1][0] != 1:
        return None
    extents = [1 + sum((n - 1) * axis[k] for *axis, n in merged) for k in (0, 1)]
    along, along_target, together = 1, 0, True
    starts: list[int] = []
    vector = vector_bytes() // itemsize
    lines = _lines(merged, 0, vector) or _lines(merged, 1, vector)
    if lines is not None:
        innermost, starts, together = lines
    else:
        innermost = merged.pop()
    inner_target, inner_source, inner = innermost
    pieces = next((k for k in range(-(-inner // LONGEST_ROW), 256) if inner % k == 0), 1) if inner > LONGEST_ROW else 1
    if pieces > 1:
        inner //= pieces
        merged.append((inner * inner_target, inner * inner_source, pieces))
    if lines is None and inner_source != 1:
        beside = [axis for axis in merged if axis[1] == 1]
        if beside and min(beside[0][2], inner) >= vector:
            along_target, _, along = beside[0]
            merged.remove(beside[0])
    outer = np.array(merged or [(0, 0, 1)], np.int64)
    sizes, in_target, in_source = (np.ascontiguousarray(outer[:, k]) for k in (2, 0, 1))
    return _Plan(
        sizes, in_target, in_source, inner, inner_source, along, along_target,
        np.array(starts, np.int64), together, (extents[0], extents[1]),
    )  # fmt: skip


def _lines(
    axes: list[tuple[int, int, int]], side: int, vector: int
) -> tuple[tuple[int, int, int], list[int], bool] | None:
    """The axis along a few lines that lie between each other on one side, 0 the target, and apart on the other.

    Takes their axes out of `axes`. Returns the axis along them, where each begins on the other side, and whether it is
    the target where they are together; None where there are none, or enough of one axis for tiles of `vector` lines.
    """
    few, starts = [], [0]
    for axis in sorted(axes, key=lambda axis: axis[side]):
        if axis[side] != len(starts):
            return None
        if axis[1 - side] == 1:
            break
        if len(starts) * axis[2] > FEW:
            return None
        few.append(axis)
        starts = [k * axis[1 - side] + start for k in range(axis[2]) for start in starts]
    else:
        return None
    if not few or few[0][2] >= vector:
        return None
    for one in (axis, *few):
        axes.remove(one)
    return axis, starts, side == 0


@part
def _place(number, sizes, steps):
    """How far the outer position of this number lies from the first."""
    place = 0
    for axis in range(len(sizes) - 1, -1, -1):
        place += number % sizes[axis] * steps[axis]
        number //= sizes[axis]
    return place


@part
def _move(target, to, source, at, count, vector):
    """target[to : to + count] = source[at : at + count]"""
    i = 0
    while i + 4 * vector <= count:
        a, b = load(source, at + i), load(source, at + i + vector)
        c, d = load(source, at + i + 2 * vector), load(source, at + i + 3 * vector)
        store(a, target, to + i)
        store(b, target, to + i + vector)
        store(c, target, to + i + 2 * vector)
        store(d, target, to + i + 3 * vector)
        i += 4 * vector
    while i + vector <= count:
        store(load(source, at + i), target, to + i)
        i += vector
    while i < count:
        target[to + i] = source[at + i]
        i += 1


@spans
def _copy_rows(row, end, target, source, sizes, target_steps, source_steps, inner, inner_source, vector):
    last = len(sizes) - 1
    ahead = AHEAD * source_steps[last] if source_steps[last] > inner else 0
    while row < end:  # as far as the last outer axis goes
        to, at = _place(row, sizes, target_steps), _place(row, sizes, source_steps)
        count = min(end - row, sizes[last] - row % sizes[last])
        for k in range(count):
            t, f = to + k * target_steps[last], at + k * source_steps[last]
            if inner_source == 1:
                if ahead:  # what lies apart no processor foresees
                    for i in range(0, inner, vector):
                        fetch(source, f + ahead + i)
                _move(target, t, source, f, inner, vector)
            elif inner_source == 0:
                row_of_one = target[t : t + inner]
                row_of_one[:] = source[f]
            else:
                for i in range(inner):
                    target[t + i] = source[f + i * inner_source]
        row += count


@part
def _interleave(target, to, source, at, starts, count):
    """Lines of the source that begin at `starts` as groups of the target: 2, 3 or 4 with vectors, others one by one."""
    if len(starts) > 4:
        for line in range(len(starts)):
            for j in range(count):
                target[to + j * len(starts) + line] = source[at + starts[line] + j]
        return
    result, a, b = target[to:], source[at + starts[0] :], source[at + starts[1] :]
    one, lines = np.uint64(1), np.uint64(len(starts))
    if lines == 2:
        for j in range(np.uint64(count)):
            result[np.uint64(2) * j] = a[j]
            result[np.uint64(2) * j + one] = b[j]
        return
    c = source[at + starts[2] :]
    if lines == 3:
        for j in range(np.uint64(count)):
            result[np.uint64(3) * j] = a[j]
            result[np.uint64(3) * j + one] = b[j]
            result[np.uint64(3) * j + np.uint64(2)] = c[j]
        return
    d = source[at + starts[3] :]
    for j in range(np.uint64(count)):
        result[np.uint64(4) * j] = a[j]
        result[np.uint64(4) * j + one] = b[j]
        result[np.uint64(4) * j + np.uint64(2)] = c[j]
        result[np.uint64(4) * j + np.uint64(3)] = d[j]


@part
def _separate(target, to, starts, source, at, count):
    """Groups of the source as lines of the target that begin at `starts`: 2, 3 or 4 with vectors, others one by one."""
    if len(starts) > 4:
        for line in range(len(starts)):
            for i in range(count):
                target[to + starts[line] + i] = source[at + i * len(starts) + line]
        return
    given, a, b = source[at:], target[to + starts[0] :], target[to + starts[1] :]
    one, lines = np.uint64(1), np.uint64(len(starts))
    if lines == 2:
        for i in range(np.uint64(count)):
            a[i] = given[np.uint64(2) * i]
            b[i] = given[np.uint64(2) * i + one]
        return
    c = target[to + starts[2] :]
    if lines == 3:
        for i in range(np.uint64(count)):
            a[i] = given[np.uint64(3) * i]
            b[i] = given[np.uint64(3) * i + one]
            c[i] = given[np.uint64(3) * i + np.uint64(2)]
        return
    d = target[to + starts[3] :]
    for i in range(np.uint64(count)):
        a[i] = given[np.uint64(4) * i]
        b[i] = given[np.uint64(4) * i + one]
        c[i] = given[np.uint64(4) * i + np.uint64(2)]
        d[i] = given[np.uint64(4) * i + np.uint64(3)]


@spans
def _copy_lines(row, end, target, source, sizes, target_steps, source_steps, length, starts, together):
    last = len(sizes) - 1
    while row < end:  # as far as the last outer axis goes
        to, at = _place(row, sizes, target_steps), _place(row, sizes, source_steps)
        count = min(end - row, sizes[last] - row % sizes[last])
        for k in range(count):
            t, f = to + k * target_steps[last], at + k * source_steps[last]
            if together:
                _interleave(target, t, source, f, starts, length)
            else:
                _separate(target, t, starts, source, f, length)
        row += count


@spans
def _copy_tiles(
    begin, end, target, source, sizes, target_steps, source_steps, inner, inner_source, along, along_target, vector
):
    strips = -(-along // ALONG)
    whole = inner - inner % vector
    for strip in range(begin, end):
        row, j0 = strip // strips, strip % strips * ALONG
        count = min(ALONG, along - j0)
        squares = count - count % vector
        to = _place(row, sizes, target_steps) + j0 * along_target
        at = _place(row, sizes, source_steps) + j0
        if along_target > inner_source:  # a few long lines of the target at a time
            for j in range(0, squares, vector):
                for i in range(0, whole, vector):
                    transpose(
                        source, at + i * inner_source + j, inner_source,
                        target, to + j * along_target + i, along_target,
                    )  # fmt: skip
        else:  # a few of the source
            for i in range(0, whole, vector):
                for j in range(0, squares, vector):
                    transpose(
                        source, at + i * inner_source + j, inner_source,
                        target, to + j * along_target + i, along_target,
                    )  # fmt: skip
        for j in range(squares, count):
            for k in range(whole):
                target[to + j * along_target + k] = source[at + k * inner_source + j]
        for i in range(whole, inner):
            for j in range(count):
                target[to + j * along_target + i] = source[at + i * inner_source + j]


@spans
def _join_rows(begin, end, target, memory, places, lengths, vector):
    """Row after row of the target from a row of each source; a source begins at one of `places` in memory."""
    to = begin * lengths.sum()
    for row in range(begin, end):
        for source in range(len(places)):
            length = lengths[source]
            _move(target, to, memory, places[source] + row * length, length, vector)
            to += length


class _Memory:
    """Memory from an array's first element on, as a row of floats, which are moved and not computed with."""

    def __init__(self, array: np.ndarray, elements: int) -> None:
        self._array = array
        place = array.__array_interface__["data"][0]
        kind = f"<f{array.itemsize}"
        self.__array_interface__ = {"shape": (elements,), "typestr": kind, "data": (place, False), "version": 3}


def copy(target: np.ndarray, source: np.ndarray) -> None:
    """target[...] = source, of one shape and dtype, at least one element."""
    plan = _plan(target.shape, target.strides, source.strides, target.itemsize)
    if plan is None:
        target[...] = source
        return
    rows = int(plan.sizes.prod())
    to, at = (np.asarray(_Memory(a, n)) for a, n in zip((target, source), plan.extents, strict=True))
    axes = plan.sizes, plan.target, plan.source
    if plan.starts.size:
        _copy_lines(rows, to, at, *axes, plan.inner, plan.starts, plan.together)
    elif plan.along > 1:
        strips, along = rows * -(-plan.along // ALONG), (plan.along, plan.along_target)
        _copy_tiles(strips, to, at, *axes, plan.inner, plan.inner_source, *along, lanes(to.dtype))
    else:
        _copy_rows(rows, to, at, *axes, plan.inner, plan.inner_source, lanes(to.dtype))


@functools.lru_cache(maxsize=4096)
def _rows_to_join(layout: tuple, sources: tuple[tuple, ...], axis: int, itemsize: int) -> tuple[int, np.ndarray] | None:
    """How many rows alternate, and how long each source's are; None where none do.

    Args:
        layout: shape and strides of the target.
        sources: those of the sources.
        axis: along which they are joined.
        itemsize: of the elements.
    """
    shape, strides = layout
    order = sorted(range(len(shape)), key=lambda k: (-strides[k], k))
    rows = math.prod([shape[k] for k in order[: order.index(axis)]])
    if rows < 2 or itemsize not in (4, 8) or math.prod(shape) > rows * LONGEST_ROW:
        return None
    lengths = []
    for one, steps in (layout, *sources):
        size = 1
        for k in reversed(order):
            if one[k] > 1 and steps[k] != size * itemsize:
                return None
            size *= one[k]
        lengths.append(size // rows)
    return rows, np.array(lengths[1:], np.int64)


def join(target: np.ndarray, sources: Sequence[np.ndarray], axis: int) -> None:
    """Fill a dense `target` with arrays of its dtype, one behind the other along an axis.

    Where rows of several sources alternate in the target, as channels of images do in channels-last memory, all are
    copied in one pass: one source after the other takes 1.3 times as long for images that don't fit in cache.
    """
    layouts = tuple([(one.shape, one.strides) for one in sources])
    plan = _rows_to_join((target.shape, target.strides), layouts, axis, target.itemsize)
    starts = [one.__array_interface__["data"][0] for one in sources]
    first, size = min(starts), target.itemsize
    if plan is None or any((start - first) % size for start in starts):
        end = 0
        for one in sources:
            begin, end = end, end + one.shape[axis]
            if one.size:
                copy(target[(*[slice(None)] * axis, slice(begin, end))], one)
        return
    rows, lengths = plan
    places = np.array([(start - first) // size for start in starts], np.int64)
    reach = int((places + lengths * rows).max())
    to, memory = np.asarray(_Memory(target, target.size)), np.asarray(_Memory(sources[starts.index(first)], reach))
    _join_rows(rows, to, memory, places, lengths, lanes(to.dtype))
