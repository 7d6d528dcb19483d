"""Products, norms, extremes, scans and statistics against torch: values, gradients, dtypes, errors."""

import numpy as np
import pytest
from agreement import assert_agrees
from hypothesis import given, settings
from hypothesis import strategies as st
from test_operators import SPECIAL, TIES, dims, one_dim, tensors

import minicnn
from minicnn.testing import assert_within_bound

SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 9]), max_size=3).map(tuple)
WHOLE = st.integers(-2, 2).map(float)
FEW = settings(max_examples=max(settings().max_examples // 2, 10))
ORDERS = (0, 1, 2, 3.0, 0.5, -1, float("inf"), -float("inf"))


@FEW
@given(st.data(), tensors(SHAPES, WHOLE, dtype="float64"))
def test_products_with_zeros_among_the_factors(data, x):
    dim, keepdim = data.draw(one_dim(x.ndim)), data.draw(st.booleans())
    assert_agrees(lambda m, x: m.prod(x, dim, keepdim), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.prod(x), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.cumprod(x, dim), x, rtol=1e-9)
    assert_agrees(lambda m, x: m.prod(x.long()), x.detach())


@FEW
@given(st.data(), tensors(SHAPES, st.one_of(WHOLE, TIES), dtype="float64"), st.sampled_from(ORDERS))
def test_norms(data, x, p):
    dim, keepdim = data.draw(dims(x.ndim)), data.draw(st.booleans())
    assert_agrees(lambda m, x: m.linalg.vector_norm(x, p, dim, keepdim), x, rtol=1e-12)
    assert_agrees(lambda m, x: x.norm(p, dim, keepdim), x, rtol=1e-12)
    if p in (1, 2, float("inf")):
        assert_agrees(lambda m, x: m.renorm(x, p, 0, 1.0), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.dist(x, x.detach() + 1, p), x, rtol=1e-12)


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, float("inf"), -float("inf"), 3, "foo"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3), (5,)])
def test_matrix_norms(order, shape):
    x = minicnn.tensor(np.random.default_rng(0).standard_normal(shape)).requires_grad_()
    assert_agrees(lambda m, x: m.linalg.matrix_norm(x, order), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.linalg.norm(x, order, (-2, -1), True), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.linalg.norm(x, order), x, rtol=1e-12)


@FEW
@given(st.data(), tensors(SHAPES, st.one_of(TIES, SPECIAL)))
def test_extremes_share_among_equals(data, x):
    dim, keepdim = data.draw(dims(x.ndim)), data.draw(st.booleans())
    one = data.draw(st.one_of(st.none(), one_dim(x.ndim)))
    for name in ("amax", "amin"):
        assert_agrees(lambda m, x, name=name: getattr(m, name)(x, () if dim is None else dim, keepdim), x)
    assert_agrees(lambda m, x: tuple(m.aminmax(x, dim=one, keepdim=keepdim)), x)
    assert_agrees(lambda m, x: [m.count_nonzero(x, dim), m.nansum(x, dim, keepdim)], x)
    for name in ("all", "any"):
        assert_agrees(lambda m, x, name=name: getattr(m, name)(x, () if dim is None else dim, keepdim), x)


@FEW
@given(st.data(), tensors(SHAPES, st.one_of(TIES, SPECIAL), dtype="float64"))
def test_logarithms_of_sums(data, x):
    axes = data.draw(st.one_of(one_dim(x.ndim), st.lists(one_dim(x.ndim), min_size=1, max_size=2).map(tuple)))
    assert_agrees(lambda m, x: m.logsumexp(x, axes), x, rtol=1e-12)
    assert_agrees(lambda m, x: m.nanmean(x), x, rtol=1e-12)


@FEW
@given(st.data(), tensors(SHAPES, WHOLE))
def test_scans(data, x):
    dim, n = data.draw(one_dim(x.ndim)), data.draw(st.integers(-1, 3))
    assert_agrees(lambda m, x: m.cumsum(x, dim), x)
    assert_agrees(lambda m, x: (x * 1).cumsum_(dim), x)
    assert_agrees(lambda m, x: m.cumsum(x.long(), dim, dtype=m.float64), x.detach())
    assert_agrees(lambda m, x: m.logcumsumexp(x, dim), x, rtol=1e-5)
    assert_agrees(lambda m, x: m.diff(x, n, dim), x)
    assert_agrees(lambda m, x: m.diff(x > 0, 1, dim), x)
    assert_agrees(lambda m, x: [m.diff(x, 1, dim, x, x * 2)], x)


@FEW
@given(st.data(), st.integers(1, 4), st.integers(2, 9))
def test_statistics(data, V, N):
    x = data.draw(tensors((V, N), WHOLE, dtype="float64"))
    correction = data.draw(st.integers(0, 2))
    assert_agrees(lambda m, x: m.std_mean(x, 1, correction=correction), x, rtol=1e-9)
    assert_agrees(lambda m, x: m.var_mean(x, 0, False, True), x, rtol=1e-12)
    if correction < N:
        assert_agrees(lambda m, x: m.cov(x, correction=correction), x, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sums_stay_accurate(dtype):
    """A million terms, added up in float64 or pairwise: within 4 eps of the sum of their absolute values."""
    terms = np.random.default_rng(0).random(2**20).astype(dtype)
    x, exact = minicnn.from_numpy(terms), terms.astype(np.longdouble)
    assert_within_bound(minicnn.nansum(x).numpy(), np.float64(exact.sum()), np.float64(exact.sum()))
    assert_within_bound(minicnn.norm(x, 1).numpy(), np.float64(exact.sum()), np.float64(exact.sum()))
    root = np.float64(np.sqrt((exact**2).sum()))
    assert_within_bound(minicnn.norm(x).numpy(), root, root)
    if dtype == "float32":
        running = np.cumsum(exact).astype(np.float64)
        assert_within_bound(minicnn.cumsum(x, 0).numpy(), running, running)
