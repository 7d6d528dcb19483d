"""Vectors of numbers as values in kernels: what one vector register holds.

Numba vectorises innermost loops by itself. Where the innermost loop must run over something else (the taps of a
window, while neighbouring channels fill the lanes), a kernel says itself what goes into a register:

    total = zero(x)                                           # as many zeros of the dtype of x as fill a vector
    total = multiply_add(load(x, i), load(weight, j), total)  # x[i : i + L] · weight[j : j + L] + total
    store(total, y, k)                                        # y[k : k + L] = total

Offsets count elements of a one-dimensional array, and nothing checks them.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

from minicnn.kernels.llvm import Emitter, integer
from minicnn.kernels.machine import vector_bytes


class VectorType(types.Type):
    """The type of a vector of float32 or float64."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.lanes = vector_bytes() // (element.bitwidth // 8)
        super().__init__(name=f"Vector({element} x {self.lanes})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Any) -> None:
        number = ir.FloatType() if vector.element == types.float32 else ir.DoubleType()
        super().__init__(manager, vector, ir.VectorType(number, vector.lanes))


def _emitter(context: Any, builder: Any, array: Any) -> Emitter:
    return Emitter(context, builder, array.dtype)


@intrinsic
def fill_vectors(typing_context):
    """Let the compiler fill whole vectors in the function that calls this, and what becomes part of it.

    Left to itself, LLVM takes half of AVX-512's on Intel's processors, for fear of a lower clock: exponentials took
    43 µs instead of 33.
    """

    def codegen(context, builder, signature, args):
        # llvmlite knows no attributes with values: past its check
        set.add(builder.function.attributes, f'"prefer-vector-width"="{8 * vector_bytes()}"')
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def zero(typing_context, array):
    """A vector of zeros, of the dtype of `array`."""
    vector = VectorType(array.dtype)

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(signature.return_type), None)

    return vector(array), codegen


@intrinsic
def width(typing_context, array):
    """How many numbers of the dtype of `array` a vector holds."""

    def codegen(context, builder, signature, args):
        return context.get_constant(types.intp, VectorType(signature.args[0].dtype).lanes)

    return types.intp(array), codegen


@intrinsic
def load(typing_context, array, offset):
    """array[offset : offset + L]"""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        return emit.load(emit.at(emit.data(signature.args[0], args[0]), args[1]))

    return VectorType(array.dtype)(array, types.intp), codegen


@intrinsic
def fetch(typing_context, array, offset):
    """Bring the cache line of array[offset] near, wherever that lies: of memory that isn't there nothing comes."""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        place, flag = emit.at(emit.data(signature.args[0], args[0]), args[1]), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, flag, flag, flag])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, keep, data = ir.Constant(flag, 0), ir.Constant(flag, 3), ir.Constant(flag, 1)
        builder.call(prefetch, [place, to_read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def repeat(typing_context, array, offset):
    """array[offset] in every lane"""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        return emit.repeat(builder.load(emit.at(emit.data(signature.args[0], args[0]), args[1])))

    return VectorType(array.dtype)(array, types.intp), codegen


@intrinsic
def store(typing_context, vector, array, offset):
    """array[offset : offset + L] = vector"""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        emit.store(args[0], emit.at(emit.data(signature.args[1], args[1]), args[2]))
        return context.get_dummy_value()

    return types.void(vector, array, types.intp), codegen


@intrinsic
def add(typing_context, a, b):
    """a + b"""

    def codegen(context, builder, signature, args):
        return builder.fadd(*args)

    return a(a, b), codegen


@intrinsic
def multiply(typing_context, a, b):
    """a · b"""

    def codegen(context, builder, signature, args):
        return builder.fmul(*args)

    return a(a, b), codegen


@intrinsic
def larger(typing_context, a, b):
    """a where it is greater than b, else b, also where either is NaN"""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), codegen


@intrinsic
def multiply_add(typing_context, a, b, c):
    """a · b + c, rounded once where the machine can"""

    def codegen(context, builder, signature, args):
        element = signature.return_type.element
        emit = Emitter(context, builder, element)
        return builder.call(emit.fma, args)

    return a(a, b, c), codegen


def _swap(emit: Emitter, found: list[Any]) -> Any:
    """The next partner, of number r = len(found), of the vector found[0]: lane l holds what stands in its lane l xor r.

    Lanes are first swapped by fours, then within fours, which takes one instruction without a table of lanes.
    """
    r = len(found)
    source, distance = (found[r & ~3], r & 3) if r & 3 else (found[0], r)
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), emit.lanes), [lane ^ distance for lane in range(emit.lanes)])
    found.append(emit.builder.shuffle_vector(source, source, lanes))
    return found[r]


