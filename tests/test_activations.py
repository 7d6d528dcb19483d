"""Activations, softmax and the exponentials below them against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from agreement import assert_agrees, assert_same, examples, outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

import minicnn
import minicnn.nn as nn
import minicnn.nn.functional as F
from minicnn.kernels import exponential
from minicnn.testing.arrays import real_arrays
from minicnn.testing.bounds import assert_within_bound

SPECIAL = [0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan, 3.0, -3.0, 6.0, 20.5, 88.9, -88.9, -104.5, 750.0, -750.0]

ACTIVATIONS = {
    "relu": [{}],
    "relu6": [{}],
    "leaky_relu": [{}, {"negative_slope": 0.25}, {"negative_slope": -1.5}],
    "elu": [{}, {"alpha": 0.5}],
    "selu": [{}],
    "celu": [{}, {"alpha": 2.0}, {"alpha": -0.5}],
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "mish": [{}],
    "hardswish": [{}],
    "hardsigmoid": [{}],
    "hardtanh": [{}, {"min_val": -2, "max_val": 0.5}],
    "softplus": [{}, {"beta": 2, "threshold": 3}],
    "softsign": [{}],
    "tanhshrink": [{}],
    "softshrink": [{}, {"lambd": 0}],
    "hardshrink": [{}, {"lambd": 1.5}],
    "threshold": [{"threshold": 0.5, "value": -2}],
    "logsigmoid": [{}],
    "sigmoid": [{}],
    "tanh": [{}],
}
CASES = [(name, arguments) for name, several in ACTIVATIONS.items() for arguments in several]

shapes = st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17]), max_size=4).map(tuple)


@st.composite
def inputs(draw):
    """An array of any shape, order and float dtype, sometimes of special values."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    if draw(st.integers(0, 3)) == 0:
        return np.array(SPECIAL, dtype)
    return draw(real_arrays(draw(shapes), ("integers", "normals"), dtype))


@pytest.mark.parametrize(("name", "arguments"), CASES)
@settings(max_examples=examples(12))
@given(x=inputs(), seed=st.integers(0, 99))
def test_value_and_gradient(name, arguments, x, seed):
    """Within rounding of PyTorch in float64: of the result, and of the condition |x · f′(x)|."""
    slope = np.random.default_rng(seed).standard_normal(x.shape).astype(x.dtype)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x.astype(np.float64), requires_grad=True)
    y, exact = getattr(F, name)(a, **arguments), getattr(TF, name)(b, **arguments)
    assert y.dtype == minicnn.as_tensor(x).dtype
    y.backward(minicnn.as_tensor(slope))
    exact.backward(torch.from_numpy(slope.astype(np.float64)))
    with np.errstate(all="ignore"):
        expected = exact.detach().numpy().astype(x.dtype).astype(np.float64)  # overflows where float32 does
        by_x = b.grad.numpy().astype(x.dtype).astype(np.float64)
        size = np.nan_to_num(np.abs(x.astype(np.float64)))
        tiny = float(np.finfo(x.dtype).tiny) * (2 + size) ** 2
        condition = np.nan_to_num(np.abs(x * (by_x / slope)), nan=0)
        magnitude = np.nan_to_num(np.abs(expected)) + condition + size * (name in ("gelu", "tanhshrink")) + tiny
        gradient = (np.abs(slope) + np.nan_to_num(np.abs(by_x))) * (2 + size) + tiny
    assert_within_bound(y.detach().numpy(), expected, magnitude, name=name)
    assert_within_bound(a.grad.numpy(), by_x, gradient, name=f"gradient of {name}")


IN_PLACE = [
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
]


@pytest.mark.parametrize("name", IN_PLACE)
@settings(max_examples=examples(8))
@given(x=inputs())
def test_in_place(name, x):
    """The same values and gradients as out of place, written into the argument."""
    a, b = minicnn.as_tensor(x.copy()).requires_grad_(), minicnn.as_tensor(x.copy()).requires_grad_()
    y, changed = getattr(F, name)(a), b * 1
    assert getattr(F, name)(changed, inplace=True) is changed
    y.sum().backward()
    changed.sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), changed.detach().numpy())
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-5, atol=1e-6)


@given(
    name=st.sampled_from(["relu", "relu6", "hardtanh", "threshold", "softsign", "tanhshrink", "silu", "elu"]), n=shapes
)
def test_integers(name, n):
    """Some take integers and keep them, some promote, the others refuse."""
    x = np.random.default_rng(0).integers(-4, 9, n)
    arguments = (1, 5) if name == "threshold" else ()

    def program(module, x):
        functional = module.nn.functional
        return getattr(functional, name)(x, *arguments)

    assert_agrees(program, minicnn.as_tensor(x), rtol=1e-6)


@pytest.mark.parametrize("name", ["leaky_relu_", "elu_", "celu_", "selu_", "relu_", "hardtanh_", "threshold_"])
def test_names_with_underscore(name):
    arguments = (0.5, 2.0) if name == "threshold_" else ()

    def program(module, x):
        y = x * 2
        result = getattr(module.nn.functional, name)(y, *arguments)
        return [result, y]

    assert_agrees(program, minicnn.tensor([-1.5, 0.0, 0.25, 2.0], requires_grad=True), rtol=1e-6)


