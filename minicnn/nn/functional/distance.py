"""How far vectors are apart, by angle and by norm; and the product of two vectors through a matrix."""

import math
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.activation import floating
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.arithmetic import Add, Divide, Multiply, Subtract
from minicnn.operators.choosing import HeldAbove
from minicnn.operators.half import half_in_float32
from minicnn.operators.norms import vector_norm
from minicnn.operators.operands import array_of, cast, check_broadcast
from minicnn.operators.reduction import sum as sum_over


class Bilinear(Operator):
    """y[…, o] = x1ᵀ · weight[o] · x2"""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x1: np.ndarray, x2: np.ndarray, weight: np.ndarray) -> np.ndarray:
        O, I, J = weight.shape
        rows = x1.size // I if I else math.prod(x1.shape[:-1])
        by_x1, by_x2, by_weight = ctx.needs_input_grad
        ctx.shapes = x1.shape, x2.shape, weight.shape
        ctx.saved = (
            x1 if by_x2 or by_weight else None,
            x2 if by_x1 or by_weight else None,
            weight if by_x1 or by_x2 else None,
        )
        # (rows, I) @ (I, O·J) → (rows, O, J)
        through = kernels.sums.product(x1.reshape(rows, I), weight.transpose(1, 0, 2).reshape(I, O * J)).reshape(
            rows, O, J
        )
        return (through * x2.reshape(rows, 1, J)).sum(-1).reshape(*x1.shape[:-1], O)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x1, x2, weight = ctx.saved
        left, right, (O, I, J) = ctx.shapes
        needs_x1, needs_x2, needs_weight = ctx.needs_input_grad
        g = grad_output.reshape(-1, O)
        by_x1 = by_x2 = by_weight = None
        if needs_x1 or needs_weight:
            pairs = (g[:, :, None] * x2.reshape(len(g), 1, J)).reshape(len(g), O * J)
            if needs_weight:
                by_weight = kernels.sums.product(pairs.T, x1.reshape(len(g), I)).reshape(O, J, I).transpose(0, 2, 1)
            if needs_x1:
                by_x1 = kernels.sums.product(pairs, weight.transpose(0, 2, 1).reshape(O * J, I)).reshape(left)
        if needs_x2:
            pairs = (g[:, :, None] * x1.reshape(len(g), 1, I)).reshape(len(g), O * I)
            by_x2 = kernels.sums.product(pairs, weight.reshape(O * I, J)).reshape(right)
        return by_x1, by_x2, by_weight

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x1, x2, weight), (left, right, (O, I, J)) = ctx.tensors(), ctx.shapes
        needs_x1, needs_x2, needs_weight = ctx.needs_input_grad
        g = g.reshape(-1, O)
        rows, by_x1, by_x2, by_weight = len(g), None, None, None
        if needs_x1 or needs_weight:
            pairs = (g[:, :, None] * x2.reshape(rows, 1, J)).reshape(rows, O * J)
            if needs_weight:
                by_weight = (pairs.mT @ x1.reshape(rows, I)).reshape(O, J, I).mT
            if needs_x1:
                by_x1 = (pairs @ weight.mT.reshape(O * J, I)).reshape(left)
        if needs_x2:
            pairs = (g[:, :, None] * x1.reshape(rows, 1, I)).reshape(rows, O * I)
            by_x2 = (pairs @ weight.reshape(O * I, J)).reshape(right)
        return by_x1, by_x2, by_weight


@numpy_spelling
@half_in_float32
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)) along a dimension.

    Args:
        x1, x2: of shapes that broadcast, floating point.
        dim: the dimension of the vectors.
        eps: the smallest norm to divide by.

    Returns: a Tensor of the broadcast shape without `dim`.

    Raises:
        RuntimeError: for shapes that don't broadcast, or integers.
    """
    arrays = [array_argument(x, "cosine_similarity") for x in (x1, x2)]
    check_broadcast(*(array.shape for array in arrays))
    dtype = np.result_type(*arrays)
    if dtype.kind != "f":
        raise DtypeError(f"cosine_similarity needs floating point, got {dtype}")
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    directions = []
    for x in (x1, x2):
        wide = Add.call(cast(x, dtype), np.zeros(shape, dtype)) if array_of(x).shape != shape else cast(x, dtype)
        norm = vector_norm(wide, 2, dim, keepdim=True)
        directions.append(Divide.call(wide, HeldAbove.apply(norm, eps)))
    return sum_over(Multiply.call(*directions), dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x1 − x2 + eps‖ of order p along the last dimension.

    Args:
        x1, x2: (…, D), of shapes that broadcast, floating point.
        p: the order of the norm.
        eps: added to every difference.
        keepdim: keep the last dimension with size 1.

    Returns: (…) or (…, 1)

    Raises:
        RuntimeError: for shapes that don't broadcast, or integers.
    """
    check_broadcast(*(array_argument(x, "pairwise_distance").shape for x in (x1, x2)))
    return vector_norm(Add.call(Subtract.call(x1, x2), eps), p, -1, keepdim)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y[…, o] = x1ᵀ · weight[o] · x2 + bias[o]

    Args:
        input1: (…, I), float32 or float64.
        input2: (…, J), of the same dtype and leading dimensions.
        weight: (O, I, J).
        bias: (O,) or None.

    Returns: (…, O)

    Raises:
        RuntimeError: for shapes or dtypes that don't fit.
    """
    left, right = (array_of(floating(x, "bilinear")) for x in (input1, input2))
    w = array_of(floating(weight, "bilinear"))
    if left.shape[:-1] != right.shape[:-1] or left.ndim < 1:
        raise ShapeError(f"bilinear needs inputs of the same leading dimensions, got {left.shape} and {right.shape}")
    if w.ndim != 3 or w.shape[1:] != (left.shape[-1], right.shape[-1]):
        raise ShapeError(f"bilinear needs weight (O, {left.shape[-1]}, {right.shape[-1]}), got {w.shape}")
    given = {"input1": left, "input2": right, "weight": w} | ({} if bias is None else {"bias": array_of(bias)})
    if len({array.dtype for array in given.values()}) > 1:
        raise DtypeError(f"bilinear needs one dtype, got {', '.join(f'{n} {a.dtype}' for n, a in given.items())}")
    O = len(w)
    if bias is not None and given["bias"].shape[:1] != (O,):
        raise ShapeError(f"bilinear needs bias of shape ({O},), got {given['bias'].shape}")
    y = Bilinear.apply(input1, input2, weight)
    return y if bias is None else Add.call(y, bias)  # other dimensions broadcast, as in PyTorch
