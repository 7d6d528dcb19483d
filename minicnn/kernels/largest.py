"""A max pool's cells as LLVM instructions: forward the largest number of each window, backward the gradient's way home.

    forward:    y[j, c] = max over taps t of  x[t of cell j, c],     where[j, c] = the t that it came from
    backward:   ∂x[t of cell j, c] = ∂y[j, c]  if where[j, c] = t,  else 0

The loops over taps are short and decide between two numbers at every turn; here best and place stay in registers and
the choice is a blend of vectors. Where channels are few, a vector holds two neighbouring cells: each is loaded under a
mask of its own, from where the vector's first lane would be if the cells before it lay there as well.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minicnn.kernels.llvm import Emitter, integer

CELLS = (2, 1)
"""How many cells a vector may hold. Four, for up to 4 channels, would be 1.2 times as fast; compiling takes longer."""


class PoolEmitter(Emitter):
    """Instructions on vectors of floats, and of int32 beside them."""

    def __init__(self, context: Any, builder: Any, element: Any) -> None:
        super().__init__(context, builder, element)
        self.i32 = ir.IntType(32)
        self.integers = ir.VectorType(self.i32, self.lanes)
        self.lane_count = integer(self.lanes)

    def variable(self, value: Any) -> Any:
        """A place that starts as `value`; the optimiser makes it a register."""
        place = cgutils.alloca_once(self.builder, value.type)
        self.builder.store(value, place)
        return place

    def places(self, number: Any) -> Any:
        """An intp as int32 in every lane."""
        undefined = ir.Constant(self.integers, ir.Undefined)
        first = self.builder.insert_element(undefined, self.builder.trunc(number, self.i32), ir.Constant(self.i32, 0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(self.integers, None))

    def first_lanes(self, count: Any) -> Any:
        """True in the first `count` lanes."""
        return self.builder.icmp_signed("<", ir.Constant(self.integers, list(range(self.lanes))), self.places(count))

    def load_over(self, pointer: Any, mask: Any, under: Any) -> Any:
        """A vector from memory in the lanes of the mask, `under` in the others; of floats or int32, as `under`."""
        pointer = self.builder.bitcast(pointer, under.type.as_pointer())
        signature = ir.FunctionType(under.type, [pointer.type, self.i32, mask.type, under.type])
        name = f"llvm.masked.load.{self._suffix(under)}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(function, [pointer, self._align(under), mask, under])

    def store_lanes(self, value: Any, pointer: Any, mask: Any) -> None:
        """Store the lanes of the mask."""
        pointer = self.builder.bitcast(pointer, value.type.as_pointer())
        signature = ir.FunctionType(ir.VoidType(), [value.type, pointer.type, self.i32, mask.type])
        name = f"llvm.masked.store.{self._suffix(value)}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        self.builder.call(function, [value, pointer, self._align(value), mask])

    def _suffix(self, value: Any) -> str:
        return self.suffix if value.type == self.vector else f"v{self.lanes}i32"

    def _align(self, value: Any) -> Any:
        return ir.Constant(self.i32, self.bytes if value.type == self.vector else 4)

    @contextmanager
    def range(self, start: Any, stop: Any, step: Any) -> Iterator:
        with cgutils.for_range_slice(self.builder, start, stop, step, start.type) as (index, _):
            yield index

    def window_sizes(self, rows: Any, columns: Any) -> Iterator:
        """Two cases: yields 2 for a window of 2 × 2, whose loops needn't be, and None for all others."""
        two = integer(2)
        equal = [self.builder.icmp_signed("==", size, two) for size in (rows, columns)]
        with self.builder.if_else(self.builder.and_(*equal)) as (then, otherwise):
            with then:
                yield 2
            with otherwise:
                yield None

    def line(self, size: int | None, count: Any, step: Any) -> Iterator:
        """0, step … (count − 1) · step: a loop, or written out if `size` says how many."""
        if size is None:
            with self.range(integer(0), self.builder.mul(count, step), step) as distance:
                yield distance
        else:
            for i in range(size):
                yield self.builder.mul(integer(i), step)

    def taps(self, size: int | None, rows: Any, row_step: Any, columns: Any, column_step: Any) -> Iterator:
        """How far a window's taps are from the first, in order."""
        for row in self.line(size, rows, row_step):
            for column in self.line(size, columns, column_step):
                yield self.builder.add(row, column)

    def channels(self, array_type: Any, value: Any) -> Any:
        """The last of an array's sizes."""
        shape = cgutils.create_struct_proxy(array_type)(self.context, self.builder, value).shape
        return self.builder.extract_value(shape, array_type.ndim - 1)

    def groups(self, cells: Any, channels: Any) -> Iterator:
        """Loops over all cells and channels, in groups that fill a vector.

        Yields the group's first cell, its first channel, the mask of each of its cells and that of all.
        """
        builder, zero, first = self.builder, integer(0), integer(0)
        for n in CELLS:
            last = builder.add(first, builder.and_(builder.sub(cells, first), integer(-n)))
            if n == 1:
                with self.range(first, last, integer(1)) as j, self.range(zero, channels, self.lane_count) as c:
                    yield j, c, [(mask := self.first_lanes(builder.sub(channels, c)))], mask
                return
            width = builder.mul(channels, integer(n))
            last = builder.select(builder.icmp_signed("<=", width, self.lane_count), last, first)
            ends = [self.first_lanes(builder.mul(channels, integer(i))) for i in range(n + 1)]
            masks = [builder.and_(end, builder.not_(begin)) for begin, end in itertools.pairwise(ends)]
            with self.range(first, last, integer(n)) as j:
                yield j, zero, masks, ends[-1]
            first = last

    def lane_places(self, start: Any, step: Any, masks: list) -> Any:
        """In the lanes of mask i start + i · step, as int32."""
        place = self.places(start)
        for i, mask in enumerate(masks[1:], 1):
            later = self.builder.add(start, self.builder.mul(step, integer(i)))
            place = self.builder.select(mask, self.places(later), place)
        return place


