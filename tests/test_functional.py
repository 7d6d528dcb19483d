"""linear, activations, softmax, dropout, pad, unfold, fold and one_hot against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.autograd import gradcheck
from minicnn.testing.bounds import assert_within_bound
from minicnn.testing.cases import fill, lay_out, layouts
from minicnn.testing.oracle import agree, ask

NAMES = ["y", "by input", "by weight", "by bias"]


@given(
    lead=st.lists(st.integers(0, 4), max_size=2),
    inputs=st.integers(1, 5),
    outputs=st.integers(1, 5),
    biased=st.booleans(),
    kind=st.sampled_from(["integers", "reals"]),
    layout=layouts(),
    seed=st.integers(0, 999),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_linear_agrees_with_torch(lead, inputs, outputs, biased, kind, layout, seed, dtype):
    shapes = [(*lead, inputs), (outputs, inputs), (outputs,)]
    arrays = [lay_out(fill(s, kind, seed + i, dtype), layout) for i, s in enumerate(shapes)]
    arrays[2] = arrays[2] if biased else None
    tensors = [None if a is None else minicnn.as_tensor(a).requires_grad_() for a in arrays]
    y = F.linear(*tensors)

    def grad_output(shape):
        return fill(shape, kind, seed + 5, dtype)

    y.backward(grad_output(y.shape))
    oracle = [ask(TF.linear, arrays, grad_output, absolute=absolute) for absolute in (False, True)]
    agree(
        [y.detach().numpy(), *[None if t is None else t.grad.numpy() for t in tensors]],
        NAMES,
        *oracle,
        equal=kind == "integers",
    )


ACTIVATIONS = {
    "relu": ({}, 1.0),
    "leaky_relu": ({"negative_slope": 0.3}, 1.0),
    "sigmoid": ({}, 4.0),
    "tanh": ({}, 4.0),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(
    shape=st.lists(st.integers(0, 4), max_size=4),
    layout=layouts(),
    seed=st.integers(0, 999),
    dtype=st.sampled_from([np.float32, np.float64]),
    special=st.booleans(),
)
def test_activations_agree_with_torch(name, shape, layout, seed, dtype, special):
    arguments, c = ACTIVATIONS[name]
    x = fill(tuple(shape), "reals", seed, dtype)
    if special and x.size:
        x = np.where(
            np.random.default_rng(seed).random(x.shape) < 0.5,
            np.random.default_rng(seed).choice([0, -0.0, np.inf, -np.inf, np.nan, 90, -90], x.shape),
            x,
        )
    x = lay_out(x.astype(dtype), layout)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(np.array(x, np.float64), requires_grad=True)
    function = getattr(TF, name) if hasattr(TF, name) else getattr(torch, name)
    y, expected = getattr(F, name)(a, **arguments), function(b, **arguments)
    g = fill(tuple(shape), "integers", seed + 1, dtype)
    y.backward(g)
    expected.backward(torch.tensor(g.astype(np.float64)))
    assert y.dtype == a.grad.dtype == dtype
    magnitude = np.abs(expected.detach().numpy()) + np.finfo(dtype).tiny / np.finfo(dtype).eps
    assert_within_bound(y.detach().numpy(), expected.detach().numpy(), magnitude, c, name)
    assert_within_bound(a.grad.numpy(), b.grad.numpy(), np.abs(g).astype(float) + 1e-30, c, f"gradient of {name}")


def test_relu_at_zero_and_inplace():
    x = minicnn.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    h = x * 1
    y = F.relu(h, inplace=True)
    assert y is h
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0, 1])
    np.testing.assert_array_equal(h.detach().numpy(), [0, 0, 2])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 999),
    layout=layouts(),
    scale=st.sampled_from([1, 100]),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
)
def test_softmax_agrees_with_torch(name, shape, seed, layout, scale, dtype, data):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(seed)
    x = lay_out((rng.standard_normal(shape) * scale).astype(dtype), layout)
    g = rng.standard_normal(shape).astype(dtype)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x.astype(np.float64), requires_grad=True)
    y, expected = getattr(F, name)(a, dim), getattr(TF, name)(b, dim)
    y.backward(g)
    expected.backward(torch.tensor(g.astype(np.float64)))
    assert y.dtype == a.grad.dtype == dtype
    # eˣ carries the rounding of x − max x, an absolute error of eps·|x|
    magnitude = 1 + 2 * np.abs(x).max(dim, keepdims=True) + np.zeros(x.shape)
    assert_within_bound(y.detach().numpy(), expected.detach().numpy(), magnitude)
    assert_within_bound(a.grad.numpy(), b.grad.numpy(), magnitude * np.abs(g).sum(dim, keepdims=True))


def test_softmax_bad_arguments():
    for function in (F.softmax, F.log_softmax):
        with pytest.raises(IndexError, match="out of range"):
            function(np.zeros((2, 3), np.float32), 2)
        with pytest.raises(TypeError, match="float32"):
            function(np.zeros((2, 3), np.int64), 1)
        assert function(np.zeros((2, 3), np.int64), 1, dtype=minicnn.float64).dtype == minicnn.float64


def test_softmax_of_a_tensor_needs_a_dim():
    for function in (minicnn.softmax, minicnn.log_softmax):
        with pytest.raises(TypeError, match="dim"):
            function(np.zeros((2, 3), np.float32))


def test_gradcheck():
    rng = np.random.default_rng(0)
    x, w, b = (minicnn.as_tensor(rng.standard_normal(s)).requires_grad_() for s in [(2, 3, 4), (5, 4), (5,)])
    for function in (
        F.relu,
        F.leaky_relu,
        F.sigmoid,
        F.tanh,
        lambda x: F.softmax(x, 1),
        lambda x: F.log_softmax(x, 2),
    ):
        assert gradcheck(function, x)
    assert gradcheck(F.linear, [x, w, b])
    image = minicnn.as_tensor(rng.standard_normal((1, 2, 4, 4))).requires_grad_()
    for mode in ("constant", "reflect", "replicate", "circular"):
        assert gradcheck(lambda x, mode=mode: F.pad(x, (1, 2, 3, 0), mode), image)
    assert gradcheck(lambda x: F.unfold(x, 2, padding=1, stride=2), image)


@given(
    p=st.floats(0, 0.95),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 2**40),
    layout=layouts(),
)
def test_dropout_zeroes_or_scales_and_backward_uses_the_same_mask(p, shape, seed, layout):
    minicnn.manual_seed(seed)
    x = minicnn.as_tensor(lay_out(np.full(shape, 3, np.float32), layout)).requires_grad_()
    y = F.dropout(x, p)
    y.backward(np.full(shape, 5, np.float32))
    values = y.detach().numpy()
    kept = values != 0
    scale = np.float32(1 / (1 - p))
    np.testing.assert_array_equal(values[kept], 3 * scale)
    np.testing.assert_array_equal(x.grad.numpy(), np.where(kept, 5 * scale, 0))


def test_dropout_rate_independence_and_seed():
    minicnn.manual_seed(1)
    x = minicnn.ones(400_000)
    first, second = (F.dropout(x, 0.3).numpy() == 0 for _ in range(2))
    for mask in (first, second, first & second, first[1:] & first[:-1]):
        expected = 0.3 if mask is first or mask is second else 0.09
        assert abs(mask.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / mask.size)
    minicnn.manual_seed(1)
    np.testing.assert_array_equal(F.dropout(x, 0.3).numpy() == 0, first)


def test_dropout_edges():
    x = minicnn.ones(5)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 1.0).sum().item() == 0
    assert F.dropout(x, 0.0).sum().item() == 5
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            F.dropout(x, p)


@st.composite
def paddings(draw):
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    shape = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
    )
    low, high = (-2, 3) if mode == "constant" else (0, 3)
    return (
        shape,
        draw(st.lists(st.integers(low, high), min_size=4, max_size=4)),
        mode,
        draw(st.sampled_from([0.0, 2.5])),
    )


@given(case=paddings(), seed=st.integers(0, 99))
def test_pad_both_agree_or_both_raise(case, seed):
    shape, widths, mode, value = case
    value = value if mode == "constant" else None
    x = fill(shape, "integers", seed)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)
    try:
        expected = TF.pad(b, widths, mode, value)
    except (RuntimeError, ValueError):
        with pytest.raises(ValueError, match="pad"):
            F.pad(a, widths, mode, value)
        return
    y = F.pad(a, widths, mode, value)
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    g = fill(tuple(expected.shape), "integers", seed + 1)
    y.backward(g)
    expected.backward(torch.from_numpy(g))
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 2),
    stride=st.integers(1, 3),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 99),
)
def test_unfold_and_fold_agree_or_both_raise(kernel, dilation, padding, stride, size, seed):
    x = fill((2, 3, *size), "integers", seed)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)
    try:
        expected = TF.unfold(b, kernel, dilation, padding, stride)
    except RuntimeError:
        with pytest.raises(ValueError, match="larger than the padded input"):
            F.unfold(a, kernel, dilation, padding, stride)
        return
    y = F.unfold(a, kernel, dilation, padding, stride)
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    g = fill(tuple(expected.shape), "integers", seed + 1)
    y.backward(g)
    expected.backward(torch.from_numpy(g))
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())
    columns, reference = minicnn.as_tensor(g).requires_grad_(), torch.tensor(g, requires_grad=True)
    image = F.fold(columns, size, kernel, dilation, padding, stride)
    answer = TF.fold(reference, size, kernel, dilation, padding, stride)
    np.testing.assert_array_equal(image.detach().numpy(), answer.detach().numpy())
    image.backward(x)
    answer.backward(torch.from_numpy(x))
    np.testing.assert_array_equal(columns.grad.numpy(), reference.grad.numpy())


def test_fold_bad_shapes():
    for columns, size in [((1, 5, 4), (3, 3)), ((1, 4, 5), (3, 3)), ((4,), (3, 3))]:
        with pytest.raises(ValueError, match="fold"):
            F.fold(np.zeros(columns, np.float32), size, 2)
        with pytest.raises(RuntimeError):
            TF.fold(torch.zeros(columns), size, 2)


def test_one_hot():
    indices = np.array([[0, 2], [1, 1]])
    np.testing.assert_array_equal(F.one_hot(indices).numpy(), TF.one_hot(torch.from_numpy(indices)).numpy())
    np.testing.assert_array_equal(F.one_hot(indices, 5).numpy(), TF.one_hot(torch.from_numpy(indices), 5).numpy())
    for bad, classes in [(np.array([-1]), 3), (np.array([3]), 3), (np.array([], np.int64), -1)]:
        with pytest.raises(ValueError, match="one_hot"):
            F.one_hot(bad, classes)


@pytest.mark.parametrize("value", [1.0, True, (1, 1.0), [True, 1], "1"])
def test_a_size_is_refused_although_an_equal_one_was_taken(value):
    x, w = minicnn.zeros(1, 2, 5, 5), minicnn.zeros(2, 2, 1, 1)
    for taken in (1, (1, 1)):
        F.conv2d(x, w, stride=taken, padding=taken, dilation=taken)
        F.max_pool2d(x, taken, stride=taken, dilation=taken)
    for argument in ("stride", "padding", "dilation"):
        with pytest.raises(ValueError if (argument, value) == ("padding", "1") else TypeError):
            F.conv2d(x, w, **{argument: value})
    for argument in ("kernel_size", "stride", "dilation"):
        with pytest.raises(TypeError):
            F.max_pool2d(x, **{"kernel_size": 1, argument: value})


def test_linear_bad_shapes():
    for x, w, b in [((2, 3), (4, 5), None), ((2, 3), (2,), None), ((2, 3), (4, 3), (3,)), ((3,), (4, 3), (1, 4))]:
        arrays = [None if s is None else np.zeros(s, np.float32) for s in (x, w, b)]
        with pytest.raises(ValueError, match="linear"):
            F.linear(*arrays)
    with pytest.raises(TypeError, match="one dtype"):
        F.linear(np.zeros((2, 3), np.float32), np.zeros((4, 3)))