@intrinsic
def add_partners(typing_context, total, x, offset, weight, place, apart, partners):
    """total + Σ over r < S of  swapped(r) · weight[place + r · apart : … + L]

    where lane l of swapped(r) is x[offset + (l xor r)], and S, a power of two, is the length of the tuple `partners`.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        total, x, offset, weight, place, apart, _ = args
        found = [emit.load(emit.at(emit.data(signature.args[1], x), offset))]
        begin = emit.at(emit.data(signature.args[3], weight), place)
        for r in range(len(signature.args[6])):
            factor = emit.load(emit.at(begin, builder.mul(apart, integer(r))))
            total = builder.call(emit.fma, [_swap(emit, found) if r else found[0], factor, total])
        return total

    return total(total, x, n, weight, n, n, partners), codegen


@intrinsic
def copies(typing_context, vector, pixels):
    """As many copies of a vector as the tuple `pixels` has entries."""
    vectors = types.UniTuple(vector, len(pixels))

    def codegen(context, builder, signature, args):
        return context.make_tuple(builder, signature.return_type, [args[0]] * len(signature.return_type))

    return vectors(vector, pixels), codegen


def _spaced(emit, begin, step, count):
    """Pointers to begin[0], begin[step], …, in groups of four from pointers that the compiler knows nothing about.

    Otherwise it computes array + j · step for each j before a loop over `begin`, which is more than there are registers
    for, and reads each from memory before it reads a vector.
    """
    builder, places = emit.builder, []
    for j in range(count):
        if j % 4 == 0:
            begin = emit.opaque(emit.at(begin, builder.mul(step, integer(4))) if j else begin)
        places.append(emit.at(begin, builder.mul(step, integer(j % 4))))
    return places


@intrinsic
def add_taps(typing_context, totals, x, offset, step, weight, place, apart, between, taps, partners):
    """Neighbouring taps of neighbouring pixels: totals[i] + Σ over k, r of swapped(i + k, r) · weight[… : … + L]

    where swapped(j, r) is, in lane l, x[offset + j · step + (l xor r)], the weights begin at
    place + k · between + r · apart, and k and r count to the lengths of the tuples `taps` and `partners`. A vector of x
    is loaded once for all the taps that read it, and lanes are swapped once.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        totals, x, offset, step, weight, place, apart, between, _, _ = args
        totals, count = cgutils.unpack_tuple(builder, totals), len(signature.args[8])
        begin, weights = emit.at(emit.data(signature.args[1], x), offset), emit.data(signature.args[4], weight)
        found = [[emit.load(at)] for at in _spaced(emit, begin, step, len(totals) + count - 1)]
        for r in range(len(signature.args[9])):
            swapped = [_swap(emit, vectors) if r else vectors[0] for vectors in found]
            first = builder.add(place, builder.mul(apart, integer(r)))
            for k in range(count):
                factor = emit.load(emit.at(weights, builder.add(first, builder.mul(between, integer(k)))))
                for i, total in enumerate(totals):
                    totals[i] = builder.call(emit.fma, [swapped[i + k], factor, total])
        return context.make_tuple(builder, signature.return_type, totals)

    return totals(totals, x, n, n, weight, n, n, n, taps, partners), codegen


@intrinsic
def store_apart(typing_context, vectors, array, offset, apart):
    """array[offset + i · apart : … + L] = vectors[i]"""
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        begin = emit.at(emit.data(signature.args[1], args[1]), args[2])
        for i, vector in enumerate(cgutils.unpack_tuple(builder, args[0])):
            emit.store(vector, emit.at(begin, builder.mul(args[3], integer(i))))
        return context.get_dummy_value()

    return types.void(vectors, array, n, n), codegen