@intrinsic
def largest(typing_context, x, x0, rows, row_step, columns, column_step, cells, cell_step, y, where, y0, start):
    """The maxima of neighbouring cells that see equally many taps.

    y[y0 + j, c] = max over p < rows, q < columns of  x[x0 + j · cell_step + p · row_step + q · column_step, c],
    where[y0 + j, c] = start + (the same without x0) of the first maximum, or of the last NaN, which beats everything,
    for j < cells, c < C.

    Args:
        x, y: arrays (N, H, W, C) and (N, OH, OW, C), taken as rows of C numbers; where: int32, as y.
        x0, y0, start: in cells, as are the steps.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = PoolEmitter(context, builder, signature.args[0].dtype)
        _, x0, rows, row_step, columns, column_step, cells, cell_step, _, _, y0, start = args
        source, result, positions = (emit.data(signature.args[i], args[i]) for i in (0, 8, 9))
        channels = emit.channels(signature.args[0], args[0])
        shift = builder.mul(
            builder.sub(cell_step, integer(1)), channels
        )  # of a cell's first lane against its neighbour's

        for size in emit.window_sizes(rows, columns):
            for j, c, masks, whole in emit.groups(cells, channels):
                first = builder.mul(j, cell_step)
                begin = emit.at(source, builder.add(builder.mul(builder.add(x0, first), channels), c))
                best = emit.variable(ir.Constant(emit.vector, [float("-inf")] * emit.lanes))
                best_tap = emit.variable(ir.Constant(emit.integers, None))
                for tap in emit.taps(size, rows, row_step, columns, column_step):
                    pointer = emit.at(begin, builder.mul(tap, channels))
                    new = ir.Constant(emit.vector, None)
                    for i, mask in enumerate(masks):
                        new = emit.load_over(emit.at(pointer, builder.mul(shift, integer(i))), mask, new)
                    most = builder.load(best)
                    wins = builder.or_(builder.fcmp_ordered(">", new, most), builder.fcmp_unordered("uno", new, new))
                    builder.store(builder.select(wins, new, most), best)
                    builder.store(builder.select(wins, emit.places(tap), builder.load(best_tap)), best_tap)
                target = builder.add(builder.mul(builder.add(y0, j), channels), c)
                emit.store_lanes(builder.load(best), emit.at(result, target), whole)
                place = emit.lane_places(builder.add(start, first), cell_step, masks)
                emit.store_lanes(builder.add(place, builder.load(best_tap)), emit.at(positions, target), whole)
        return context.get_dummy_value()

    return types.void(x, n, n, n, n, n, n, n, y, where, n, n), codegen


@intrinsic
def spread(typing_context, x, x0, rows, row_step, columns, cells, y, where, y0, start):
    """The way back, for windows side by side: every tap gets its window's y if it was the largest.

    x[x0 + j · columns + p · row_step + q, c] = y[y0 + j, c]  where that is the place where[y0 + j, c],  else 0,
    for all p < rows, q < columns, j < cells, c < C.

    Args:
        x, y: arrays (N, H, W, C) and (N, OH, OW, C), taken as rows of C numbers; where: int32, as y.
        x0, y0, start: in cells, as is the step; `start` is the place of x0 in its image.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = PoolEmitter(context, builder, signature.args[0].dtype)
        _, x0, rows, row_step, columns, cells, _, _, y0, start = args
        target, values, positions = (emit.data(signature.args[i], args[i]) for i in (0, 6, 7))
        channels = emit.channels(signature.args[0], args[0])
        zero, one, nothing = integer(0), integer(1), ir.Constant(emit.vector, None)
        few = builder.icmp_signed("<", channels, emit.lane_count)
        beside = builder.select(
            few, columns, one
        )  # columns that may share a vector: their window's y is loaded for each
        apart = builder.select(few, one, columns)
        next_window, next_place = builder.mul(columns, channels), emit.places(columns)

        for q, c, masks, whole in emit.groups(beside, channels):
            source = emit.variable(builder.add(builder.mul(y0, channels), c))
            begin = emit.variable(emit.at(target, builder.add(builder.mul(builder.add(x0, q), channels), c)))
            expected = emit.variable(emit.lane_places(builder.add(start, q), one, masks))
            with emit.range(zero, cells, one):
                offset, pointer, first = (builder.load(place) for place in (source, begin, expected))
                value, place = nothing, ir.Constant(emit.integers, None)
                for i, mask in enumerate(masks):
                    here = builder.sub(offset, builder.mul(channels, integer(i)))
                    value = emit.load_over(emit.at(values, here), mask, value)
                    place = emit.load_over(emit.at(positions, here), mask, place)
                value = builder.fadd(value, nothing)  # as if added to a zero: −0 becomes 0
                best_tap = builder.sub(place, first)
                for tap in emit.taps(None, rows, row_step, apart, one):
                    share = builder.select(builder.icmp_signed("==", best_tap, emit.places(tap)), value, nothing)
                    emit.store_lanes(share, emit.at(pointer, builder.mul(tap, channels)), whole)
                builder.store(builder.add(offset, channels), source)
                builder.store(emit.at(pointer, next_window), begin)
                builder.store(builder.add(first, next_place), expected)
        return context.get_dummy_value()

    return types.void(x, n, n, n, n, n, y, where, n, n), codegen
