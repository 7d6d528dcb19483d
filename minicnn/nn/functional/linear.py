"""The linear layer, and one-hot vectors."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of


class Linear(Operator):
    """y = x @ weightᵀ + bias"""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        ctx.saved = x, weight
        y = np.asarray(np.matmul(x, weight.T))  # (…, I) @ (I, O)
        if bias is not None:
            y += bias
        return y

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, weight = ctx.saved
        g = grad_output.reshape(-1, weight.shape[0])
        by_x = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            by_x = np.matmul(grad_output, weight)  # (…, O) @ (O, I)
        if ctx.needs_input_grad[1]:
            by_weight = np.matmul(g.T, x.reshape(-1, weight.shape[1]))  # (O, R) @ (R, I)
        if ctx.needs_input_grad[2]:
            by_bias = g.sum(0)
        return by_x, by_weight, by_bias


def linear(input: Any, weight: Any, bias: Any = None) -> Any:  # noqa: A002
    """y = x @ weightᵀ + bias

    Args:
        input: (…, I), float32 or float64.
        weight: (O, I), of the same dtype.
        bias: (O,) or None.

    Returns: (…, O)

    Raises:
        ValueError: for shapes that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    x, w = array_of(floating(input, "linear")), array_of(floating(weight, "linear"))
    if w.ndim != 2 or x.ndim < 1 or x.shape[-1] != w.shape[1]:
        raise ValueError(f"linear can't multiply input {tuple(x.shape)} by weight {tuple(w.shape)}: (…, I) and (O, I)")
    if x.dtype != w.dtype or (bias is not None and array_of(bias).dtype != x.dtype):
        found = [str(array_of(a).dtype) for a in (input, weight, bias) if a is not None]
        raise TypeError(f"linear needs one dtype, got {', '.join(found)}")
    if bias is not None and array_of(bias).shape != (w.shape[0],):
        raise ValueError(f"linear needs bias of shape ({w.shape[0]},), got {tuple(array_of(bias).shape)}")
    return Linear.apply(input, weight, bias)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at each index of a new last axis, zeros elsewhere.

    Args:
        tensor: int64 indices, any shape (…).
        num_classes: size of the new axis; the largest index + 1 if −1.

    Returns: int64 (…, num_classes)

    Raises:
        TypeError: for other dtypes.
        ValueError: for indices below 0 or not below `num_classes`.
    """
    indices = array_of(tensor)
    if indices.dtype != np.int64:
        raise TypeError(f"one_hot needs int64 indices, got {indices.dtype}")
    if num_classes == -1:
        if not indices.size:
            raise ValueError("one_hot of no indices needs num_classes")
        num_classes = int(indices.max()) + 1
    if num_classes < 1 or (indices.size and (indices.min() < 0 or indices.max() >= num_classes)):
        raise ValueError(f"one_hot needs indices within 0 … {num_classes - 1}")
    return Variable.result_class((indices[..., None] == np.arange(num_classes)).astype(np.int64))
