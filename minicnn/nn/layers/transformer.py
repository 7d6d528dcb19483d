"""Transformers: layers of attention and of two linear layers, encoders and decoders of them (Vaswani and others)."""

import copy
import math
from collections.abc import Callable
from typing import Any

from minicnn.creation.filled import full
from minicnn.creation.options import check_options
from minicnn.nn import functional as F
from minicnn.nn import init
from minicnn.nn.layers.attention import MultiheadAttention
from minicnn.nn.layers.containers import ModuleList
from minicnn.nn.layers.dropout import Dropout
from minicnn.nn.layers.linear import Linear
from minicnn.nn.layers.parts import LayerNorm
from minicnn.nn.module import Module
from minicnn.tensor import Tensor

Activation = str | Callable[[Tensor], Tensor]


def _activation(chosen: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(chosen, str):
        return chosen
    if chosen not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {chosen}")
    return getattr(F, chosen)


class _Layer(Module):
    """What encoder and decoder layers share: the two linear layers behind the attention.

    Args:
        d_model: size of every vector.
        nhead: heads of the attention.
        dim_feedforward: size between the two linear layers.
        dropout: share of elements and of weights to drop in training.
        activation: between the two linear layers: "relu", "gelu" or a function.
        layer_norm_eps: added to variances.
        batch_first: whether tensors are (N, L, E) instead of (L, N, E).
        norm_first: whether to normalise before each part instead of behind the sum.
        bias: whether linear layers and norms have a bias.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.
    """

    parts = 2
    """How many sums with a norm there are."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        attentions = ("self_attn", "multihead_attn")[: self.parts - 1]
        for name in attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **made))
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        for i in range(1, self.parts + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for i in range(1, self.parts + 1):
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation)

    def _added(self, x: Tensor, norm: Module, part: Callable[[Tensor], Tensor]) -> Tensor:
        """x and what a part makes of it, normalised before the part or behind the sum."""
        return x + part(norm(x)) if self.norm_first else norm(x + part(x))

    @staticmethod
    def _attention(
        attention: Module, dropout: Module, to: Tensor | None, mask: Any, by_key: Any, is_causal: bool
    ) -> Callable[[Tensor], Tensor]:
        """The part that attends to `to`, or to its own input where that is None."""

        def part(x: Tensor) -> Tensor:
            seen = x if to is None else to
            options = {"attn_mask": mask, "key_padding_mask": by_key, "is_causal": is_causal, "need_weights": False}
            return dropout(attention(x, seen, seen, **options)[0])

        return part

    def _fed_forward(self, x: Tensor, last: Module) -> Tensor:
        return last(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, and two linear layers, each added to its input and normalised."""

    __doc__ += (_Layer.__doc__ or "").partition("attention.")[2]

    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """(L, N, E) → (L, N, E); masks as in `MultiheadAttention`. Padded positions are computed like others."""
        attention = self._attention(self.self_attn, self.dropout1, None, src_mask, src_key_padding_mask, is_causal)
        x = self._added(src, self.norm1, attention)
        return self._added(x, self.norm2, lambda x: self._fed_forward(x, self.dropout2))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to what an encoder gives, two linear layers: each added to its input and normalised."""

    __doc__ += (_Layer.__doc__ or "").partition("attention.")[2]

    parts = 3

    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    norm3: LayerNorm
    dropout1: Dropout
    dropout2: Dropout
    dropout3: Dropout

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(L, N, E) with `memory` (S, N, E) → (L, N, E); masks as in `MultiheadAttention`."""
        own = self.self_attn, self.dropout1, None, tgt_mask, tgt_key_padding_mask, tgt_is_causal
        others = self.multihead_attn, self.dropout2, memory, memory_mask, memory_key_padding_mask, memory_is_causal
        x = self._added(tgt, self.norm1, self._attention(*own))
        x = self._added(x, self.norm2, self._attention(*others))
        return self._added(x, self.norm3, lambda x: self._fed_forward(x, self.dropout3))


def _is_causal(mask: Tensor | None, is_causal: bool | None) -> bool:
    """Whether a mask is the causal one, where nobody says."""
    if is_causal is not None:
        return is_causal
    if mask is None or mask.ndim != 2 or mask.shape[0] != mask.shape[1] or not mask.is_floating_point():
        return False
    causal = Transformer.generate_square_subsequent_mask(len(mask), dtype=mask.dtype)
    return bool((mask == causal).all())


class TransformerEncoder(Module):
    """Encoder layers one after another.

    Args:
        encoder_layer: is copied.
        num_layers: how many copies.
        norm: behind the last; None for none.
        enable_nested_tensor, mask_check: taken and without meaning: PyTorch skips padded positions by them.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """(L, N, E) → (L, N, E); `is_causal` None looks at the mask. Padded positions are computed like others."""
        causal = _is_causal(mask, is_causal)
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Decoder layers one after another.

    Args:
        decoder_layer: is copied.
        num_layers: how many copies.
        norm: behind the last; None for none.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(L, N, E) with `memory` (S, N, E) → (L, N, E); `tgt_is_causal` None looks at the mask."""
        causal = _is_causal(tgt_mask, tgt_is_causal)
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder, and a decoder that attends to what it gives.

    Args:
        d_model: size of every vector.
        nhead: heads of the attention.
        num_encoder_layers, num_decoder_layers: how many.
        dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype: of the
            layers; see `TransformerEncoderLayer`.
        custom_encoder, custom_decoder: to be used instead.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*options, **made)
            custom_encoder = TransformerEncoder(
                layer, num_encoder_layers, LayerNorm(d_model, eps=layer_norm_eps, **made)
            )
        self.encoder = custom_encoder
        if custom_decoder is None:
            last = TransformerDecoderLayer(*options, **made)
            custom_decoder = TransformerDecoder(
                last, num_decoder_layers, LayerNorm(d_model, eps=layer_norm_eps, **made)
            )
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(S, N, E), (L, N, E) → (L, N, E); without N for single sequences.

        Raises:
            RuntimeError: for other sizes.
        """
        batches = 0 if self.batch_first else 1
        if src.ndim == tgt.ndim == 3 and src.shape[batches] != tgt.shape[batches]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): −∞ above the diagonal, 0 elsewhere: nobody looks ahead."""
        check_options(device=device)
        return full((sz, sz), -math.inf, dtype=dtype).triu(1)

    def _reset_parameters(self) -> None:
        """Draw all matrices anew, by Xavier."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