@intrinsic
def load_each(typing_context, array, offset, partners):
    """As many vectors as `partners` has entries, which follow each other from array[offset] on."""
    vectors = types.UniTuple(VectorType(array.dtype), len(partners))

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        begin = emit.at(emit.data(signature.args[0], args[0]), args[1])
        loaded = [emit.load(emit.at(begin, integer(r * emit.lanes))) for r in range(len(signature.return_type))]
        return context.make_tuple(builder, signature.return_type, loaded)

    return vectors(array, types.intp, partners), codegen


@intrinsic
def store_each(typing_context, vectors, array, offset):
    """The opposite of `load_each`."""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        begin = emit.at(emit.data(signature.args[1], args[1]), args[2])
        for r, vector in enumerate(cgutils.unpack_tuple(builder, args[0])):
            emit.store(vector, emit.at(begin, integer(r * emit.lanes)))
        return context.get_dummy_value()

    return types.void(vectors, array, types.intp), codegen


@intrinsic
def add_each(typing_context, totals, x, factor):
    """totals[r] + swapped(r) · factor, where lane l of swapped(r) is lane l xor r of the vector x."""

    def codegen(context, builder, signature, args):
        emit = Emitter(context, builder, signature.args[1].element)
        totals = cgutils.unpack_tuple(builder, args[0])
        found, sums = [args[1]], []
        for r, total in enumerate(totals):
            sums.append(builder.call(emit.fma, [_swap(emit, found) if r else found[0], args[2], total]))
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, x, factor), codegen


