"""`out=`: the tensor that is to receive a result."""

from typing import Any

from minicnn.autograd import Variable, assign
from minicnn.autograd.inplace import replace
from minicnn.autograd.mode import grad_mode
from minicnn.dtypes import can_cast
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.operands import cast


def deliver(result: Any, out: Any, same_dtype: bool = False) -> Any:
    """`result` itself, or where `out` is given its values in `out`.

    Args:
        result: a Tensor.
        out: None, or a Tensor of the result's shape, or one without elements, which takes that shape.
        same_dtype: whether `out` must have the result's dtype; otherwise it may be another of its category or above.

    Raises:
        TypeError: where `out` is no Tensor.
        RuntimeError: where `out` has another shape or a dtype that doesn't fit, or a gradient is asked for.
    """
    if out is None:
        return result
    if not isinstance(out, Variable):
        raise TypeError(f"out must be a Tensor, got {type(out).__name__}")
    if grad_mode.enabled and (out._requires_grad or result._requires_grad):
        raise RuntimeError("functions with out= don't support gradients, but an argument requires one; detach() it")
    target, values = out._array, result._array
    if not can_cast(values.dtype, target.dtype):
        raise DtypeError(f"result type {values.dtype} can't be cast to the desired output type {target.dtype}")
    if same_dtype and values.dtype != target.dtype:
        raise DtypeError(f"out must have the dtype of the result, {values.dtype}, got {target.dtype}")
    if target.shape != values.shape:
        if target.size:
            raise ShapeError(
                f"out has shape {target.shape}, the result {values.shape}; pass one of that shape or empty"
            )
        replace(out, cast(result, target.dtype))
    else:
        assign(out, lambda former: result)
    return out
