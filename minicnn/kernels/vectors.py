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
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

from minicnn.kernels.microkernel import Emitter, vector_bytes


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
    return Emitter(context, builder, array.dtype, 1, 1)


@intrinsic
def zero(typing_context, array):
    """A vector of zeros, of the dtype of `array`."""
    vector = VectorType(array.dtype)

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(signature.return_type), None)

    return vector(array), codegen


@intrinsic
def load(typing_context, array, offset):
    """array[offset : offset + L]"""

    def codegen(context, builder, signature, args):
        emit = _emitter(context, builder, signature.args[0])
        return emit.load(emit.at(emit.data(signature.args[0], args[0]), args[1]))

    return VectorType(array.dtype)(array, types.intp), codegen


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
def multiply_add(typing_context, a, b, c):
    """a · b + c, rounded once where the machine can"""

    def codegen(context, builder, signature, args):
        element = signature.return_type.element
        emit = Emitter(context, builder, element, 1, 1)
        return builder.call(emit.fma, args)

    return a(a, b, c), codegen
