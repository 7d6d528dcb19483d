"""Distances between all pairs of vectors, and vectors of length 1."""

from typing import Any

import numpy as np

from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import Divide, Subtract
from minicnn.operators.choosing import clamp
from minicnn.operators.diagonals import triu_indices
from minicnn.operators.norms import vector_norm
from minicnn.operators.operands import array_of, check_broadcast
from minicnn.operators.quiet import quietly
from minicnn.operators.reduction import sum
from minicnn.operators.selecting import index_select
from minicnn.operators.shape import unsqueeze

COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist", None, 0, 1, 2,
)  # fmt: skip
"""How PyTorch may compute Euclidean distances; here it is always by differences, the most accurate way."""


class Differences(Subtract):
    """a − b, of operands that must not change before the backward, as PyTorch's distances ask."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        return quietly(np.subtract, a, b)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The distances between the vectors of two sets: ‖x1[i] − x2[j]‖ of order p.

    Args:
        x1: (…, P, M), floating point.
        x2: (…, R, M).
        p: the order of the norm, not negative.
        compute_mode: has no effect on the result.

    Returns: (…, P, R).

    Raises:
        ShapeError: for shapes that don't fit, or a negative p.
        DtypeError: for integers and bools.
    """
    left, right = array_argument(x1, "cdist"), array_argument(x2, "cdist")
    if left.dtype.kind != "f" or right.dtype.kind != "f":
        raise DtypeError(f"cdist needs floating-point tensors, got {left.dtype} and {right.dtype}")
    if left.ndim < 2 or right.ndim < 2 or left.shape[-1] != right.shape[-1]:
        raise ShapeError(f"cdist needs vectors of one length in at least 2 dimensions, got {left.shape}, {right.shape}")
    if p < 0:
        raise ShapeError(f"cdist needs a p that isn't negative, got {p}")
    if compute_mode not in COMPUTE_MODES:
        raise ShapeError(f"cdist: compute_mode must be one of {COMPUTE_MODES[:3]}, got {compute_mode!r}")
    check_broadcast(left.shape[:-2], right.shape[:-2])
    differences = Differences.call(unsqueeze(x1, -2), unsqueeze(x2, -3))
    if not left.shape[-1]:
        return sum(differences, -1)
    return vector_norm(differences, p, -1)


def pdist(input: Any, p: float = 2) -> Any:
    """The distances between all pairs of vectors: ‖x[i] − x[j]‖ of order p for i < j.

    Args:
        input: (N, M), floating point.
        p: the order of the norm, not negative.

    Returns: (N·(N − 1)/2,).

    Raises:
        ShapeError: for other dimensions, or a negative p.
        DtypeError: for integers and bools.
    """
    array = array_argument(input, "pdist")
    if array.ndim != 2:
        raise ShapeError(f"pdist needs 2 dimensions, got shape {array.shape}")
    if array.dtype.kind != "f":
        raise DtypeError(f"pdist needs a floating-point tensor, got {array.dtype}")
    if p < 0:
        raise ShapeError(f"pdist needs a p that isn't negative, got {p}")
    first, second = array_of(triu_indices(len(array), len(array), 1))
    differences = Subtract.call(index_select(input, 0, first), index_select(input, 0, second))
    return vector_norm(differences, p, 1) if array.shape[1] else sum(differences, 1)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """Vectors divided by their length: x / max(‖x‖, eps).

    Args:
        input: any shape, floating point.
        p: the order of the norm.
        dim: where the vectors lie, an axis or several.
        eps: the smallest length to divide by.

    Raises:
        IndexError: for a `dim` out of range.
        DtypeError: for integers and bools.
    """
    return Divide.call(input, clamp(vector_norm(input, p, dim, keepdim=True), min=eps))