@pytest.mark.parametrize("arguments", [{"negative_slope": -0.5}, {"alpha": -0.5}])
def test_no_gradient_in_place_where_the_sign_is_lost(arguments):
    name = "leaky_relu" if "negative_slope" in arguments else "elu"

    def program(module, x):
        return getattr(module.nn.functional, name)(x * 2, **arguments, inplace=True)

    assert_agrees(program, minicnn.tensor([-1.5, 0.5], requires_grad=True))


WRONG = [
    lambda F, x: F.hardtanh(x, 2, 1),
    lambda F, x: F.softshrink(x, -1),
    lambda F, x: F.gelu(x, approximate="sigmoid"),
    lambda F, x: F.celu(x, 0),
    lambda F, x: F.elu(x, "a"),
    lambda F, x: F.threshold(x, 1e300, 0),
    lambda F, x: F.glu(x, 0),
    lambda F, x: F.glu(x[0, 0], 0),
    lambda F, x: F.glu(x, 2),
    lambda F, x: F.prelu(x, x[0, :2]),
    lambda F, x: F.prelu(x, x),
    lambda F, x: F.prelu(x, x[0, :1].double()),
    lambda F, x: F.rrelu(x, 0.5, 0.25),
    lambda F, x: F.softmax(x, 2),
    lambda F, x: F.silu(x.long()),
    lambda F, x: F.leaky_relu(x > 0),
]


@pytest.mark.parametrize("call", WRONG)
def test_wrong_arguments(call):
    x = np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
    ours, theirs = outcome(call, F, minicnn.as_tensor(x)), outcome(call, TF, torch.from_numpy(x))
    assert isinstance(theirs, Exception), theirs
    assert isinstance(ours, type(theirs).__mro__[-4] if isinstance(theirs, NotImplementedError) else type(theirs)), ours


@given(shape=st.lists(st.integers(0, 4), max_size=4).map(tuple), per_channel=st.booleans(), seed=st.integers(0, 9))
def test_prelu(shape, per_channel, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    channels = shape[1] if len(shape) > 1 else 1
    weight = rng.standard_normal(channels if per_channel else 1)
    assert_agrees(
        lambda module, x, w: module.nn.functional.prelu(x, w),
        minicnn.as_tensor(x).requires_grad_(),
        minicnn.as_tensor(weight).requires_grad_(),
        rtol=1e-12,
    )


@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple), dim=st.integers(-4, 3))
def test_glu(shape, dim):
    x = np.random.default_rng(0).standard_normal(shape)
    assert_agrees(lambda module, x: module.nn.functional.glu(x, dim), minicnn.as_tensor(x).requires_grad_(), rtol=1e-12)


def test_rrelu():
    """Slopes within the bounds in training, each element its own; the gradient is the slope."""
    x = minicnn.as_tensor(-np.ones(1000, np.float32)).requires_grad_()
    y = F.rrelu(x, 0.25, 0.5, training=True)
    y.sum().backward()
    slopes = x.grad.numpy()
    assert 0.25 <= slopes.min() < 0.27
    assert 0.48 < slopes.max() <= 0.5
    np.testing.assert_array_equal(y.detach().numpy(), -slopes)
    np.testing.assert_allclose(F.rrelu(x).detach().numpy(), -(1 / 8 + 1 / 3) / 2, rtol=1e-6)


def test_gumbel_softmax():
    """Rows add up to 1; hard ones are one-hot and keep the soft gradient; classes come as often as they are likely."""
    minicnn.manual_seed(0)
    logits = minicnn.as_tensor(np.log(np.tile([0.5, 0.3, 0.2], (4000, 1)))).requires_grad_()
    soft, hard = F.gumbel_softmax(logits, tau=0.5), F.gumbel_softmax(logits, hard=True)
    np.testing.assert_allclose(soft.detach().numpy().sum(1), 1)
    np.testing.assert_allclose(np.sort(hard.detach().numpy(), 1), np.tile([0.0, 0.0, 1.0], (4000, 1)), atol=1e-15)
    np.testing.assert_allclose(hard.detach().numpy().mean(0), [0.5, 0.3, 0.2], atol=0.05)
    (hard * minicnn.as_tensor(np.arange(3.0))).sum().backward()
    assert np.abs(logits.grad.numpy()).max() > 0


@st.composite
def softmaxes(draw):
    """An array of at least one dimension and an axis of it."""
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3, 9, 17, 70]), min_size=1, max_size=4).map(tuple))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = draw(real_arrays(shape, ("integers", "normals"), dtype))
    return x * dtype(draw(st.sampled_from([1, 30]))), draw(st.integers(0, len(shape) - 1))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@settings(max_examples=examples(20))
