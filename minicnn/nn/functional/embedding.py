"""embedding: rows of a table, looked up."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import row_sums
from minicnn.operators.arguments import array_argument
from minicnn.operators.operands import array_of


class Embedding(Operator):
    """The rows of `weight` at `indices`; each gets the sum of the gradients of its uses, but for `padding`."""

    @staticmethod
    def forward(ctx: Any, weight: np.ndarray, indices: np.ndarray, padding: int, by_frequency: bool) -> np.ndarray:
        ctx.saved, ctx.shape = (indices,), weight.shape
        ctx.padding, ctx.by_frequency = padding, by_frequency
        return weight[indices]

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        rows = ctx.saved[0].ravel()
        terms = g.reshape(rows.size, ctx.shape[1])
        kept = rows != ctx.padding
        total = row_sums(rows[kept], terms[kept], ctx.shape)
        if ctx.by_frequency:
            total /= np.maximum(np.bincount(rows, minlength=len(total)), 1).astype(g.dtype)[:, None]
        return total

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        indices = ctx.saved[0]

        def back(weight: np.ndarray) -> np.ndarray:
            rows = weight[indices]
            rows[indices == ctx.padding] = 0
            if ctx.by_frequency:
                counts = np.bincount(indices.ravel(), minlength=len(weight))
                rows = rows / counts[indices][..., None].astype(rows.dtype)
            return rows

        return ctx.linear(g, back)


def _padding(padding_idx: int | None, rows: int) -> int:
    """The row that stays as it is; −1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` at the indices `input`.

    Args:
        input: int32 or int64, any shape (…).
        weight: (rows, width).
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows in use of a larger norm are scaled down to it, in place.
        norm_type: p of that norm.
        scale_grad_by_freq: divide each row's gradient by how often it occurs in `input`.
        sparse: False; gradients are dense.

    Returns: (…, width)

    Raises:
        IndexError: for an index that isn't a row.
        RuntimeError: for other dtypes or a table that isn't one, or where sparse gradients are asked for.
    """
    indices, table = array_argument(input, "embedding"), array_argument(weight, "embedding")
    if sparse:
        raise RuntimeError("embedding has no sparse gradients; leave sparse=False")
    if indices.dtype not in (np.int64, np.int32):
        raise DtypeError(f"embedding needs int32 or int64 indices, got {indices.dtype}")
    if table.ndim != 2:
        raise ShapeError(f"'weight' must be 2-D, got shape {table.shape}")
    padding = _padding(padding_idx, len(table))
    if indices.size and not 0 <= indices.min() <= indices.max() < len(table):
        raise IndexError(f"index out of range in self: embedding of {len(table)} rows needs 0 … {len(table) - 1}")
    if max_norm is not None:
        _renormalize(weight, np.unique(indices), max_norm, norm_type)
    return Embedding.apply(weight, input, padding, bool(scale_grad_by_freq))


def _renormalize(weight: Any, rows: np.ndarray, max_norm: float, norm_type: float) -> None:
    table = array_of(weight)
    norms = np.linalg.norm(table[rows], norm_type, axis=1)
    large = norms > max_norm
    if large.any():
        table[rows[large]] *= (max_norm / (norms[large] + 1e-7)).astype(table.dtype)[:, None]
        if table is not weight:
            weight._bump()
