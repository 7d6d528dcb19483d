"""The largest of several vectors and where it was: a max pool's cell, for all channels, as LLVM instructions.

The loop is short and decides between two numbers at every turn; here best and place stay in registers and the
choice is a blend of vectors.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minicnn.kernels.microkernel import Emitter


def _store_integers(emit: Emitter, value: Any, pointer: Any, mask: Any) -> None:
    i32 = ir.IntType(32)
    pointer = emit.builder.bitcast(pointer, value.type.as_pointer())
    signature = ir.FunctionType(ir.VoidType(), [value.type, pointer.type, i32, mask.type])
    name = f"llvm.masked.store.v{emit.lanes}i32.p0"
    function = cgutils.get_or_insert_function(emit.builder.module, signature, name)
    emit.builder.call(function, [value, pointer, ir.Constant(i32, 4), mask])


@intrinsic
def largest(typing_context, x, x0, taps, places, count, channels, y, where, y0, start):
    """y[y0 + c] = max over taps t < count of x[x0 + taps[t] + c], for c < channels.

    where[y0 + c] = start + places[t] of the first maximum, or of the last NaN, which beats everything.

    Args:
        x, y: float arrays; where: int32.
        x0, y0: offsets in elements.
        taps, places: int64 arrays, `count` of which count, at least one.
        channels: how many numbers lie side by side.
        start: added to every place.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = Emitter(context, builder, signature.args[0].dtype, 1, 1)
        _, x0, _, _, count, channels, _, _, y0, start = args
        source, offsets, numbers, result, positions = (emit.data(signature.args[i], args[i]) for i in (0, 2, 3, 6, 7))
        i64, i32 = x0.type, ir.IntType(32)
        integers = ir.VectorType(i32, emit.lanes)
        zero, one = emit.integer(0), emit.integer(1)

        def repeat(number: Any) -> Any:
            first = builder.insert_element(ir.Constant(integers, ir.Undefined), number, ir.Constant(i32, 0))
            shuffle = ir.Constant(integers, None)
            return builder.shuffle_vector(first, ir.Constant(integers, ir.Undefined), shuffle)

        def place(t: Any) -> Any:
            return repeat(builder.trunc(builder.add(start, builder.load(emit.at(numbers, t))), i32))

        best = cgutils.alloca_once(builder, emit.vector)
        best_place = cgutils.alloca_once(builder, integers)
        with cgutils.for_range_slice(builder, zero, channels, emit.integer(emit.lanes), i64) as (c, _):
            mask = emit.mask(builder.sub(channels, c))
            begin = emit.at(source, builder.add(x0, c))

            def value(t: Any, begin: Any = begin, mask: Any = mask) -> Any:
                return emit.load(emit.at(begin, builder.load(emit.at(offsets, t))), mask)

            builder.store(value(zero), best)
            builder.store(place(zero), best_place)
            with cgutils.for_range_slice(builder, one, count, one, i64) as (t, _):
                new, most = value(t), builder.load(best)
                wins = builder.or_(builder.fcmp_ordered(">", new, most), builder.fcmp_unordered("uno", new, new))
                builder.store(builder.select(wins, new, most), best)
                builder.store(builder.select(wins, place(t), builder.load(best_place)), best_place)
            target = builder.add(y0, c)
            emit.store(builder.load(best), emit.at(result, target), mask)
            _store_integers(emit, builder.load(best_place), emit.at(positions, target), mask)
        return context.get_dummy_value()

    return types.void(x, n, taps, places, n, n, y, where, n, n), codegen
