"""Vectors in LLVM instructions: what the kernels that are written as instructions share.

Numba turns loops into instructions. Where it can't keep what it should in registers, a kernel emits its own, one
`Emitter` method for each thing that a vector can do: the micro-kernel, max pooling's cells, Winograd's transforms and
the vectors of `vectors`.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from minicnn.kernels.machine import vector_bytes

I64 = ir.IntType(64)


def integer(value: int) -> ir.Constant:
    """A constant of 64 bits."""
    return ir.Constant(I64, value)


class Emitter:
    """Instructions on vectors of one element type."""

    def __init__(self, context: Any, builder: Any, element: Any) -> None:
        self.context, self.builder = context, builder
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
        many = ir.VectorType(I64, self.lanes)
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

    def opaque(self, value: Any) -> Any:
        """The same value, of which the optimiser doesn't know where it comes from."""
        same = ir.FunctionType(value.type, [value.type])
        return self.builder.asm(same, "", "=r,0", [value], side_effect=False)

    def prefetch(self, pointer: Any) -> None:
        """Ask for the cache line of an address, which need not exist."""
        i32 = ir.IntType(32)
        signature = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
        function = cgutils.get_or_insert_function(self.builder.module, signature, "llvm.prefetch.p0")
        self.builder.call(function, [pointer, ir.Constant(i32, 0), ir.Constant(i32, 3), ir.Constant(i32, 1)])

    def merge(self, incoming: dict) -> list:
        """Phi nodes, given for each block that leads here the values that it brings."""
        blocks = list(incoming)
        nodes = [self.builder.phi(value.type) for value in incoming[blocks[0]]]
        for block in blocks:
            for node, value in zip(nodes, incoming[block], strict=True):
                node.add_incoming(value, block)
        return nodes
