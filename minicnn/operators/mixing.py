"""Elementwise functions of three operands: interpolation, and products and quotients added."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import result_type
from minicnn.errors import DtypeError
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import NUMBERS, array_of, cast, check_broadcast, tensor_array
from minicnn.operators.out import deliver
from minicnn.operators.tracing import Traceable


class Lerp(Traceable, Operator):
    """a + w · (b − a), computed from the nearer end: as b − (1 − w) · (b − a) where w ≥ 1/2"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, w: Any) -> np.ndarray:
        ends = ctx.needs_input_grad[2]
        ctx.saved = w, a if ends else None, b if ends else None
        with np.errstate(all="ignore"):
            way = b - a
            return np.asarray(np.where(np.less(np.abs(w), 0.5), a + w * way, b - way * (1 - w)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        w, a, b = ctx.saved
        return g * (1 - w), g * w, None if b is None else g * (b - a)


class AddProduct(Traceable, Operator):
    """a + value · b · c"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, c: np.ndarray, value: Any) -> np.ndarray:
        _, by_b, by_c, _ = ctx.needs_input_grad
        ctx.saved, ctx.value = (b if by_c else None, c if by_b else None), value
        with np.errstate(all="ignore"):
            return np.asarray(a + value * b * c)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        b, c = ctx.saved
        by_b = None if c is None else g * (c * ctx.value)
        return g, by_b, None if b is None else g * (b * ctx.value)


class AddQuotient(Traceable, Operator):
    """a + value · b / c"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, c: np.ndarray, value: Any) -> np.ndarray:
        _, by_b, by_c, _ = ctx.needs_input_grad
        ctx.saved, ctx.value = (b if by_c else None, c if by_b or by_c else None), value
        with np.errstate(all="ignore"):
            return np.asarray(a + value * b / c)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        b, c = ctx.saved
        by_b = g * (ctx.value / c) if ctx.needs_input_grad[1] else None
        return g, by_b, None if b is None else -g * (ctx.value * b / (c * c))


@half_in_float32
def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Any:
    """input + weight · (end − input), elementwise.

    Args:
        input, end: floating-point Tensors of one dtype.
        weight: a number, or a Tensor of that dtype; one without dimensions may have any, and promotes the others as
            in arithmetic, integers to floats too. The shapes of all three broadcast.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: where the dtypes differ or are of integers.
        ShapeError: where the shapes don't broadcast.
    """
    a, b = tensor_array(input, "lerp", "input"), tensor_array(end, "lerp", "end")
    w = float(weight) if isinstance(weight, NUMBERS) else tensor_array(weight, "lerp", "weight")
    check_broadcast(a.shape, b.shape, np.shape(w))
    alone = isinstance(w, np.ndarray) and not w.ndim
    dtype = result_type(a, b, w) if alone else a.dtype
    if dtype.kind != "f" or a.dtype != b.dtype or not (alone or isinstance(w, float) or w.dtype == a.dtype):
        given = [str(array.dtype) for array in (a, b, w) if isinstance(array, np.ndarray)]
        raise DtypeError(f"lerp needs floating-point Tensors of one dtype, got {' and '.join(given)}")
    weight = w if isinstance(w, float) else cast(weight, dtype)
    return deliver(Lerp.apply(cast(input, dtype), cast(end, dtype), weight), out)


def addcmul(input: Any, tensor1: Any, tensor2: Any, last: Any = None, *, value: Any = 1, out: Any = None) -> Any:
    """input + value · tensor1 · tensor2, elementwise.

    Args:
        input, tensor1, tensor2: Tensors; their shapes broadcast.
        last: where it is given, the arguments are input, value, tensor1 and tensor2, in PyTorch's old order.
        value: a number.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: for bools.
        ShapeError: where the shapes don't broadcast.
    """
    return _added("addcmul", AddProduct, "b", (input, tensor1, tensor2), last, value, out)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, last: Any = None, *, value: Any = 1, out: Any = None) -> Any:
    """input + value · tensor1 / tensor2, elementwise; arguments and errors as for `addcmul`, integers refused."""
    return _added("addcdiv", AddQuotient, "biu", (input, tensor1, tensor2), last, value, out)


@half_in_float32
def _promoted(operator: type[Operator], a: Any, b: Any, c: Any, value: Any) -> Any:
    dtype = result_type(*map(array_of, (a, b, c)))
    return operator.apply(cast(a, dtype), cast(b, dtype), cast(c, dtype), int(value) if dtype.kind in "iu" else value)


def _added(name: str, operator: type[Operator], refused: str, operands: tuple, last: Any, value: Any, out: Any) -> Any:
    if last is not None:
        value, operands = operands[1], (operands[0], operands[2], last)
    if not isinstance(value, NUMBERS):
        raise TypeError(f"{name} needs a number as value, got {type(value).__name__}")
    value = np.asarray(value).item()
    arrays = [tensor_array(x, name, what) for x, what in zip(operands, ("input", "tensor1", "tensor2"), strict=True)]
    kinds = [array.dtype.kind for array in (arrays[1:] if name == "addcdiv" else arrays)]
    if all(kind in refused for kind in kinds):
        raise DtypeError(f"{name} is not defined for {arrays[1].dtype} and {arrays[2].dtype}")
    check_broadcast(*[array.shape for array in arrays])
    a, b, c = operands
    return deliver(_promoted(operator, a, b, c, value), out)
