"""Dropout."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.kernels.memory import dense, like
from minicnn.operators.activation import floating, in_place
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import Multiply
from minicnn.random import numpy_generator


class Dropout(Operator):
    """x times a mask that a seed decides; the backward makes the same mask again."""

    elementwise = True
    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, p: float, seed: int) -> np.ndarray:
        y = kernels.dropout.dropout(x, seed, p)
        ctx.p, ctx.seed, ctx.model = p, seed, np.empty(0) if y.size == 0 else y
        return y

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        g = like(dense(grad_output), ctx.model) if grad_output.size else grad_output
        return kernels.dropout.dropout(g, ctx.seed, ctx.p), None, None


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each element becomes 0 with probability `p`, the others are divided by 1 − p (Srivastava, 2014).

    Args:
        input: any shape, float32 or float64; any dtype where nothing is drawn.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Returns: a Tensor of the input's shape; `input` itself outside training, or where `p` is 0 or it is empty.

    Raises:
        ValueError: for `p` outside 0 … 1.
        TypeError: for other dtypes.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not (training and p and array_argument(input, "dropout").size):
        return input
    if p == 1:
        return in_place(input, lambda x: Multiply.call(x, 0)) if inplace else Multiply.call(input, 0)
    floating(input, "dropout")
    seed = int(numpy_generator().integers(2**64, dtype=np.uint64))

    def apply(x: Any) -> Any:
        return Dropout.apply(x, float(p), seed)

    return in_place(input, apply) if inplace else apply(input)