@given(case=softmaxes())
def test_softmax(name, case):
    x, dim = case
    slope = np.random.default_rng(0).standard_normal(x.shape).astype(x.dtype)
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x.astype(np.float64), requires_grad=True)
    y, exact = getattr(F, name)(a, dim), getattr(TF, name)(b, dim)
    y.backward(minicnn.as_tensor(slope))
    exact.backward(torch.from_numpy(slope.astype(np.float64)))
    expected, reach = exact.detach().numpy(), np.abs(x).max(initial=1)
    p = np.exp(expected) if name == "log_softmax" else expected
    if name == "log_softmax":
        magnitude = np.abs(x) + reach + np.abs(expected) + 1
    else:
        magnitude = expected * (np.abs(x) + reach + 1)
    tiny = float(np.finfo(x.dtype).tiny)
    sums = np.abs(slope if name == "log_softmax" else slope * p).sum(dim, keepdims=True)
    gradient = (np.abs(slope) * (1 if name == "log_softmax" else p) + p * sums) * (2 * reach + 2)
    gradient += tiny * (np.abs(slope) + sums)  # a probability among the subnormal numbers is off by eps · tiny
    assert_within_bound(y.detach().numpy(), expected, magnitude + tiny, name=name)
    assert_within_bound(a.grad.numpy(), b.grad.numpy(), gradient + tiny, name=f"gradient of {name}")


@pytest.mark.parametrize("K", [1, 5, 63, 64, 65, 200])
def test_softmax_of_special_values(K):
    """NaN and infinities make the rows that hold them NaN, −∞ beside numbers is 0; other rows don't notice."""
    x = np.zeros((5, K))
    x[0, K // 2], x[1, -1], x[2, 0] = np.nan, np.inf, -np.inf
    x[3] = -np.inf
    for dtype in (np.float32, np.float64):
        for array in (x.astype(dtype), np.asfortranarray(x.astype(dtype))):
            for name in ("softmax", "log_softmax"):
                ours, theirs = getattr(F, name)(minicnn.as_tensor(array), 1), getattr(TF, name)(torch.tensor(array), 1)
                assert_same(ours, theirs, 1e-6)


@pytest.mark.parametrize("ndim", range(5))
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_without_dim(name, ndim):
    """As PyTorch: a warning, and its old choice."""
    x = np.random.default_rng(0).standard_normal((2,) * ndim)
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        ours = getattr(F, name)(minicnn.as_tensor(x))
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        theirs = getattr(TF, name)(torch.from_numpy(x))
    assert_same(ours, theirs, 1e-12)


LAYERS = [
    "nn.ReLU()", "nn.ReLU(True)", "nn.ReLU6()", "nn.ReLU6(True)", "nn.PReLU()", "nn.PReLU(3, 0.5)", "nn.ELU()",
    "nn.ELU(0.5, True)", "nn.SELU(True)", "nn.CELU(2)", "nn.GELU()", "nn.GELU('tanh')", "nn.SiLU()", "nn.SiLU(True)",
    "nn.Mish()", "nn.Hardswish()", "nn.Hardsigmoid()", "nn.Hardtanh()", "nn.Hardtanh(-2, 2, True)", "nn.Softplus()",
    "nn.Softplus(2, 3)", "nn.Softsign()", "nn.Tanhshrink()", "nn.Softshrink()", "nn.Hardshrink(1)",
    "nn.Threshold(0.5, 2)", "nn.LogSigmoid()", "nn.Softmin(1)", "nn.Softmax2d()", "nn.Softmax(1)", "nn.LogSoftmax(1)",
    "nn.GLU(2)", "nn.RReLU()", "nn.RReLU(0.1, 0.3, True)", "nn.Sigmoid()", "nn.Tanh()", "nn.LeakyReLU(0.2, True)",
]  # fmt: skip


@pytest.mark.parametrize("source", LAYERS)
def test_layers(source):
    """Printed as PyTorch's, with the same attributes and state; the same forward in evaluation."""
    ours, theirs = eval(source, {"nn": nn}).eval(), eval(source, {"nn": torch.nn}).eval()
    assert repr(ours) == repr(theirs)
    for name, value in vars(theirs).items():
        if not name.startswith("_"):
            assert getattr(ours, name) == value, name
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    assert_same(ours(minicnn.tensor(x)), theirs(torch.tensor(x)), 1e-6)


def test_old_names_of_hardtanh():
    with pytest.warns(FutureWarning, match="min_val"):
        assert nn.Hardtanh(min_value=0).min_val == 0


EXACT = {
    "exp": (np.exp, -80, 80),
    "expm1": (np.expm1, -30, 0),
    "log1p": (np.log1p, 0, 1),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -80, 80),
    "tanh": (np.tanh, -30, 30),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials(name, dtype):
    """Within two units in the last place, near 0 and far from it."""
    exact, low, high = EXACT[name]
    rng = np.random.default_rng(0)
    near = 10.0 ** rng.uniform(-30, 0, 5000) * (1 if low == 0 else -1 if high == 0 else rng.choice([-1, 1], 5000))
    x = np.concatenate([rng.uniform(low, high, 5000), near]).astype(dtype)
    function = getattr(exponential, name)

    @njit(error_model="numpy")
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    expected = exact(x.astype(np.longdouble))
    assert np.all(np.abs(y - expected) <= 2 * np.finfo(dtype).eps * np.abs(expected))
