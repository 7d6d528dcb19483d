"""Attention by several heads, and transformers made of it, against PyTorch's: values, gradients, weights, errors."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minicnn

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")

LIBRARIES = (torch, minicnn)
L, S, N, E = 4, 5, 3, 8


def twins(make: Any) -> tuple[Any, Any]:
    """A module of each library with PyTorch's parameters, in float64; they print alike."""
    theirs, ours = make(torch), make(minicnn)
    assert str(theirs) == str(ours)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return theirs.double(), ours.double()


def agree(theirs: Any, ours: Any, *shapes: tuple[int, ...], **options: Any) -> None:
    """Both modules' outputs, and gradients of inputs and parameters, are alike."""
    arrays = [np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes)]
    found = []
    for module, T in ((theirs, torch), (ours, minicnn)):
        module.zero_grad()
        inputs = [T.from_numpy(array.copy()).requires_grad_() for array in arrays]
        named = {k: T.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        y = module(*inputs, **named)
        outputs = list(y) if isinstance(y, tuple) else [y]
        outputs[0].backward(T.from_numpy(np.random.default_rng(9).standard_normal(tuple(outputs[0].shape))))
        found.append([*outputs, *(t.grad for t in (*inputs, *module.parameters()))])
    for expected, actual in zip(*found, strict=True):
        assert (expected is None) == (actual is None)
        if expected is not None:
            assert tuple(actual.shape) == tuple(expected.shape)
            np.testing.assert_allclose(actual.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-9)


MASKS = {
    "none": lambda rng: None,
    "numbers": lambda rng: rng.standard_normal((L, S)),
    "numbers by head": lambda rng: rng.standard_normal((N * 2, L, S)),
    "truths": lambda rng: np.column_stack([np.zeros(L, bool), rng.random((L, S - 1)) < 0.4]),
}
PADDINGS = {
    "none": lambda rng: None,
    "truths": lambda rng: np.column_stack([np.zeros(N, bool), rng.random((N, S - 1)) < 0.4]),
    "numbers": lambda rng: rng.standard_normal((N, S)),
}


@given(
    bias=st.booleans(),
    more=st.booleans(),
    zero=st.booleans(),
    first=st.booleans(),
    sizes=st.sampled_from([(None, None), (5, 7), (E, 3)]),
    need=st.booleans(),
    average=st.booleans(),
    mask=st.sampled_from(list(MASKS)),
    padding=st.sampled_from(list(PADDINGS)),
    seed=st.integers(0, 99),
)
@pytest.mark.filterwarnings("ignore:Support for mismatched")
def test_heads_agree(bias, more, zero, first, sizes, need, average, mask, padding, seed):
    rng = np.random.default_rng(seed)
    options = {"bias": bias, "add_bias_kv": more, "add_zero_attn": zero, "batch_first": first}
    modules = twins(lambda T: T.nn.MultiheadAttention(E, 2, kdim=sizes[0], vdim=sizes[1], **options))
    shapes = [(L, N, E), (S, N, sizes[0] or E), (S, N, sizes[1] or E)]
    if first:
        shapes = [(n, length, size) for length, n, size in shapes]
    masks = {"attn_mask": MASKS[mask](rng), "key_padding_mask": PADDINGS[padding](rng)}
    agree(*modules, *shapes, need_weights=need, average_attn_weights=average, **masks)


@pytest.mark.parametrize("need_weights", [True, False])
def test_single_sequences_agree(need_weights):
    modules = twins(lambda T: T.nn.MultiheadAttention(E, 4, batch_first=True))
    agree(*modules, (L, E), (S, E), (S, E), need_weights=need_weights)
    mask = np.random.default_rng(0).standard_normal((4, L, S))
    agree(*modules, (L, E), (S, E), (S, E), need_weights=need_weights, attn_mask=mask)


def test_causal_hint_agrees():
    causal = torch.nn.Transformer.generate_square_subsequent_mask(L, dtype=torch.float64).numpy()
    for need_weights in (True, False):
        modules = twins(lambda T: T.nn.MultiheadAttention(E, 2))
        agree(*modules, (L, N, E), (L, N, E), (L, N, E), attn_mask=causal, is_causal=True, need_weights=need_weights)


def test_dropout_drops_weights_in_training_only():
    minicnn.manual_seed(0)
    attention = minicnn.nn.MultiheadAttention(E, 2, dropout=0.5)
    x = minicnn.randn(L, N, E)
    _, weights = attention(x, x, x, average_attn_weights=False)
    assert 0.2 < (weights == 0).float().mean().item() < 0.8
    _, weights = attention.eval()(x, x, x)
    np.testing.assert_allclose(weights.sum(-1).numpy(force=True), 1, rtol=1e-6)


def test_parameters_start_as_pytorchs():
    minicnn.manual_seed(0)
    attention = minicnn.nn.MultiheadAttention(64, 4, add_bias_kv=True)
    limit = np.sqrt(6 / (4 * 64))
    assert 0.95 * limit < attention.in_proj_weight.abs().max().item() <= limit
    assert not attention.in_proj_bias.any()
    assert not attention.out_proj.bias.any()
    assert 0.7 < attention.bias_k.std().item() / np.sqrt(2 / 128) < 1.3


ERRORS = {
    "no multiple": lambda T: T.nn.MultiheadAttention(7, 2),
    "no heads": lambda T: T.nn.MultiheadAttention(8, 0),
    "size": lambda T: T.nn.MultiheadAttention(E, 2)(T.ones(L, N, 6), T.ones(L, N, 6), T.ones(L, N, 6)),
    "dimensions": lambda T: T.nn.MultiheadAttention(E, 2)(T.ones(E), T.ones(E), T.ones(E)),
    "key's dimensions": lambda T: T.nn.MultiheadAttention(E, 2)(T.ones(L, N, E), T.ones(S, E), T.ones(S, E)),
    "key and value": lambda T: T.nn.MultiheadAttention(E, 2)(T.ones(L, N, E), T.ones(S, N, E), T.ones(L, N, E)),
    "mask's shape": lambda T: _attended(T, attn_mask=T.zeros(L, S + 1)),
    "mask's shape by head": lambda T: _attended(T, attn_mask=T.zeros(N, L, S)),
    "mask's dtype": lambda T: _attended(T, attn_mask=T.zeros(L, S, dtype=T.int64)),
    "padding's dimensions": lambda T: _attended(T, key_padding_mask=T.zeros(S)),
    "padding's shape": lambda T: _attended(T, key_padding_mask=T.zeros(N, S + 1)),
    "hint without mask": lambda T: _attended(T, is_causal=True),
    "activation": lambda T: T.nn.TransformerEncoderLayer(E, 2, activation="tanh"),
    "batches": lambda T: T.nn.Transformer(E, 2, 1, 1, 8)(T.ones(S, N, E), T.ones(L, 2, E)),
    "features": lambda T: T.nn.Transformer(E, 2, 1, 1, 8)(T.ones(S, N, 6), T.ones(L, N, 6)),
}


def _attended(T: Any, **options: Any) -> Any:
    return T.nn.MultiheadAttention(E, 2)(T.ones(L, N, E), T.ones(S, N, E), T.ones(S, N, E), **options)


@pytest.mark.parametrize("name", list(ERRORS))
def test_what_pytorch_refuses_is_refused(name):
    with pytest.raises((RuntimeError, ValueError, TypeError, AssertionError)):
        ERRORS[name](torch)
    with pytest.raises((RuntimeError, ValueError, TypeError), match=r"\w+ .*\w+"):
        ERRORS[name](minicnn)


@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_transformer_layers_agree(kind):
    for activation, first, before, bias in itertools.product(("relu", "gelu"), *[(True, False)] * 3):
        options = {"activation": activation, "batch_first": first, "norm_first": before, "bias": bias}

        def layer(T: Any, options: Any = options) -> Any:
            return getattr(T.nn, f"Transformer{kind}Layer")(E, 2, 16, dropout=0.0, **options)

        def several(T: Any, layer: Any = layer) -> Any:
            return getattr(T.nn, f"Transformer{kind}")(layer(T), 2, T.nn.LayerNorm(E))

        shapes = [(L, N, E), (L if first else S, N, E)][: 1 if kind == "Encoder" else 2]
        agree(*twins(layer), *shapes)
        agree(*twins(several), *shapes)


def test_masked_transformers_agree():
    rng = np.random.default_rng(0)
    causal = minicnn.nn.Transformer.generate_square_subsequent_mask(L, dtype=minicnn.float64).numpy()
    modules = twins(lambda T: T.nn.Transformer(E, 2, 2, 2, 16, dropout=0.0))
    agree(*modules, (S, N, E), (L, N, E), tgt_mask=causal)
    agree(*modules, (S, N, E), (L, N, E), tgt_mask=causal, tgt_is_causal=True, src_mask=rng.standard_normal((S, S)))
    hidden = PADDINGS["truths"](rng)
    agree(*modules, (S, N, E), (L, N, E), src_key_padding_mask=hidden, memory_key_padding_mask=hidden)
    agree(*modules, (S, E), (L, E), memory_mask=rng.standard_normal((L, S)))


def test_causal_mask_is_pytorchs():
    for n in (0, 1, 4):
        expected = torch.nn.Transformer.generate_square_subsequent_mask(n)
        actual = minicnn.nn.Transformer.generate_square_subsequent_mask(n)
        assert str(actual.dtype) == str(expected.dtype)
        np.testing.assert_array_equal(actual.numpy(), expected.numpy())
