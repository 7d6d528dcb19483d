"""The micro-kernel: a small matrix product whose result stays in registers.

In mathematics, for a tile of R rows and V vectors of L lanes (R and V fixed, small):

    acc[i, v] = 0
    for s in segments, k in 0 … K − 1:
        acc[i, v] += A[a₀ + a[s] + i·ai + k·ak] · B[b₀ + b[s] + k·bk + v]          v a vector of L lanes
    C[c₀ + i·ci + v] = start[i, v] + acc[i, v]

A gives one number, repeated over the lanes; B gives a vector. That is the loop of every matrix product, and
with the right strides that of a convolution: rows i are output pixels, `ai` apart in the image; k runs over the
channels of a tap; segments are the taps. Nothing is copied into a patch matrix; it is there already, as strides.

Either the steps lie side by side in A (ak = 1, `micro`) or the rows do (ai = 1, `micro_transposed`, A read as Aᵀ).

The tile: each step loads V vectors of B and R numbers of A for R·V multiply-adds, so the larger the tile, the
fewer loads; but acc, and the vectors of B, must fit into the registers, and R·V must be large enough (about
eight) that one multiply-add has finished when its accumulator's next turn comes. On a machine with 32 vector
registers 6 × 4 and 14 × 2 satisfy both, on one with 16 it is 6 × 2. Smaller tiles, for what remains of a line, have two
sets of accumulators for even and odd steps, added up at the end. There are tiles of five and four rows so that a line
of 11 is 6 + 5, not 6 + 2 + 2 + 1: images of 15 × 15 under 5 × 5 taps were faster by 1.2, and so was their gradient by
tiles of 11 × 2.

The IR: Numba vectorises an inner loop, but doesn't keep a two-dimensional accumulator in registers. So the loop
is emitted as LLVM instructions: a phi node for each acc[i, v], one `fmuladd` for each product. Three things keep the
multipliers busy, each measured:

- Two steps a turn, so that counting and advancing pointers takes fewer of the slots in which instructions start.
- Every fourth row has a pointer of its own, and the three after it are reached by offsets. The pointers are made
  opaque to the optimiser, which otherwise computes each row's from the last row's: a chain as long as the step.
- B is prefetched PREFETCH_STEPS ahead, because it comes from the second-level cache.

The last vector of a tile may be partly filled; it is loaded and stored under a mask.

A long sum would round every product beside all that came before. So after STEPS steps, or up to twice as many, acc is
put away and begins anew. What was put away is added up pairwise, as a binary counter counts: the sum of block 1 goes to
level 0; block 2 takes it along to level 1; block 3 goes to level 0; block 4 takes both along to level 2.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minicnn.kernels.llvm import Emitter, integer
from minicnn.kernels.machine import PREFETCH_STEPS, tiles, vector_bytes

STEPS = 256
"""How many products an accumulator adds up before it is put away, which costs about two steps; an even number."""
LEVELS = 24
"""Of sums put away: enough for STEPS · 2²⁴ products."""


class Tile(Emitter):
    """The instructions of one tile, for one element type."""

    def __init__(self, context: Any, builder: Any, element: Any, rows: int, vectors: int) -> None:
        super().__init__(context, builder, element)
        self.rows, self.vectors = rows, vectors

    def vector_pointers(self, base: Any) -> list:
        return [self.at(base, integer(v * self.lanes)) for v in range(self.vectors)]

    def step(self, acc: list, rows: list, b: Any, ahead: Any, mask: Any) -> list:
        """acc[i, v] + A[i] · B[v] for all i, v, given pointers to A[i] and B; `ahead` is an offset in B."""
        last = self.vectors - 1
        pointers = self.vector_pointers(b)
        vectors = [self.load(p, mask if v == last else None) for v, p in enumerate(pointers)]
        for p in pointers if self.vectors > 1 else ():
            self.prefetch(self.at(p, ahead))
        new = []
        for i, row in enumerate(rows):
            number = self.repeat(self.builder.load(row))
            for v in range(self.vectors):
                new.append(self.builder.call(self.fma, [number, vectors[v], acc[i * self.vectors + v]]))
        return new

    def put_away(self, acc: list, blocks: Any, away: Any) -> None:
        """Add acc to the sums of `blocks` blocks that lie in `away`, [level][i, v], and leave it there."""
        builder = self.builder
        before = builder.block
        carry, add, put = (builder.append_basic_block(name) for name in ("carry", "add", "put"))
        builder.branch(carry)

        builder.position_at_end(carry)
        level, rest, *sums = self.merge({before: [integer(0), blocks, *acc]})
        place = self.at(away, builder.mul(level, integer(len(acc))))
        odd = builder.and_(rest, integer(1))
        builder.cbranch(builder.icmp_signed("!=", odd, integer(0)), add, put)

        builder.position_at_end(add)
        more = [builder.fadd(value, builder.load(self.at(place, integer(i)))) for i, value in enumerate(sums)]
        following = [builder.add(level, integer(1)), builder.lshr(rest, integer(1)), *more]
        for phi, value in zip([level, rest, *sums], following, strict=True):
            phi.add_incoming(value, add)
        builder.branch(carry)

        builder.position_at_end(put)
        for i, value in enumerate(sums):
            builder.store(value, self.at(place, integer(i)))

    def fetch(self, acc: list, blocks: Any, away: Any) -> list:
        """acc and all the sums that were put away."""
        builder = self.builder
        before = builder.block
        look, add, found = (builder.append_basic_block(name) for name in ("look", "fetch", "found"))
        builder.branch(look)

        builder.position_at_end(look)
        level, rest, *sums = self.merge({before: [integer(0), blocks, *acc]})
        builder.cbranch(builder.icmp_signed("!=", rest, integer(0)), add, found)

        builder.position_at_end(add)
        place = self.at(away, builder.mul(level, integer(len(acc))))
        there = builder.icmp_signed("!=", builder.and_(rest, integer(1)), integer(0))
        zero = ir.Constant(self.vector, None)
        kept = [builder.select(there, builder.load(self.at(place, integer(i))), zero) for i in range(len(acc))]
        more = [builder.fadd(value, part) for value, part in zip(sums, kept, strict=True)]
        following = [builder.add(level, integer(1)), builder.lshr(rest, integer(1)), *more]
        for phi, value in zip([level, rest, *sums], following, strict=True):
            phi.add_incoming(value, add)
        builder.branch(look)

        builder.position_at_end(found)
        return sums

    def run(self, transposed: bool, a: Any, stride: Any, b: Any, bk: Any, seg_a: Any, seg_b: Any, segments: Any,
            K: Any, start: Any, si: Any, has_start: Any, c: Any, ci: Any, valid: Any, away: Any) -> None:  # fmt: skip
        """The whole loop; a, b, start, c, away are pointers, the rest integers; `stride` is ai, or ak if transposed."""
        builder, one, two = self.builder, integer(1), integer(2)
        mask = self.mask(valid)
        masks = [None] * (self.vectors - 1) + [mask]
        leaders = range(0, self.rows, self.rows if transposed else 4)  # rows with a pointer of their own
        if transposed:
            offsets = [integer(i) for i in range(self.rows)]
        else:
            offsets = [self.opaque(builder.mul(stride, integer(i))) for i in range(min(self.rows, 4))]
            offsets[0] = integer(0)
            bk = integer(self.vectors * self.lanes)
        ahead = builder.mul(bk, integer(PREFETCH_STEPS))

        def rows(leading: list) -> list:
            group = len(offsets)
            return [self.at(leading[i // group], offsets[i % group]) for i in range(self.rows)]

        def advance(leading: list, steps: Any) -> list:
            return [self.opaque(self.at(pointer, steps)) for pointer in leading]

        tile = self.rows * self.vectors
        size = 2 * tile if tile < 8 else tile  # of acc: another set for the odd steps, or the same
        entry = builder.block
        outer, begin, strip, pairs, odd, single, done, full, latch, finish, load, store = (
            builder.append_basic_block(name)
            for name in (
                "outer", "begin", "strip", "pairs", "odd", "single", "done", "full", "latch", "finish", "load", "store"
            )
        )  # fmt: skip
        zeros = [ir.Constant(self.vector, None)] * size
        builder.branch(outer)

        builder.position_at_end(outer)  # over segments
        s, taken, blocks, *acc_outer = self.merge({entry: [integer(0), integer(0), integer(0), *zeros]})
        builder.cbranch(builder.icmp_signed("<", s, segments), begin, finish)

        builder.position_at_end(begin)
        pa = self.at(a, builder.load(self.at(seg_a, s)))
        pb = self.at(b, builder.load(self.at(seg_b, s)))
        leading = [self.at(pa, builder.mul(stride, integer(i)) if i else integer(0)) for i in leaders]
        builder.branch(strip)

        count = len(leading)
        builder.position_at_end(strip)  # over at most STEPS steps of a segment
        remaining, taken_strip, blocks_strip, *state = self.merge({begin: [K, taken, blocks, *leading, pb, *acc_outer]})
        short = builder.icmp_signed("<", remaining, integer(STEPS))
        steps = builder.select(short, remaining, integer(STEPS))
        builder.cbranch(builder.icmp_signed(">=", steps, two), pairs, odd)

        builder.position_at_end(pairs)  # over k, two by two
        left, *current = self.merge({strip: [steps, *state]})
        leading, q, acc = current[:count], current[count], current[count + 1 :]
        acc = self.step(acc[:tile], rows(leading), q, ahead, mask) + acc[tile:]
        if transposed:
            leading = advance(leading, stride)
            second, leading = rows(leading), advance(leading, stride)
        else:
            second, leading = [self.at(row, one) for row in rows(leading)], advance(leading, two)
        q = self.at(q, bk)
        acc = acc[: size - tile] + self.step(acc[size - tile :], second, q, ahead, mask)
        after = [*leading, self.at(q, bk), *acc]
        fewer = builder.sub(left, two)
        for phi, value in zip([left, *current], [fewer, *after], strict=True):
            phi.add_incoming(value, pairs)
        builder.cbranch(builder.icmp_signed(">=", fewer, two), pairs, odd)

        builder.position_at_end(odd)
        pointers = self.merge({strip: state, pairs: after})
        leading, q, acc = pointers[:count], pointers[count], pointers[count + 1 :]
        builder.cbranch(builder.icmp_signed("==", builder.and_(steps, one), one), single, done)

        builder.position_at_end(single)
        last = self.step(acc[:tile], rows(leading), q, ahead, mask) + acc[tile:]
        builder.branch(done)

        builder.position_at_end(done)
        acc = self.merge({odd: acc, single: last})
        more, fewer = builder.add(taken_strip, steps), builder.sub(remaining, steps)
        builder.cbranch(builder.icmp_signed(">=", more, integer(STEPS)), full, latch)

        builder.position_at_end(full)
        self.put_away(self.both(acc, tile), blocks_strip, away)
        one_more = builder.add(blocks_strip, one)
        put = builder.block
        builder.branch(latch)

        builder.position_at_end(latch)
        taken_after, blocks_after, *acc = self.merge(
            {done: [more, blocks_strip, *acc], put: [integer(0), one_more, *zeros]}
        )
        in_strip = [fewer, taken_after, blocks_after, *leading, q, *acc]
        for phi, value in zip([remaining, taken_strip, blocks_strip, *state], in_strip, strict=True):
            phi.add_incoming(value, latch)
        next_segment = builder.append_basic_block("next")
        builder.cbranch(builder.icmp_signed(">", fewer, integer(0)), strip, next_segment)

        builder.position_at_end(next_segment)
        in_outer = [builder.add(s, one), taken_after, blocks_after, *acc]
        for phi, value in zip([s, taken, blocks, *acc_outer], in_outer, strict=True):
            phi.add_incoming(value, next_segment)
        builder.branch(outer)

        builder.position_at_end(finish)
        total = self.fetch(self.both(acc_outer, tile), blocks, away)
        fetched = builder.block
        builder.cbranch(has_start, load, store)

        builder.position_at_end(load)
        started = []
        for i in range(self.rows):
            row = self.at(start, builder.mul(si, integer(i)))
            for v, p in enumerate(self.vector_pointers(row)):
                started.append(builder.fadd(self.load(p, masks[v]), total[i * self.vectors + v]))
        builder.branch(store)

        builder.position_at_end(store)
        total = self.merge({fetched: total, load: started})
        for i in range(self.rows):
            row = self.at(c, builder.mul(ci, integer(i)))
            for v, p in enumerate(self.vector_pointers(row)):
                self.store(total[i * self.vectors + v], p, masks[v])

    def both(self, acc: list, tile: int) -> list:
        """The accumulators of even steps and those of odd steps, where they have their own, added up."""
        even, odd = acc[:tile], acc[tile:]
        return [self.builder.fadd(a, b) for a, b in zip(even, odd, strict=True)] if odd else even


def _product(transposed: bool) -> Any:
    @intrinsic
    def tile(
        typing_context, rows, vectors, A, a0, stride, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start,
        C, c0, ci, valid
    ):  # fmt: skip
        n = types.intp
        signature = types.void(n, n, A, n, n, B, n, n, seg_a, seg_b, n, n, start, n, n, types.boolean, C, n, n, n)

        def codegen(context, builder, signature, args):
            rows, vectors, _, a0, stride, _, b0, bk, _, _, segments, K, _, s0, si, has_start, _, c0, ci, valid = args
            done = builder.append_basic_block("done")
            L = vector_bytes() // (4 if signature.args[2].dtype == types.float32 else 8)
            vector = ir.VectorType(context.get_data_type(signature.args[2].dtype), L)
            largest = max(V * R for V, heights in tiles().items() for R in heights)
            away = cgutils.alloca_once(builder, vector, integer(LEVELS * largest))
            choice = builder.switch(builder.add(builder.mul(rows, integer(8)), vectors), done)
            for V, heights in tiles().items():
                for R in heights:
                    block = builder.append_basic_block(f"tile.{R}.{V}")
                    choice.add_case(integer(8 * R + V), block)
                    builder.position_at_end(block)
                    emit = Tile(context, builder, signature.args[2].dtype, R, V)
                    arrays = {i: emit.data(signature.args[i], args[i]) for i in (2, 5, 8, 9, 12, 16)}
                    a, b = emit.at(arrays[2], a0), emit.at(arrays[5], b0)
                    begin, c = emit.at(arrays[12], s0), emit.at(arrays[16], c0)
                    emit.run(
                        transposed, a, stride, b, bk, arrays[8], arrays[9], segments, K, begin, si, has_start, c, ci,
                        valid, away,
                    )  # fmt: skip
                    builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return signature, codegen

    return tile


micro = _product(transposed=False)
"""A tile of `rows` × `vectors`: one of the sizes in `tiles()`, chosen when it is called.

Args:
    rows, vectors: R and V.
    A, a0, stride: array, offset of the first row, offset from row to row, in elements.
    B, b0, bk: array, offset of the first vector, offset from k to k; `micro` takes the next V·L numbers, whatever bk.
    seg_a, seg_b, segments: int64 arrays of offsets added for each segment, and how many count.
    K: steps in a segment.
    start, s0, si, has_start: what is added to the sums (a bias with si = 0, or C itself), if anything.
    C, c0, ci: array for the result, offset of the first row, offset from row to row.
    valid: how many lanes of the last vector exist in B and C, 1 … L.
"""

micro_transposed = _product(transposed=True)
"""As `micro`, with rows side by side in A, and `stride` from step to step."""


@intrinsic
def copy_vector(typing_context, target, t0, source, s0):
    """target[t0 : t0 + L] = source[s0 : s0 + L], anywhere in memory."""
    n = types.intp

    def codegen(context, builder, signature, args):
        emit = Emitter(context, builder, signature.args[0].dtype)
        to, source = emit.data(signature.args[0], args[0]), emit.data(signature.args[2], args[2])
        emit.store(emit.load(emit.at(source, args[3])), emit.at(to, args[1]))
        return context.get_dummy_value()

    return types.void(target, n, source, n), codegen
