"""The micro-kernel: a small matrix product whose result stays in registers.

In mathematics, for a tile of R rows and V vectors of L lanes (R and V fixed, small):

    acc[i, v] = start[i, v]
    for s in segments, k in 0 … K − 1:
        acc[i, v] += A[a₀ + a[s] + i·ai + k·ak] · B[b₀ + b[s] + k·bk + v]          v a vector of L lanes
    C[c₀ + i·ci + v] = acc[i, v]

A gives one number, repeated over the lanes; B gives a vector. That is the loop of every matrix product, and
with the right strides that of a convolution: rows i are output cells, `ai` apart in the image; k runs over the
channels of a tap; segments are the taps. Nothing is copied into a patch matrix; it is there already, as strides.

The tile: each step loads V vectors of B and R numbers of A for R·V multiply-adds, so the larger the tile, the
fewer loads; but acc, and the vectors of B, must fit into the registers, and R·V must be large enough (about
ten) that one multiply-add has finished when its accumulator's next turn comes. On a machine with 32 vector registers
14 × 2 satisfies both, on one with 16 it is 6 × 2.

The IR: Numba vectorises an inner loop, but doesn't keep a two-dimensional accumulator in registers. So the loop
is emitted as LLVM instructions: a phi node for each acc[i, v], one `fmuladd` for each product. The last vector of
a tile may be partly filled; it is loaded and stored under a mask.
"""

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic


@functools.cache
def vector_bytes() -> int:
    """The width of the machine's vectors: 64 with AVX-512, 32 with AVX2, else 16."""
    features = get_host_cpu_features().split(",")
    return 64 if "+avx512f" in features else 32 if "+avx2" in features else 16


@functools.cache
def tile_rows() -> tuple[int, ...]:
    """The numbers of rows that tiles of two vectors come in, largest first, down to 1."""
    features = get_host_cpu_features().split(",")
    many_registers = "+avx512f" in features or "+neon" in features
    return (14, 8, 4, 1) if many_registers else (6, 4, 1)


def lanes(dtype: Any) -> int:
    """How many numbers of `dtype` fill a vector."""
    return vector_bytes() // np.dtype(dtype).itemsize


_I64 = ir.IntType(64)


def _integer(value: int) -> ir.Constant:
    return ir.Constant(_I64, value)