@intrinsic
def widen(typing_context, vector):
    """The numbers of a vector as vectors of float64, as many as they fill."""
    wide = VectorType(types.float64)
    vectors = types.UniTuple(wide, vector.lanes // wide.lanes)

    def codegen(context, builder, signature, args):
        parts = [args[0]]
        if len(vectors) > 1:
            undefined, many = ir.Constant(args[0].type, ir.Undefined), ir.VectorType(ir.IntType(32), wide.lanes)
            lanes = [ir.Constant(many, list(range(i, i + wide.lanes))) for i in range(0, vector.lanes, wide.lanes)]
            halves = [builder.shuffle_vector(args[0], undefined, some) for some in lanes]
            parts = [builder.fpext(half, context.get_value_type(wide)) for half in halves]
        return context.make_tuple(builder, signature.return_type, parts)

    return vectors(vector), codegen


def _by_each(compute):
    """An operation on tuples of vectors, from one on vectors."""

    def codegen(context, builder, signature, args):
        emit = Emitter(context, builder, signature.return_type.dtype.element)
        rows = zip(*(cgutils.unpack_tuple(builder, vectors) for vectors in args), strict=True)
        return context.make_tuple(builder, signature.return_type, [compute(emit, *row) for row in rows])

    return codegen


@intrinsic
def plus(typing_context, a, b):
    """a[i] + b[i]"""
    return a(a, b), _by_each(lambda emit, x, y: emit.builder.fadd(x, y))


@intrinsic
def minus(typing_context, a, b):
    """a[i] − b[i]"""
    return a(a, b), _by_each(lambda emit, x, y: emit.builder.fsub(x, y))


@intrinsic
def plus_products(typing_context, totals, a, b):
    """totals[i] + a[i] · b[i]"""
    return totals(totals, a, b), _by_each(lambda emit, t, x, y: emit.builder.call(emit.fma, [x, y, t]))


@intrinsic
def transpose(typing_context, source, s0, s_step, target, t0, t_step):
    """target[t0 + j · t_step + i] = source[s0 + i · s_step + j] for i, j < L, in log₂ L rounds of shuffles.

    In the round of distance d, vectors whose numbers differ in d alone swap the quarters that are in the wrong half:
    what stands in the lanes with d of the first, and in those without of the second.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        begin, end = emit.data(signature.args[0], args[0]), emit.data(signature.args[3], args[3])
        L = emit.lanes
        places = [builder.add(args[1], builder.mul(args[2], integer(i))) for i in range(L)]
        rows = [emit.load(emit.at(begin, place)) for place in places]
        many = ir.VectorType(ir.IntType(32), L)
        distance = L // 2
        while distance:
            low = ir.Constant(many, [l if not l & distance else L + l - distance for l in range(L)])
            high = ir.Constant(many, [l + distance if not l & distance else L + l for l in range(L)])
            for i in range(L):
                if not i & distance:
                    a, b = rows[i], rows[i + distance]
                    rows[i] = builder.shuffle_vector(a, b, low)
                    rows[i + distance] = builder.shuffle_vector(a, b, high)
            distance //= 2
        for j, row in enumerate(rows):
            emit.store(row, emit.at(end, builder.add(args[4], builder.mul(args[5], integer(j)))))
        return context.get_dummy_value()

    return types.void(source, n, n, target, n, n), codegen


@intrinsic
def load_apart(typing_context, array, offset, apart, places):
    """array[offset + i · apart : … + L] for as many i as `places` has entries."""
    vectors = types.UniTuple(VectorType(array.dtype), len(places))

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        begin = emit.at(emit.data(signature.args[0], args[0]), args[1])
        places = _spaced(emit, begin, args[2], len(signature.return_type))
        return context.make_tuple(builder, signature.return_type, [emit.load(place) for place in places])

    return vectors(array, types.intp, types.intp, places), codegen


def _seen(emit, x, offset, row, beside, tuples):
    """What neighbouring windows see: the vectors of x, and of each the (pixel, tap) that meet there.

    `tuples` are the types of pixels, steps, rows, columns, before and after, as `add_windows` takes them.
    """
    pixels, step, height, width, before, after = (len(kind) for kind in tuples)
    across, builder = step * (pixels - 1) + width, emit.builder
    for p in range(height):
        line = _spaced(emit, emit.at(emit.at(x, offset), builder.mul(row, integer(p))), beside, across)
        for k in range(before, across - after):
            pairs = [(i, p * width + k - step * i) for i in range(pixels) if 0 <= k - step * i < width]
            if pairs:
                yield emit.load(line[k]), pairs


@intrinsic
def add_windows(
    typing_context, totals, x, offset, row, beside, g, place, apart, pixels, step, rows, columns, before, after
):
    """Gradients of windows: totals[p · KW + q] + Σ over i of  x(p, i · S + q) · g[place + i · apart : … + L]

    where x(p, k) is x[offset + p · row + k · beside : … + L], and i, p and q count to the lengths of the tuples
    `pixels`, `rows` and `columns`; S is that of `step`. As many columns at either side as `before` and `after` have
    entries are not read. A vector of x is loaded once for all the windows that see it.
    """
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        totals, x, offset, row, beside, g, place, apart = args[:8]
        sums = cgutils.unpack_tuple(builder, totals)
        factors = emit.at(emit.data(signature.args[5], g), place)
        factors = [emit.load(at) for at in _spaced(emit, factors, apart, len(signature.args[8]))]
        for found, pairs in _seen(emit, emit.data(signature.args[1], x), offset, row, beside, signature.args[8:]):
            for i, tap in pairs:
                sums[tap] = builder.call(emit.fma, [found, factors[i], sums[tap]])
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, x, n, n, n, g, n, n, pixels, step, rows, columns, before, after), codegen


@intrinsic
def sum_windows(typing_context, totals, x, offset, row, beside, weights, pixels, step, rows, columns, before, after):
    """Sums over windows: totals[i] + Σ over p, q of  x(p, i · S + q) · weights[p · KW + q], as in `add_windows`."""
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[1])
        totals, x, offset, row, beside, weights = args[:6]
        sums, factors = cgutils.unpack_tuple(builder, totals), cgutils.unpack_tuple(builder, weights)
        for found, pairs in _seen(emit, emit.data(signature.args[1], x), offset, row, beside, signature.args[6:]):
            for i, tap in pairs:
                sums[i] = builder.call(emit.fma, [found, factors[tap], sums[i]])
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, x, n, n, n, weights, pixels, step, rows, columns, before, after), codegen
