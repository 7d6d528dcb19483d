"""Initialisation: the right distributions, in any memory order, from the generator that was named."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.nn import init


def channels_last(shape, dtype=np.float32):
    N, C, H, W = shape
    return minicnn.as_tensor(np.zeros((N, H, W, C), dtype).transpose(0, 3, 1, 2))


def distance(a, b):
    """Kolmogorov and Smirnov's: the largest difference between the distributions of two samples."""
    a, b = np.sort(a, axis=None), np.sort(b, axis=None)
    both = np.concatenate([a, b])
    return np.abs(
        np.searchsorted(a, both, side="right") / a.size - np.searchsorted(b, both, side="right") / b.size
    ).max()


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (70001,), (300, 301), (40, 21, 9, 9), (1, 70001)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_large_tensors_hold_what_one_draw_gives(shape, dtype):
    """Whichever way their elements lie in memory, and the stream goes on behind them."""
    inner = np.dtype("float64" if dtype == "float64" else "float32")
    for name, draw, arguments, scale, shift in (
        ("normal_", "standard_normal", (0.25, 2.0), 2.0, 0.25),
        ("uniform_", "random", (-1.0, 3.0), 4.0, -1.0),
    ):
        stream = np.random.default_rng(5)
        expected = (getattr(stream, draw)(shape, dtype=inner) * inner.type(scale) + inner.type(shift)).astype(dtype)
        for memory in (np.empty(shape, dtype), np.empty(shape[::-1], dtype).T):
            generator = minicnn.Generator()
            generator.manual_seed(5)
            x = minicnn.from_numpy(memory)
            getattr(init, name)(x, *arguments, generator=generator)
            assert np.array_equal(x.numpy(), expected)
            assert generator.numpy.bit_generator.state == stream.bit_generator.state


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("uniform_", {}),
        ("uniform_", {"a": -3.0, "b": 0.5}),
        ("normal_", {}),
        ("normal_", {"mean": 2.0, "std": 0.1}),
        ("trunc_normal_", {}),
        ("trunc_normal_", {"std": 0.02, "a": -0.03, "b": 0.01}),
        ("trunc_normal_", {"std": 0.02}),
        ("trunc_normal_", {"mean": 0.0, "std": 1.0, "a": 1.5, "b": 9.0}),
        ("trunc_normal_", {"mean": 1.0, "std": 2.0, "a": 0.9, "b": 1.2}),
        ("xavier_uniform_", {}),
        ("xavier_uniform_", {"gain": 2.5}),
        ("xavier_normal_", {"gain": 0.5}),
        ("kaiming_uniform_", {}),
        ("kaiming_uniform_", {"a": math.sqrt(5)}),
        ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
        ("kaiming_normal_", {"nonlinearity": "tanh"}),
        ("kaiming_normal_", {"a": 0.3, "mode": "FAN_OUT"}),
        ("orthogonal_", {"gain": 3.0}),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_distribution_is_pytorchs(name, arguments, dtype):
    shape = (16, 24, 5, 5) if name != "orthogonal_" else (60, 150)
    torch.manual_seed(0)
    theirs = torch.empty(shape, dtype=torch.from_numpy(np.zeros(1, dtype)).dtype)
    getattr(torch.nn.init, name)(theirs, **arguments)
    mine = minicnn.as_tensor(np.empty(shape, dtype))
    generator = minicnn.Generator().manual_seed(1)
    assert getattr(init, name)(mine, **arguments, generator=generator) is mine
    values = mine.numpy()
    assert distance(values, theirs.numpy()) < 2.3 * math.sqrt(2 / values.size)  # exceeded once in 20 000
    if "uniform" in name:
        spread = theirs.numpy()
        margin = 0.01 * (spread.max() - spread.min())
        assert spread.min() - margin < values.min() <= values.max() < spread.max() + margin


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.1, 0.1), (1.5, 9.0), (-2.0, -1.9)])
def test_bounds_hold_after_rounding(bounds):
    for draw in (init.uniform_, init.trunc_normal_):
        tensor = minicnn.as_tensor(np.empty(20000, np.float32))
        arguments = {"mean": sum(bounds) / 2} if draw is init.trunc_normal_ else {}
        draw(tensor, a=bounds[0], b=bounds[1], **arguments)
        assert np.float32(bounds[0]) <= tensor.numpy().min()
        assert tensor.numpy().max() <= np.float32(bounds[1])


def test_a_truncation_far_from_the_mean_warns_and_ends():
    tensor = minicnn.as_tensor(np.empty(1000, np.float64))
    with pytest.warns(UserWarning, match="mean is more than 2 std"):
        init.trunc_normal_(tensor, mean=0.0, std=1.0, a=30.0, b=31.0)
    assert ((tensor.numpy() >= 30) & (tensor.numpy() <= 31)).all()
    assert tensor.numpy().mean() < 30.1  # close to the mean's side, as a tail is


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_orthogonal(rows, columns, field, seed):
    tensor = channels_last((rows, columns, field, 1), np.float64)
    init.orthogonal_(tensor, gain=2.0, generator=minicnn.Generator().manual_seed(seed))
    matrix = tensor.numpy().reshape(rows, columns * field)
    gram = matrix @ matrix.T if rows <= columns * field else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (1, 1), (4, 4)])
def test_eye(shape):
    tensor = minicnn.as_tensor(np.full(shape[::-1], 7, np.float32).T)
    assert init.eye_(tensor) is tensor
    np.testing.assert_array_equal(tensor.numpy(), torch.nn.init.eye_(torch.empty(shape)).numpy())


