"""The matrix product of vectors, matrices and stacks of matrices."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.operators.operands import array_of, check_broadcast
from minicnn.operators.quiet import quietly


class MatrixProduct(Operator):
    """a @ b"""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        by_a, by_b = ctx.needs_input_grad
        ctx.saved, ctx.dims = (a if by_b else None, b if by_a else None), (a.ndim, b.ndim)
        return quietly(kernels.sums.product, a, b)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (a, b), (a_dims, b_dims) = ctx.saved, ctx.dims
        if a_dims == 1:
            g = np.expand_dims(g, -1 if b_dims == 1 else -2)
        if b_dims == 1:
            g = np.expand_dims(g, -1)  # (…, M, N)
        by_a = by_b = None
        if b is not None:
            columns = b[:, None] if b_dims == 1 else b  # (…, M, N) @ (…, N, K)
            by_a = kernels.sums.product(g, columns.swapaxes(-1, -2))
            by_a = by_a.squeeze(-2) if a_dims == 1 else by_a
        if a is not None:
            rows = a[None, :] if a_dims == 1 else a  # (…, K, M) @ (…, M, N)
            by_b = kernels.sums.product(rows.swapaxes(-1, -2), g)
            by_b = by_b.squeeze(-1) if b_dims == 1 else by_b
        return by_a, by_b


def matmul(input: Any, other: Any) -> Any:
    """The matrix product of Tensors or arrays of one dtype, each with at least one dimension.

    Args:
        input: (K,) or (…, M, K).
        other: (K,) or (…, K, N).

    Returns: (…, M, N), without the axes that a vector lacks.

    Raises:
        ValueError: where the shapes don't fit.
        TypeError: where the dtypes differ or are bool.
    """
    left, right = array_of(input), array_of(other)
    if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
        raise TypeError(f"matmul needs Tensors, got {type(input).__name__} and {type(other).__name__}")
    if left.dtype != right.dtype or left.dtype == bool:
        raise TypeError(f"matmul needs operands of one dtype other than bool, got {left.dtype} and {right.dtype}")
    inner = right.shape[-2] if right.ndim > 1 else right.shape[0] if right.ndim else 0
    if not left.ndim or not right.ndim or left.shape[-1] != inner:
        raise ValueError(f"matmul can't multiply shapes {left.shape} and {right.shape}")
    check_broadcast(left.shape[:-2], right.shape[:-2])
    return MatrixProduct.apply(input, other)