class _Emitter:
    """The instructions of one tile, for one element type."""

    def __init__(self, context: Any, builder: Any, element: Any, rows: int, vectors: int) -> None:
        self.context, self.builder = context, builder
        self.rows, self.vectors = rows, vectors
        self.scalar = context.get_data_type(element)
        self.bytes = 4 if element == types.float32 else 8
        self.lanes = vector_bytes() // self.bytes
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.suffix = f"v{self.lanes}f{self.bytes * 8}"
        self.fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{self.suffix}"
        )

    def data(self, array_type: Any, value: Any) -> Any:
        """The pointer to an array's first element."""
        return cgutils.create_struct_proxy(array_type)(self.context, self.builder, value).data

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset])

    def as_vector(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def repeat(self, number: Any) -> Any:
        """One number in every lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def mask(self, count: Any) -> Any:
        """True in the first `count` lanes."""
        many = ir.VectorType(_I64, self.lanes)
        undefined = ir.Constant(many, ir.Undefined)
        first = self.builder.insert_element(undefined, count, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        counts = self.builder.shuffle_vector(first, undefined, zeros)
        return self.builder.icmp_signed("<", ir.Constant(many, list(range(self.lanes))), counts)

    def load(self, pointer: Any, mask: Any = None) -> Any:
        """A vector; lanes outside the mask are 0 and not read."""
        if mask is None:
            return self.builder.load(self.as_vector(pointer), align=self.bytes)
        pointer = self.as_vector(pointer)
        signature = ir.FunctionType(self.vector, [pointer.type, ir.IntType(32), mask.type, self.vector])
        function = cgutils.get_or_insert_function(self.builder.module, signature, f"llvm.masked.load.{self.suffix}.p0")
        align = ir.Constant(ir.IntType(32), self.bytes)
        return self.builder.call(function, [pointer, align, mask, ir.Constant(self.vector, None)])

    def store(self, value: Any, pointer: Any, mask: Any = None) -> None:
        """Store a vector; memory of lanes outside the mask stays untouched."""
        if mask is None:
            self.builder.store(value, self.as_vector(pointer), align=self.bytes)
            return
        pointer = self.as_vector(pointer)
        signature = ir.FunctionType(ir.VoidType(), [self.vector, pointer.type, ir.IntType(32), mask.type])
        function = cgutils.get_or_insert_function(self.builder.module, signature, f"llvm.masked.store.{self.suffix}.p0")
        self.builder.call(function, [value, pointer, ir.Constant(ir.IntType(32), self.bytes), mask])

    def vector_pointers(self, base: Any) -> list:
        return [self.at(base, _integer(v * self.lanes)) for v in range(self.vectors)]

    def opaque(self, value: Any) -> Any:
        """The same value, of which the optimiser doesn't know where it comes from."""
        same = ir.FunctionType(value.type, [value.type])
        return self.builder.asm(same, "", "=r,0", [value], side_effect=False)

    def step(self, acc: list, qa: list, offsets: list, qb: Any, mask: Any) -> list:
        """acc[i, v] + A[i] · B[v] for all i, v; row i lies `offsets[i % 4]` past `qa[i // 4]`."""
        last = self.vectors - 1
        b = [self.load(p, mask if v == last else None) for v, p in enumerate(self.vector_pointers(qb))]
        new = []
        for i in range(self.rows):
            row = self.at(qa[i // 4], offsets[i % 4]) if i % 4 else qa[i // 4]
            number = self.repeat(self.builder.load(row))
            new += [self.builder.call(self.fma, [number, b[v], acc[i * self.vectors + v]]) for v in range(self.vectors)]
        return new

    def run(self, a: Any, ai: Any, ak: Any, b: Any, bk: Any, seg_a: Any, seg_b: Any, segments: Any, K: Any,
            start: Any, si: Any, has_start: Any, c: Any, ci: Any, valid: Any) -> None:  # fmt: skip
        """The whole loop; a, b, start and c are pointers, the rest integers."""
        builder = self.builder
        mask = self.mask(valid)
        last = self.vectors - 1
        masks = [mask if v == last else None for v in range(self.vectors)]
        offsets = [self.opaque(builder.mul(ai, _integer(i))) for i in range(min(self.rows, 4))]
        groups = range(0, self.rows, 4)
        entry = builder.block
        load, outer, inner_head, inner, latch, finish = (
            builder.append_basic_block(name) for name in ("start", "outer", "inner.head", "inner", "latch", "finish")
        )
        builder.cbranch(has_start, load, outer)

        builder.position_at_end(load)
        loaded = []
        for i in range(self.rows):
            row = self.at(start, builder.mul(si, _integer(i)))
            loaded += [self.load(p, masks[v]) for v, p in enumerate(self.vector_pointers(row))]
        builder.branch(outer)

        def phis(count: int) -> list:
            return [builder.phi(self.vector) for _ in range(count)]

        tile = self.rows * self.vectors
        builder.position_at_end(outer)  # over segments
        s = builder.phi(_I64)
        acc_outer = phis(tile)
        s.add_incoming(_integer(0), entry)
        s.add_incoming(_integer(0), load)
        for phi, value in zip(acc_outer, loaded, strict=True):
            phi.add_incoming(ir.Constant(self.vector, None), entry)
            phi.add_incoming(value, load)
        builder.cbranch(builder.icmp_signed("<", s, segments), inner_head, finish)

        builder.position_at_end(inner_head)
        pa = self.at(a, builder.load(self.at(seg_a, s)))
        pa = [self.at(pa, builder.mul(ai, _integer(i))) for i in groups]
        pb = self.at(b, builder.load(self.at(seg_b, s)))
        builder.cbranch(builder.icmp_signed(">", K, _integer(0)), inner, latch)

        builder.position_at_end(inner)  # over k
        k, qa, qb = builder.phi(_I64), [builder.phi(p.type) for p in pa], builder.phi(pb.type)
        acc = phis(tile)
        for phi, value in zip([k, *qa, qb, *acc], [_integer(0), *pa, pb, *acc_outer], strict=True):
            phi.add_incoming(value, inner_head)
        new = self.step(acc, qa, offsets, qb, mask)
        k_next = builder.add(k, _integer(1))
        following = [k_next, *[self.opaque(self.at(q, ak)) for q in qa], self.at(qb, bk), *new]
        for phi, value in zip([k, *qa, qb, *acc], following, strict=True):
            phi.add_incoming(value, inner)
        builder.cbranch(builder.icmp_signed("<", k_next, K), inner, latch)

        builder.position_at_end(latch)
        for phi, before, after in zip(acc_outer, phis(tile), new, strict=True):
            before.add_incoming(phi, inner_head)
            before.add_incoming(after, inner)
            phi.add_incoming(before, latch)
        s.add_incoming(builder.add(s, _integer(1)), latch)
        builder.branch(outer)

        builder.position_at_end(finish)
        for i in range(self.rows):
            row = self.at(c, builder.mul(ci, _integer(i)))
            for v, p in enumerate(self.vector_pointers(row)):
                self.store(acc_outer[i * self.vectors + v], p, masks[v])


@intrinsic
def micro(
    typing_context, rows, vectors, A, a0, ai, ak, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start, C, c0,
    ci, valid
):  # fmt: skip
    """A tile of `rows` × `vectors`: one of the sizes in `tile_rows()` by 1 or 2, chosen when it is called.

    Args:
        A, a0, ai, ak: array, offset of the first row, offset from row to row and from k to k, in elements.
        B, b0, bk: array, offset of the first vector, offset from k to k.
        seg_a, seg_b, segments: int64 arrays of offsets added for each segment, and how many count.
        K: steps in a segment.
        start, s0, si, has_start: what acc starts from (a bias with si = 0, or C itself), if anything.
        C, c0, ci: array for the result, offset of the first row, offset from row to row.
        valid: how many lanes of the last vector exist in B and C, 1 … L.
    """
    n = types.intp
    signature = types.void(n, n, A, n, n, n, B, n, n, seg_a, seg_b, n, n, start, n, n, types.boolean, C, n, n, n)

    def codegen(context, builder, signature, args):
        rows, vectors, _, a0, ai, ak, _, b0, bk, _, _, segments, K, _, s0, si, has_start, _, c0, ci, valid = args
        done = builder.append_basic_block("done")
        choice = builder.switch(builder.add(builder.mul(rows, _integer(4)), vectors), done)
        for R in tile_rows():
            for V in (1, 2):
                block = builder.append_basic_block(f"tile.{R}.{V}")
                choice.add_case(_integer(4 * R + V), block)
                builder.position_at_end(block)
                emit = _Emitter(context, builder, signature.args[2].dtype, R, V)
                arrays = {i: emit.data(signature.args[i], args[i]) for i in (2, 6, 9, 10, 13, 17)}
                a, b = emit.at(arrays[2], a0), emit.at(arrays[6], b0)
                begin, c = emit.at(arrays[13], s0), emit.at(arrays[17], c0)
                emit.run(a, ai, ak, b, bk, arrays[9], arrays[10], segments, K, begin, si, has_start, c, ci, valid)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, codegen