@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
)
def test_dirac(groups, outputs, inputs, kernel):
    shape = (groups * outputs, inputs, *kernel)
    tensor = minicnn.as_tensor(np.full(shape[::-1], 7, np.float32).T)
    init.dirac_(tensor, groups)
    np.testing.assert_array_equal(tensor.numpy(), torch.nn.init.dirac_(torch.empty(shape), groups).numpy())


@pytest.mark.parametrize(("name", "arguments"), [("constant_", (0.3,)), ("ones_", ()), ("zeros_", ())])
def test_constants(name, arguments):
    tensor = channels_last((2, 3, 4, 5))
    tensor.requires_grad_()
    assert getattr(init, name)(tensor, *arguments) is tensor
    expected = getattr(torch.nn.init, name)(torch.empty(2, 3, 4, 5), *arguments)
    np.testing.assert_array_equal(tensor.detach().numpy(), expected.numpy())
    assert tensor.grad_fn is None


@pytest.mark.parametrize(
    "name", ["uniform_", "normal_", "trunc_normal_", "xavier_normal_", "kaiming_uniform_", "orthogonal_"]
)
def test_values_do_not_depend_on_memory_order(name):
    plain, last = minicnn.as_tensor(np.zeros((4, 3, 5, 2), np.float32)), channels_last((4, 3, 5, 2))
    for tensor in (plain, last):
        getattr(init, name)(tensor, generator=minicnn.Generator().manual_seed(3))
    np.testing.assert_array_equal(plain.numpy(), last.numpy())
    minicnn.manual_seed(3)
    getattr(init, name)(last)
    np.testing.assert_array_equal(plain.numpy(), last.numpy())  # the default generator, restarted


@pytest.mark.parametrize("nonlinearity", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("param", [None, 0.2, 1])
def test_gains_are_pytorchs(nonlinearity, param):
    assert init.calculate_gain(nonlinearity, param) == torch.nn.init.calculate_gain(nonlinearity, param)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_fans_are_pytorchs(shape):
    mine = init._calculate_fan_in_and_fan_out(minicnn.as_tensor(np.empty(shape, np.float32)))
    assert mine == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize(
    "call",
    [
        lambda i, t: i.calculate_gain("swish"),
        lambda i, t: i.calculate_gain("leaky_relu", True),
        lambda i, t: i.calculate_gain("leaky_relu", "steep"),
        lambda i, t: i.eye_(t(2, 2, 2)),
        lambda i, t: i.dirac_(t(2, 2)),
        lambda i, t: i.dirac_(t(3, 2, 1, 1), groups=2),
        lambda i, t: i.xavier_uniform_(t(3)),
        lambda i, t: i.xavier_normal_(t()),
        lambda i, t: i.kaiming_normal_(t(3)),
        lambda i, t: i.kaiming_uniform_(t(3, 3), mode="fan"),
        lambda i, t: i.kaiming_uniform_(t(3, 3), nonlinearity="swish"),
        lambda i, t: i.orthogonal_(t(3)),
        lambda i, t: i.normal_(t(3), std=-1.0),
        lambda i, t: i.uniform_(t(3), 2.0, 1.0),
    ],
)
def test_both_refuse(call):
    with pytest.raises((ValueError, RuntimeError)):
        call(torch.nn.init, lambda *shape: torch.empty(shape))
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the case's own)
        call(init, lambda *shape: minicnn.as_tensor(np.empty(shape, np.float32)))


def test_integers_and_arrays_are_refused():
    for draw in (init.uniform_, init.normal_, init.trunc_normal_, init.orthogonal_):
        with pytest.raises(TypeError, match="floating-point"):
            draw(minicnn.tensor([1, 2]))
    for change in (init.uniform_, init.orthogonal_, init.ones_, init.eye_, init.xavier_normal_, init.kaiming_normal_):
        with pytest.raises(TypeError, match="tensor must be a Tensor, got ndarray"):
            change(np.ones((2, 2), np.float32))


def test_nothing_to_initialise_warns():
    tensor = minicnn.as_tensor(np.empty((0, 3), np.float32))
    for draw in (init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.warns(UserWarning, match="no-op"):
            assert draw(tensor) is tensor
    assert init.orthogonal_(tensor) is tensor


def test_a_backward_notices():
    weight = minicnn.nn.Parameter(np.ones(3, np.float32))
    loss = (weight * weight).sum()
    init.zeros_(weight)
    with pytest.raises(RuntimeError, match="modified"):
        loss.backward()


@pytest.mark.parametrize(
    "layer",
    [
        "Linear(12, 400)",
        "Conv2d(6, 64, (3, 5), groups=2)",
        "ConvTranspose2d(64, 6, (3, 5), groups=2)",
        "BatchNorm2d(7)",
        "BatchNorm1d(7)",
    ],
)
def test_layers_start_as_pytorchs(layer):
    mine, theirs = eval(layer, vars(minicnn.nn)), eval(layer, vars(torch.nn))
    for name, parameter in theirs.state_dict().items():
        a, b = mine.state_dict()[name].numpy(), parameter.numpy()
        assert a.dtype == b.dtype
        if b.size > 100:
            assert distance(a, b) < 2.3 * math.sqrt(2 / b.size)
            assert np.abs(a).max() == pytest.approx(np.abs(b).max(), rel=0.05)
        elif "weight" in name or "running" in name or name.endswith("tracked"):
            np.testing.assert_array_equal(a, b)
        else:
            assert np.abs(a).max() <= 1.0
