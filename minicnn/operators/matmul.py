"""The matrix product of vectors, matrices and stacks of matrices."""

import math
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.storage import can_view, elements, promised
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.operands import array_of, check_broadcast
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly
from minicnn.operators.shape import Contiguous


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

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (a, b), (a_dims, b_dims) = ctx.tensors(), ctx.dims
        if a_dims == 1:
            g = g.unsqueeze(-1 if b_dims == 1 else -2)
        if b_dims == 1:
            g = g.unsqueeze(-1)
        by_a = by_b = None
        if b is not None:
            by_a = g @ (b[:, None] if b_dims == 1 else b).swapaxes(-1, -2)
            by_a = by_a.squeeze(-2) if a_dims == 1 else by_a
        if a is not None:
            by_b = (a[None] if a_dims == 1 else a).swapaxes(-1, -2) @ g
            by_b = by_b.squeeze(-1) if b_dims == 1 else by_b
        return by_a, by_b


def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """The matrix product of Tensors or arrays of one dtype, each with at least one dimension.

    Args:
        input: (K,) or (…, M, K).
        other: (K,) or (…, K, N).
        out: a Tensor of the result's dtype that receives it.

    Returns: (…, M, N), without the axes that a vector lacks.

    Raises:
        ShapeError: where the shapes don't fit.
        DtypeError: where the dtypes differ or are bool.
        TypeError: for something else than Tensors.
    """
    left, right = array_of(input), array_of(other)
    if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
        raise TypeError(f"matmul needs Tensors, got {type(input).__name__} and {type(other).__name__}")
    if left.dtype != right.dtype or left.dtype == bool:
        raise DtypeError(f"matmul needs operands of one dtype other than bool, got {left.dtype} and {right.dtype}")
    inner = right.shape[-2] if right.ndim > 1 else right.shape[0] if right.ndim else 0
    if not left.ndim or not right.ndim or left.shape[-1] != inner:
        raise ShapeError(f"matmul can't multiply shapes {left.shape} and {right.shape}")
    check_broadcast(left.shape[:-2], right.shape[:-2])
    if grad_mode.enabled and (left.ndim > 2 or right.ndim > 2):
        input, other = _copied_as_saved(input, other)
    return deliver(MatrixProduct.apply(input, other), out, same_dtype=True)


def _copied_as_saved(a: Any, b: Any) -> tuple[Any, Any]:
    """The operands, copied where PyTorch saves a copy for backward, so that changing them in place stays allowed.

    PyTorch multiplies stacks as one matrix, (…, M, K) as (… · M, K), or as one stack of matrices, (…, M, K) as
    (B, M, K). It copies an operand that can't be viewed so: one that is transposed or broadcast.
    """
    shapes = array_of(a).shape, array_of(b).shape
    first_is_larger = len(shapes[0]) >= len(shapes[1])
    large, small = (a, b) if first_is_larger else (b, a)
    if len(array_of(small).shape) <= 2:
        shape, strides = _laid(large, transposed=not first_is_larger)
        if _folds(shape, strides, small, len(shapes[0])):
            if not can_view(shape, strides, (math.prod(shape[:-1]), shape[-1])):
                large = Contiguous.apply(large)
            return (large, small) if first_is_larger else (small, large)
    batch = np.broadcast_shapes(shapes[0][:-2], shapes[1][:-2])
    return _copied_as_stack(a, batch), _copied_as_stack(b, batch)


def _laid(operand: Any, transposed: bool = False) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and promised strides of an operand, the last two axes swapped where it is `transposed`."""
    shape = array_of(operand).shape
    steps = promised(operand)[1] if isinstance(operand, Variable) else elements(operand)
    if not transposed:
        return shape, steps
    return (*shape[:-2], shape[-1], shape[-2]), (*steps[:-2], steps[-1], steps[-2])


def _folds(shape: tuple[int, ...], strides: tuple[int, ...], small: Any, first_dims: int) -> bool:
    """Whether PyTorch multiplies a stack of this shape by a small matrix or vector as one large matrix."""
    if isinstance(small, Variable) and small._requires_grad:
        return True
    if first_dims == 2:
        return False
    return all(strides[i] == strides[i + 1] * shape[i + 1] for i in range(len(shape) - 2)) or 0 in shape


def _copied_as_stack(operand: Any, batch: tuple[int, ...]) -> Any:
    """An operand, copied where its matrices, broadcast to `batch`, can't be viewed as one stack."""
    shape, strides = _laid(operand)
    if len(batch) < 2 or len(shape) < 2:
        return operand
    missing = len(batch) - (len(shape) - 2)
    own = [0 if size == 1 != n else step for size, step, n in zip(shape, strides, batch[missing:], strict=False)]
    wide, steps = (*batch, *shape[-2:]), (*[0] * missing, *own, *strides[-2:])
    return operand if can_view(wide, steps, (math.prod(batch), *shape[-2:])) else Contiguous.apply(operand)
