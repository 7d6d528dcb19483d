"""Sums stay accurate however many terms they have: float64 is the exact answer, PyTorch the measure of what is fair."""

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.kernels import sums

EPS = float(np.finfo(np.float32).eps)

VALUES = {
    "equal": lambda rng, shape: np.full(shape, 0.1),
    "around 1": lambda rng, shape: 1 + 1e-3 * rng.standard_normal(shape),
    "around 10⁴": lambda rng, shape: 1e4 + rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.random(shape),
    "alternating": lambda rng, shape: rng.random(shape) * (1 - 2 * (np.arange(np.prod(shape)).reshape(shape) % 2)),
    "normal": lambda rng, shape: rng.standard_normal(shape),
}
ALGORITHMS = ("naive", "im2col", "tiled", "packed", "registers", "implicit")


@st.composite
def arrays(draw, most=200_000, dtypes=(np.float32, np.float64)):
    """Arrays of any shape with some long axis, in any order of memory, with gaps, turned around or repeated."""
    ndim = draw(st.integers(1, 4))
    long = draw(st.integers(0, ndim - 1))
    shape = [draw(st.sampled_from([1, 2, 3, 7, 8, 9, 16, 33, 65])) for _ in range(ndim)]
    rest = int(np.prod(shape)) // shape[long]
    shape[long] = draw(st.integers(1, max(1, most // rest)))
    order = draw(st.permutations(range(ndim)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = VALUES[draw(st.sampled_from(sorted(VALUES)))](rng, [shape[axis] for axis in order])
    x = values.astype(draw(st.sampled_from(dtypes))).transpose(np.argsort(order))
    axis = draw(st.integers(0, ndim - 1))
    before = (slice(None),) * axis
    change = draw(st.sampled_from(["none", "none", "gaps", "turned", "repeated"]))
    if change == "gaps":
        x = x[(*before, slice(None, None, 2))]
    elif change == "turned":
        x = x[(*before, slice(None, None, -1))]
    elif change == "repeated":
        x = np.broadcast_to(x[(*before, slice(1))], x.shape)
    return x


@st.composite
def arrays_and_axes(draw, **options):
    x = draw(arrays(**options))
    axes = draw(st.sets(st.integers(0, x.ndim - 1), min_size=1))
    return x, tuple(axes)


def within(y, exact, size, factor=4.0):
    """|y − exact| ≤ factor · eps · size, where size is the sum of |terms|."""
    eps = float(np.finfo(y.dtype).eps)
    assert y.shape == np.shape(exact)
    error = np.abs(np.asarray(y, np.longdouble) - exact)
    assert (error <= factor * eps * size).all(), (error / (eps * np.maximum(size, 1e-300))).max()


@given(arrays_and_axes(), st.booleans())
def test_sum_and_mean_of_any_axes_and_order(case, keepdim):
    x, axes = case
    wide = x.astype(np.longdouble)
    exact, size = wide.sum(axes, keepdims=keepdim), np.abs(wide).sum(axes, keepdims=keepdim)
    tensor = minicnn.as_tensor(x)
    within(tensor.sum(axes, keepdim).numpy(), exact, size, 4)
    count = np.prod([x.shape[axis] for axis in axes])
    within(tensor.mean(axes, keepdim).numpy(), exact / count, size / count, 4)
    assert tensor.sum(axes, keepdim).dtype == x.dtype


@given(arrays_and_axes(most=20_000))
def test_small_integers_add_up_exactly(case):
    x, axes = case
    x = np.round(x * 3) % 5
    np.testing.assert_array_equal(minicnn.as_tensor(x).sum(axes).numpy(), x.astype(np.float64).sum(axes))


@given(arrays_and_axes(most=50_000), st.sampled_from([0, 1, 2.5]))
def test_var_and_std(case, correction):
    x, axes = case
    wide = x.astype(np.longdouble)
    count = int(np.prod([x.shape[axis] for axis in axes]))
    if count <= correction:
        return
    mean = wide.mean(axes, keepdims=True)
    squares = ((wide - mean) ** 2).sum(axes)
    tensor = minicnn.as_tensor(x)
    variance = tensor.var(axes, correction=correction).numpy()
    eps = float(np.finfo(x.dtype).eps)
    shift = 4 * float(np.finfo(np.float64).eps) * np.abs(mean).reshape(squares.shape)  # of the float64 mean
    exact, spread = squares / (count - correction), np.abs(wide - mean).sum(axes) / (count - correction)
    shifted = 2 * shift * spread + count / (count - correction) * shift**2
    assert (np.abs(variance - exact) <= 8 * eps * exact + shifted).all()
    np.testing.assert_allclose(tensor.std(axes, correction=correction).numpy(), np.sqrt(variance), rtol=4 * eps)


@pytest.mark.parametrize("rows", [9, 16, 31])
def test_var_of_columns_that_are_added_eight_rows_at_a_time(rows):
    """The sum of eight float32 numbers around 10⁴, rounded once, put the mean off by 10⁻³."""
    x = (1e4 + np.random.default_rng(0).standard_normal((rows, 128))).astype(np.float32)
    np.testing.assert_allclose(minicnn.as_tensor(x).var(0).numpy(), x.astype(np.float64).var(0, ddof=1), rtol=2e-7)


@pytest.mark.parametrize("values", sorted(VALUES))
def test_gradient_of_var_and_std(values):
    x = VALUES[values](np.random.default_rng(0), (500, 3)).astype(np.float32)
    for name in ("var", "std"):
        ours, theirs = minicnn.tensor(x, requires_grad=True), torch.tensor(x, dtype=torch.float64, requires_grad=True)
        getattr(ours, name)(0).sum().backward()
        getattr(theirs, name)(0).sum().backward()
        tolerance = 8 * EPS * np.abs(x).max() / (1 if name == "var" or values == "equal" else x.std())
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("correction", [0, 1, 2, 3])
def test_var_of_few_elements(n, correction):
    x = np.arange(3 * n, dtype=np.float32).reshape(3, n)
    with pytest.warns(UserWarning, match="degrees of freedom") if n <= correction else _nothing():
        expected = torch.from_numpy(x).var(1, correction=correction)
    np.testing.assert_array_equal(minicnn.tensor(x).var(1, correction=correction).numpy(), expected.numpy())


def _nothing():
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize("values", [[np.inf, 1], [np.inf, -np.inf], [np.nan, 1], [-np.inf, 1]])
@pytest.mark.parametrize("n", [3, 40, 5000])
def test_infinity_and_nan(values, n):
    x = np.ones((n, 3), np.float32)
    x[: len(values), 1] = values
    ours, theirs = minicnn.tensor(x), torch.from_numpy(x)
    for name in ("sum", "mean", "var", "std"):
        for dim in (0, 1, (0, 1)):
            np.testing.assert_array_equal(getattr(ours, name)(dim).numpy(), getattr(theirs, name)(dim).numpy())


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("dim", [0, 1, (0, 1)])
def test_nothing_adds_up_to_zero(shape, dim):
    x = np.empty(shape, np.float32)
    np.testing.assert_array_equal(minicnn.tensor(x).sum(dim).numpy(), torch.from_numpy(x).sum(dim).numpy())
    np.testing.assert_array_equal(minicnn.tensor(x).mean(dim).numpy(), torch.from_numpy(x).mean(dim).numpy())


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "bool"])
def test_integers_add_up_as_int64(dtype):
    x = (np.arange(4000).reshape(1000, 4) * 7).astype(dtype)
    np.testing.assert_array_equal(minicnn.tensor(x).sum(0).numpy(), torch.from_numpy(x).sum(0).numpy())
    wraps = np.full(3, 2**62, np.int64)
    assert minicnn.tensor(wraps).sum().item() == torch.from_numpy(wraps).sum().item()


@given(arrays_and_axes(most=50_000, dtypes=(np.float32,)))
def test_gradient_of_broadcasting_and_expansion(case):
    g, axes = case
    shape = [1 if axis in axes else size for axis, size in enumerate(g.shape)]
    wide = g.astype(np.longdouble)
    exact, size = wide.sum(axes, keepdims=True), np.abs(wide).sum(axes, keepdims=True)
    for use in (lambda b: b + minicnn.zeros(*g.shape), lambda b: b.expand(*g.shape)):
        b = minicnn.zeros(*shape, requires_grad=True)
        use(b).backward(minicnn.as_tensor(g))
        within(b.grad.numpy(), exact, size)


def test_result_is_the_same_for_any_number_of_threads():
    x = np.random.default_rng(0).standard_normal((300_000, 3), np.float32)
    before = minicnn.get_num_threads()
    try:
        minicnn.set_num_threads(1)
        one = sums.over(x, (0,))
    finally:
        minicnn.set_num_threads(before)
    np.testing.assert_array_equal(sums.over(x, (0,)), one)


def values_and_gradients(library, function, inputs, grad_output, dtype):
    """The function's value and its gradients, as arrays."""
    if library is torch:
        tensors = [torch.tensor(a, dtype=dtype, requires_grad=True) for a in inputs]
        y = function(TF, *tensors)
        y.backward(torch.tensor(grad_output(y.shape), dtype=dtype))
    else:
        tensors = [minicnn.tensor(a, requires_grad=True) for a in inputs]
        y = function(F, *tensors)
        y.backward(minicnn.tensor(grad_output(tuple(y.shape))))
    return [np.asarray(t.detach().numpy()) for t in (y, *[t.grad for t in tensors])]


def check_against_float64(function, shapes, values, ours=None, factor=8.0):
    """Values and gradients within `factor` · eps · sum of |terms|, or four times PyTorch's own error."""

    def draw(shape, seed):
        return np.asarray(VALUES[values](np.random.default_rng(seed), tuple(shape)), np.float32)

    inputs = [draw(shape, seed) for seed, shape in enumerate(shapes)]
    found = values_and_gradients(minicnn, ours or function, inputs, lambda shape: draw(shape, 99), None)
    theirs = values_and_gradients(torch, function, inputs, lambda shape: draw(shape, 99), torch.float32)
    exact = values_and_gradients(torch, function, inputs, lambda shape: draw(shape, 99), torch.float64)
    sizes = values_and_gradients(
        torch, function, [np.abs(a) for a in inputs], lambda shape: np.abs(draw(shape, 99)), torch.float64
    )
    for y, t, e, size in zip(found, theirs, exact, sizes, strict=True):
        error, fair = np.abs(y - e).max(), np.abs(t - e).max()
        assert ((np.abs(y - e) <= factor * EPS * size) | (error <= 4 * fair + 2 * EPS * size)).all(), (
            (np.abs(y - e) / (EPS * size)).max(),
            error / fair,
        )


PRODUCTS = {
    "matmul": (lambda _, a, b: a @ b, [(3, 100_000), (100_000, 4)]),
    "matmul of a stack": (lambda _, a, b: a @ b, [(2, 3, 20_000), (2, 20_000, 4)]),
    "dot": (lambda _, a, b: (a @ b).reshape(1), [(300_000,), (300_000,)]),
    "vector by matrix": (lambda _, a, b: a @ b, [(20_000,), (20_000, 7)]),
    "matrix by vector": (lambda _, a, b: a @ b, [(7, 20_000), (20_000,)]),
    "transposed": (lambda _, a, b: a.T @ b.T, [(20_000, 7), (5, 20_000)]),
    "linear": (lambda f, x, w, b: f.linear(x, w, b), [(3, 100_000), (4, 100_000), (4,)]),
    "linear, many rows": (lambda f, x, w, b: f.linear(x, w, b), [(100_000, 3), (4, 3), (4,)]),
    "linear, wide": (lambda f, x, w, b: f.linear(x, w, b), [(17, 700), (1100, 700), (1100,)]),
    "average": (lambda f, x: f.avg_pool2d(x, 60, 1), [(2, 3, 70, 75)]),
    "average with gaps": (lambda f, x: f.avg_pool2d(x, (50, 3), (20, 2), (25, 1)), [(2, 17, 150, 20)]),
    "adaptive average": (lambda f, x: f.adaptive_avg_pool2d(x, (2, 3)), [(2, 3, 200, 301)]),
    "global average": (lambda f, x: f.adaptive_avg_pool2d(x, 1), [(2, 65, 100, 100)]),
}


@pytest.mark.parametrize("values", sorted(VALUES))
@pytest.mark.parametrize("name", sorted(PRODUCTS))
def test_long_products(name, values):
    function, shapes = PRODUCTS[name]
    check_against_float64(function, shapes, values, factor=16.0 if values == "equal" else 8.0)


CONVOLUTIONS = {
    "deep": ([(2, 256, 6, 6), (5, 256, 3, 3), (5,)], {"padding": 1}),
    "large kernel": ([(1, 2, 64, 64), (3, 2, 60, 60), (3,)], {}),
    "many positions": ([(4, 2, 100, 100), (3, 2, 3, 3), (3,)], {"padding": 1}),
    "many weights": ([(4, 32, 40, 40), (64, 32, 3, 3), (64,)], {"padding": 1}),
    "grouped": ([(4, 4, 60, 60), (8, 1, 3, 3), (8,)], {"groups": 4}),
    "depthwise": ([(2, 32, 40, 300), (32, 1, 3, 3), (32,)], {"padding": 1, "groups": 32}),
    "long row": ([(1, 1, 1, 100_000), (2, 1, 1, 3), (2,)], {}),
    "one by one": ([(2, 600, 20, 20), (3, 600, 1, 1), (3,)], {}),
}


@pytest.mark.parametrize("values", sorted(VALUES))
@pytest.mark.parametrize("name", sorted(CONVOLUTIONS))
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_long_convolutions(algorithm, name, values):
    shapes, options = CONVOLUTIONS[name]
    ours = functools.partial(convolve, algorithm=algorithm, **options)
    check_against_float64(functools.partial(convolve, **options), shapes, values, ours, 16.0)


def convolve(f, x, weight, bias, **options):
    return f.conv2d(x, weight, bias, **options)


@pytest.mark.parametrize("values", sorted(VALUES))
def test_long_transposed_convolution(values):
    check_against_float64(
        lambda f, x, w, b: f.conv_transpose2d(x, w, b, padding=1), [(4, 3, 60, 60), (3, 4, 3, 3), (4,)], values
    )


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
def test_gradient_with_respect_to_weight_of_the_fast_algorithms(algorithm):
    """Their errors have no bound by the terms, but they must not grow with their number."""
    x, g = np.full((16, 4, 64, 64), 0.1, np.float32), np.full((16, 4, 64, 64), 0.1, np.float32)
    weight = minicnn.zeros(4, 4, 3, 3, requires_grad=True)
    F.conv2d(minicnn.tensor(x), weight, padding=1, algorithm=algorithm).backward(minicnn.tensor(g))
    exact = torch.zeros(4, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    TF.conv2d(torch.from_numpy(x).double(), exact, padding=1).backward(torch.from_numpy(g).double())
    np.testing.assert_allclose(weight.grad.numpy(), exact.grad.numpy(), rtol=32 * EPS)


LOSSES = {
    "mse": lambda f, x, y: f.mse_loss(x, y, reduction="sum"),
    "mse, mean": lambda f, x, y: f.mse_loss(x, y),
    "l1": lambda f, x, y: f.l1_loss(x, y),
    "softmax": lambda f, x, y: f.softmax(x, 0) * y,
    "log softmax": lambda f, x, y: f.log_softmax(x, 0) * y,
}


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("values", ["equal", "around 1", "positive", "normal"])
def test_losses_of_many_elements(name, values):
    shape = (200_000, 2)
    rng = np.random.default_rng(0)
    x, y = (VALUES[values](rng, shape).astype(np.float32) for _ in range(2))
    y = y + np.float32(0.5)
    ours = LOSSES[name](F, minicnn.tensor(x), minicnn.tensor(y)).numpy()
    exact = LOSSES[name](TF, torch.from_numpy(x).double(), torch.from_numpy(y).double()).numpy()
    np.testing.assert_allclose(ours, exact, rtol=16 * EPS, atol=16 * EPS * np.abs(exact).max())


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_norm_of_many_gradients(order):
    parameters = [minicnn.nn.Parameter(minicnn.zeros(*shape)) for shape in [(1000, 700), (3, 100_000), (5,)]]
    for parameter in parameters:
        parameter.grad = minicnn.full(tuple(parameter.shape), 0.1)
    count = sum(parameter.numel() for parameter in parameters)
    norm = minicnn.nn.utils.clip_grad_norm_(parameters, 1e9, order).item()
    np.testing.assert_allclose(norm, np.float64(np.float32(0.1)) * count ** (1 / order), rtol=16 * EPS)


@pytest.mark.slow
def test_twenty_million_terms():
    n = 2 * 10**7
    assert minicnn.ones(n, 2).sum(0).tolist() == [n, n]
    b = minicnn.zeros(1, 2, requires_grad=True)
    b.expand(n, 2).backward(minicnn.ones(n, 2))
    assert b.grad.tolist() == [[n, n]]
    tenth = minicnn.full((n,), 0.1)
    exact = n * np.float64(np.float32(0.1))
    np.testing.assert_allclose([tenth.sum().item(), n * tenth.mean().item()], exact, rtol=2 * EPS)
    np.testing.assert_allclose((tenth @ minicnn.ones(n)).item(), exact, rtol=8 * EPS)
    weight = minicnn.full((1, n), 0.1)
    np.testing.assert_allclose(F.linear(minicnn.ones(1, n), weight).item(), exact, rtol=16 * EPS)
