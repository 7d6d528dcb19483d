"""Attention: averages of values, weighted by how well their keys match each query."""

import math
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.errors import DtypeError, ShapeError
from minicnn.nn.functional.dropout import dropout
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import add, mul
from minicnn.operators.comparison import eq
from minicnn.operators.half import half_in_float32
from minicnn.operators.logic import logical_not
from minicnn.operators.masking import masked_fill
from minicnn.operators.matmul import matmul
from minicnn.operators.repeating import repeat_interleave
from minicnn.operators.shape import transpose
from minicnn.operators.softmax import softmax
from minicnn.operators.truth import all_of


@half_in_float32
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(query · keyᵀ · scale + mask) · value (Vaswani and others, "Attention is all you need", equation 1).

    Args:
        query: (…, L, E), floating point.
        key: (…, S, E)
        value: (…, S, V)
        attn_mask: of a shape that broadcasts to (…, L, S): True where a query may look at a key, or numbers that are
            added to the scores. A query that may look nowhere gets 0.
        dropout_p: the share of weights to drop.
        is_causal: whether query i looks at keys up to i only; then without `attn_mask`.
        scale: what the scores are multiplied by; 1/√E unless given.
        enable_gqa: whether heads of `key` and `value`, dimension −3, are repeated to match those of `query`.

    Returns: (…, L, V)

    Raises:
        RuntimeError: for shapes or dtypes that don't fit, or both a mask and `is_causal`.
    """
    arrays = [array_argument(x, "scaled_dot_product_attention") for x in (query, key, value)]
    _check(arrays, attn_mask, is_causal)
    if enable_gqa:
        key, value = (_repeated_heads(x, arrays[0]) for x in (key, value))
    scale = 1 / math.sqrt(max(arrays[0].shape[-1], 1)) if scale is None else float(scale)
    # half of the scale on each side, as PyTorch does it
    root = math.sqrt(abs(scale))
    scores = matmul(mul(query, math.copysign(root, scale)), transpose(mul(key, root), -2, -1))
    mask = _causal(arrays[0].shape[-2], arrays[1].shape[-2]) if is_causal else attn_mask
    if mask is None:
        return matmul(dropout(softmax(scores, -1), dropout_p, dropout_p > 0), value)
    scores = _masked(scores, mask)
    nowhere = all_of(eq(scores, -math.inf), -1, keepdim=True)
    weights = masked_fill(softmax(masked_fill(scores, nowhere, 0.0), -1), nowhere, 0.0)
    return matmul(dropout(weights, dropout_p, dropout_p > 0), value)


def _check(arrays: list[np.ndarray], attn_mask: Any, is_causal: bool) -> None:
    query, key, value = arrays
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeError(
            f"query, key and value need at least 2 dimensions, got shapes {query.shape}, {key.shape}, {value.shape}"
        )
    if not query.dtype == key.dtype == value.dtype or query.dtype.kind != "f":
        raise DtypeError(
            f"query, key and value need one floating-point dtype, got {query.dtype}, {key.dtype} and {value.dtype}"
        )
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(f"query and key need the same last size, got shapes {query.shape} and {key.shape}")
    if attn_mask is None:
        return
    if is_causal:
        raise ShapeError("attn_mask must be None where is_causal=True")
    dtype = array_argument(attn_mask, "scaled_dot_product_attention").dtype
    if dtype not in (np.bool_, np.float32, query.dtype):
        raise DtypeError(f"attn_mask must be bool, float32 or of query's dtype {query.dtype}, got {dtype}")


def _repeated_heads(x: Any, query: np.ndarray) -> Any:
    heads = array_argument(x, "scaled_dot_product_attention").shape[-3]
    if not heads or query.shape[-3] % heads:
        raise ShapeError(
            f"the heads of query, {query.shape[-3]}, must be a multiple of those of key and value, {heads}"
        )
    return repeat_interleave(x, query.shape[-3] // heads, -3)


def _causal(L: int, S: int) -> Any:
    """Which keys each query may look at: those up to its own position."""
    return Variable._computed(np.tril(np.ones((L, S), bool)))


def _masked(scores: Any, mask: Any) -> Any:
    """Scores with a mask of numbers added, or −∞ where a mask of truths says no."""
    array = array_argument(mask, "scaled_dot_product_attention")
    if array.dtype.kind == "b":
        return masked_fill(scores, logical_not(mask), -math.inf)
    return add(scores, mask)
