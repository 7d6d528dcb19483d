"""Attention by several heads, each over a part of every vector."""

import math
import warnings
from typing import Any

from minicnn.dtypes import bool_
from minicnn.errors import DtypeError, ShapeError
from minicnn.nn.functional.attention import scaled_dot_product_attention
from minicnn.nn.functional.dropout import dropout
from minicnn.nn.functional.linear import linear
from minicnn.nn.functional.padding import pad
from minicnn.operators.joining import cat
from minicnn.operators.matmul import matmul
from minicnn.operators.softmax import softmax
from minicnn.tensor import Tensor


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Concat(head₁, …, head_h) · W_Oᵀ, headᵢ = Attention(Q W_Qᵀ, K W_Kᵀ, V W_Vᵀ) of its part of the vectors.

    Vaswani and others, "Attention is all you need", section 3.2.2.

    Args:
        query: (L, N, E), or (L, E) of a single sequence; all of one floating-point dtype.
        key: (S, N, key size), or without N.
        value: (S, N, value size), or without N.
        embed_dim_to_check: E.
        num_heads: among which E is shared.
        in_proj_weight: the three projections below one another, (3E, E).
        in_proj_bias: (3E,) or None.
        bias_k, bias_v: (1, 1, E): one more key and value; or None.
        add_zero_attn: whether a key and a value of zeros are added, too.
        dropout_p: the share of weights to drop while `training`.
        out_proj_weight: (E, E)
        out_proj_bias: (E,) or None.
        training: whether weights are dropped.
        key_padding_mask: (N, S), or (S,): True where a key is not looked at, or numbers added to scores.
        need_weights: whether to return the weights.
        attn_mask: (L, S) or (N · heads, L, S): True where a query may *not* look at a key, or numbers added to scores.
        use_separate_proj_weight: whether the projections are the three weights below.
        q_proj_weight: (E, E)
        k_proj_weight: (E, key size)
        v_proj_weight: (E, value size)
        static_k, static_v: (N · heads, S, E / heads): keys and values of all heads, projected already; or None.
        average_attn_weights: whether weights are averaged over the heads.
        is_causal: a hint that `attn_mask` is causal.

    Returns: (L, N, E), and the weights (N, L, S), (N, heads, L, S) if they aren't averaged, or None; without N for
        single sequences.

    Raises:
        RuntimeError: for shapes or dtypes that don't fit, or a hint without a mask.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    L, N, E = query.shape
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if key_padding_mask is not None and attn_mask is not None and key_padding_mask.dtype != attn_mask.dtype:
        warnings.warn(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.",
            UserWarning,
            stacklevel=2,
        )
    added_to_keys = _added_to_scores(key_padding_mask, "key_padding_mask", query)
    hinted = is_causal and key_padding_mask is None and not need_weights
    mask = None if hinted else _added_to_scores(attn_mask, "attn_mask", query)

    weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    if not use_separate_proj_weight:
        if in_proj_weight is None:
            raise ShapeError("in_proj_weight is None, and so would the three projections be")
        weights = list(in_proj_weight.chunk(3))
    biases = [None] * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    mask = _checked_mask(mask, L, len(key), N * num_heads)

    more = 0
    if (bias_k is None) != (bias_v is None):
        raise ShapeError("bias_k and bias_v must both be given, or neither")
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise ShapeError("bias_k and bias_v cannot be added to static keys and values")
        k, v, more = cat([k, bias_k.expand(1, N, E)]), cat([v, bias_v.expand(1, N, E)]), 1
    q, k, v = (_by_head(x, num_heads) for x in (q, k, v))
    k, v = _static(static_k, k, "static_k"), _static(static_v, v, "static_v")
    if add_zero_attn:
        k, v = (cat([x, x.new_zeros(len(x), 1, x.shape[2])], 1) for x in (k, v))
        more += 1
    S = k.shape[1]
    mask = None if mask is None else pad(mask, (0, more))
    if added_to_keys is not None:
        if added_to_keys.shape != (N, S - more):
            raise ShapeError(
                f"key_padding_mask must be (N, S) = {(N, S - more)}, got shape {tuple(added_to_keys.shape)}"
            )
        by_key = pad(added_to_keys, (0, more)).view(N, 1, 1, S).expand(-1, num_heads, -1, -1)
        by_key = by_key.reshape(N * num_heads, 1, S)
        mask = by_key if mask is None else mask + by_key

    dropped = dropout_p if training else 0.0
    if not need_weights:
        q, k, v = (x.reshape(N, num_heads, -1, E // num_heads) for x in (q, k, v))
        if mask is not None:
            mask = mask.unsqueeze(0) if len(mask) == 1 else mask.reshape(N, num_heads, -1, S)
        y = scaled_dot_product_attention(q, k, v, mask, dropped, hinted).reshape(N * num_heads, L, -1)
        shares = None
    else:
        scores = matmul(q * math.sqrt(num_heads / E), k.transpose(-2, -1))
        shares = dropout(softmax(scores if mask is None else mask + scores, -1), dropped, dropped > 0)
        y = matmul(shares, v)
        shares = shares.view(N, num_heads, L, S)
        shares = shares.mean(1) if average_attn_weights else shares
    y = linear(y.transpose(0, 1).reshape(L * N, E), out_proj_weight, out_proj_bias).view(L, N, E)
    if batched:
        return y, shares
    return y.squeeze(1), None if shares is None else shares.squeeze(0)


def _is_batched(query: Tensor, key: Tensor, value: Tensor, by_key: Any, mask: Any, num_heads: int) -> bool:
    if query.ndim not in (2, 3):
        raise ShapeError(f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor")
    if key.ndim != query.ndim or value.ndim != query.ndim:
        raise ShapeError(
            f"query, key and value need the same number of dimensions, got {query.ndim}, {key.ndim} and {value.ndim}"
        )
    if by_key is not None and by_key.ndim != query.ndim - 1:
        raise ShapeError(f"key_padding_mask needs {query.ndim - 1} dimensions beside this query, got {by_key.ndim}")
    if mask is not None and mask.ndim not in (2, 3):
        raise ShapeError(f"attn_mask needs 2 or 3 dimensions, got {mask.ndim}")
    if query.ndim == 2 and mask is not None and mask.ndim == 3:
        wanted = num_heads, len(query), len(key)
        if tuple(mask.shape) != wanted:
            raise ShapeError(f"attn_mask must have shape {wanted}, got {tuple(mask.shape)}")
    return query.ndim == 3


def _check_sizes(query: Tensor, key: Tensor, value: Tensor, expected: int, num_heads: int, separate: bool) -> None:
    E = query.shape[-1]
    if expected != E:
        raise ShapeError(f"was expecting embedding dimension of {expected}, but got {E}")
    if num_heads < 1 or E % num_heads:
        raise ShapeError(f"embed_dim {E} not divisible by num_heads {num_heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise ShapeError(
            f"key's sequence and batch dims {tuple(key.shape[:2])} do not match value's {tuple(value.shape[:2])}"
        )
    if not separate and key.shape != value.shape:
        raise ShapeError(f"key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}")


def _added_to_scores(mask: Tensor | None, name: str, query: Tensor) -> Tensor | None:
    """A mask of numbers: −∞ where one of truths says no."""
    if mask is None:
        return None
    if mask.is_floating_point():
        return mask
    if mask.dtype != bool_:
        raise DtypeError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    return query.new_zeros(mask.shape).masked_fill_(mask, -math.inf)


def _checked_mask(mask: Tensor | None, L: int, S: int, heads: int) -> Tensor | None:
    """The mask with a dimension for images and heads."""
    if mask is None:
        return None
    wanted = (L, S) if mask.ndim == 2 else (heads, L, S)
    if tuple(mask.shape) != wanted:
        raise ShapeError(f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be {wanted}.")
    return mask.unsqueeze(0) if mask.ndim == 2 else mask


def _by_head(x: Tensor, num_heads: int) -> Tensor:
    """(L, N, E) → (N · heads, L, E / heads)"""
    L, N, E = x.shape
    return x.reshape(L, N * num_heads, E // num_heads).transpose(0, 1)


def _static(given: Tensor | None, computed: Tensor, name: str) -> Tensor:
    if given is None:
        return computed
    heads, _, E = computed.shape
    if given.ndim != 3 or given.shape[0] != heads or given.shape[2] != E:
        raise ShapeError(f"{name} must be of shape ({heads}, S, {E}), got {tuple(given.shape)}")
    return given
