"""Selecting, scattering, sorting and searching against torch: values, gradients, dtypes, errors."""

import numpy as np
import pytest
import torch
from agreement import assert_agrees
from hypothesis import given, settings
from hypothesis import strategies as st
from test_operators import SPECIAL, TIES, one_dim, tensors

import minicnn

SIZES = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17])
SHAPES = st.lists(st.sampled_from([1, 2, 3, 7, 8, 9]), min_size=1, max_size=3).map(tuple)
WHOLE = st.integers(-3, 3).map(float)
FEW = settings(max_examples=max(settings().max_examples // 3, 10))


@st.composite
def with_index(draw, out_of_range=True):
    """A tensor of whole numbers, a dim, and an index for gather: no larger than the tensor but along the dim."""
    shape = draw(SHAPES)
    x = draw(tensors(shape, WHOLE))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [draw(st.integers(0 if draw(st.booleans()) else n, n)) for n in shape]
    sizes[dim] = draw(SIZES)
    count = int(np.prod(sizes))
    numbers = draw(st.lists(st.integers(0, shape[dim] - 1), min_size=count, max_size=count))
    if out_of_range and count and draw(st.integers(0, 19)) == 0:
        numbers[0] = draw(st.sampled_from([-1, shape[dim]]))
    return x, dim, minicnn.tensor(np.array(numbers, np.int64).reshape(sizes))


def like_index(draw, x, index):
    """A source of the index's shape and the tensor's dtype."""
    return draw(tensors(tuple(index.shape), WHOLE, dtype=x.dtype))


@FEW
@given(with_index())
def test_gather(case):
    x, dim, index = case
    assert_agrees(lambda m, x, index: m.gather(x, dim, index), x, index)


@FEW
@given(st.data(), with_index())
def test_scatter_add(data, case):
    """Places that occur several times get every term, and pass back every gradient."""
    x, dim, index = case
    source = like_index(data.draw, x, index)
    assert_agrees(lambda m, x, i, s: m.scatter_add(x, dim, i, s), x, index, source)
    assert_agrees(lambda m, x, i, s: (x * 1).scatter_add_(dim, i, s), x, index, source)


@FEW
@given(st.data(), with_index(), st.sampled_from(["sum", "prod", "mean", "amax", "amin"]), st.booleans())
def test_scatter_reduce(data, case, reduce, include_self):
    x, dim, index = case
    source = like_index(data.draw, x, index)
    with_rounding = 0.0 if reduce not in ("mean", "prod") else 16 * np.finfo(x.dtype).eps * 3.0**17
    assert_agrees(
        lambda m, x, i, s: m.scatter_reduce(x, dim, i, s, reduce, include_self=include_self),
        x, index, source, rtol=with_rounding if reduce == "prod" else min(with_rounding, 1e-5),
    )  # fmt: skip


@FEW
@given(st.data(), with_index())
def test_scatter(data, case):
    """Each place at most once: which of several values stays is left open."""
    x, dim, index = case
    array = np.asarray(index)
    if array.size:
        array = np.take(array, [0], dim)
    index = minicnn.tensor(array)
    source = like_index(data.draw, x, index)
    assert_agrees(lambda m, x, i, s: m.scatter(x, dim, i, s), x, index, source)
    assert_agrees(lambda m, x, i: (x * 1).scatter_(dim, i, 2.5), x, index)
    assert_agrees(lambda m, x, i: m.scatter(x, dim, i, 3, reduce="add").detach(), x, index)


@st.composite
def with_rows(draw):
    """A tensor, a dim, indices along it, and a source for index_add."""
    shape = draw(SHAPES)
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    numbers = draw(st.lists(st.integers(0, shape[dim] - 1), max_size=17))
    sizes = list(shape)
    sizes[dim] = len(numbers)
    x = draw(tensors(shape, WHOLE))
    return x, dim, minicnn.tensor(np.array(numbers, np.int64)), draw(tensors(tuple(sizes), WHOLE, dtype=x.dtype))


@FEW
@given(with_rows(), st.sampled_from([1, -2, 0.5]))
def test_rows(case, alpha):
    x, dim, index, source = case
    assert_agrees(lambda m, x, i: m.index_select(x, dim, i), x, index)
    assert_agrees(lambda m, x, i, s: m.index_add(x, dim, i, s, alpha=alpha), x, index, source)
    assert_agrees(lambda m, x, i: m.index_fill(x, dim, i, 2.5), x, index)
    assert_agrees(lambda m, x, i, s: (x * 1).index_add_(dim, i, s), x, index, source)
    once = np.unique(np.asarray(index))
    part = minicnn.tensor(np.take(np.asarray(x.detach()), once, dim) + 1).requires_grad_()
    assert_agrees(lambda m, x, i, s: m.index_copy(x, dim, i, s), x, minicnn.tensor(once), part)


@FEW
@given(st.data(), tensors(elements=WHOLE))
def test_masks(data, x):
    """Masks that broadcast, and those that don't."""
    shape = tuple(data.draw(st.sampled_from([n, n, 1])) for n in x.shape)[data.draw(st.integers(0, x.ndim)) :]
    if data.draw(st.integers(0, 9)) == 0:
        shape = (*shape, 5)
    count = int(np.prod(shape))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), bool).reshape(shape)
    holds = minicnn.as_tensor(mask)
    assert_agrees(lambda m, x, k: m.masked_fill(x, k, 2), x, holds)
    assert_agrees(lambda m, x, k: m.masked_select(x, k), x, holds)
    assert_agrees(lambda m, x, k: (x * 1).masked_fill_(k, 0.5), x, holds)
    source = data.draw(tensors((40,), WHOLE, dtype=x.dtype))
    assert_agrees(lambda m, x, k, s: m.masked_scatter(x, k, s), x, holds, source)
    assert_agrees(lambda m, x: [m.nonzero(x), *m.nonzero(x, as_tuple=True), m.argwhere(x)], x)


@FEW
@given(st.data(), tensors(SHAPES, WHOLE))
def test_flat_places(data, x):
    n = x.numel()
    index = minicnn.tensor(np.array(data.draw(st.lists(st.integers(-n, n), max_size=9)), np.int64))
    assert_agrees(lambda m, x, i: m.take(x, i), x, index)
    assert_agrees(
        lambda m, x, i, v: (x * 1).index_put_((i,), v, accumulate=True), x[0].detach(), index, x.sum().detach()
    )


@FEW
@given(st.data(), tensors(elements=st.one_of(TIES, SPECIAL)))
def test_order(data, x):
    """Sorting keeps the order of equal elements; NaN is larger than everything."""
    dim, descending = data.draw(one_dim(x.ndim)), data.draw(st.booleans())
    assert_agrees(lambda m, x: tuple(m.sort(x, dim=dim, descending=descending, stable=True)), x)
    assert_agrees(lambda m, x: m.argsort(x, dim=dim, descending=descending, stable=True), x)
    assert_agrees(lambda m, x: m.msort(x).detach(), x)
    assert_agrees(lambda m, x: m.median(x), x)
    assert_agrees(lambda m, x: m.nanmedian(x), x)


@FEW
@given(st.data(), SHAPES)
def test_elements_found_by_order(data, shape):
    """All different, since the index of one of several equal elements is left open."""
    count = int(np.prod(shape))
    numbers = np.array(data.draw(st.permutations(range(count))), np.float64).reshape(shape)
    x = minicnn.tensor(numbers).requires_grad_()
    dim, keepdim = data.draw(one_dim(len(shape))), data.draw(st.booleans())
    k, largest = data.draw(st.integers(-1, 10)), data.draw(st.booleans())
    assert_agrees(lambda m, x: tuple(m.topk(x, k, dim, largest)), x)
    for name in ("median", "nanmedian", "mode"):
        assert_agrees(lambda m, x, name=name: tuple(getattr(m, name)(x, dim, keepdim)), x)
    assert_agrees(lambda m, x: tuple(m.kthvalue(x, k, dim, keepdim)), x)
    for name in ("cummax", "cummin", "max", "min"):
        assert_agrees(lambda m, x, name=name: tuple(getattr(m, name)(x, dim)), x)
    q = data.draw(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5]))
    interpolation = data.draw(st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]))
    for name in ("quantile", "nanquantile"):
        assert_agrees(
            lambda m, x, name=name: getattr(m, name)(x, q, dim, keepdim, interpolation=interpolation), x, rtol=1e-12
        )


@FEW
@given(st.data(), tensors(elements=st.one_of(TIES, SPECIAL), requires_grad=False))
def test_distinct_elements(data, x):
    inverse, counts = data.draw(st.booleans()), data.draw(st.booleans())
    dim = data.draw(st.one_of(st.none(), one_dim(x.ndim)))
    several = np.isnan(np.asarray(x)).sum() > 1  # torch tells which of several NaN is which as it pleases
    assert_agrees(lambda m, x: m.unique(x, return_inverse=inverse and not several, return_counts=counts), x)
    assert_agrees(lambda m, x: m.unique_consecutive(x, return_inverse=inverse, return_counts=counts, dim=dim), x)
    if not np.isnan(np.asarray(x)).any():  # nor is there an order of rows with NaN
        assert_agrees(lambda m, x: m.unique(x, True, inverse, counts, dim), x)


@FEW
@given(tensors(st.integers(0, 17).map(lambda n: (n,)), WHOLE, requires_grad=False), st.data())
def test_counting_and_searching(x, data):
    right = data.draw(st.booleans())
    values = data.draw(tensors(elements=st.one_of(WHOLE, SPECIAL), dtype=x.dtype, requires_grad=False))
    assert_agrees(lambda m, x, v: m.searchsorted(m.sort(x)[0], v, right=right), x, values)
    assert_agrees(lambda m, x, v: m.bucketize(v, m.sort(x)[0], right=right, out_int32=True), x, values)
    assert_agrees(lambda m, x, v: m.isin(v, x, invert=right), x, values)
    bins, low, high = data.draw(st.integers(0, 5)), data.draw(st.integers(-2, 2)), data.draw(st.integers(-2, 2))
    assert_agrees(lambda m, x: m.histc(x, bins, low, high), x)
    assert_agrees(lambda m, x: m.bincount((x + 3).long(), minlength=bins), x)
    assert_agrees(lambda m, x: m.bincount((x + 3).long(), weights=x), x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_terms_on_one_place_are_added_accurately(dtype):
    """An index gradient of a million equal terms: one float32 accumulator would be off by a percent."""
    n, exact = 2**20, 2**20 * float(np.float32(0.1))
    terms = np.full(n, np.float32(0.1), dtype)
    index = minicnn.zeros(n, dtype=minicnn.int64)
    allowed = 4 * np.finfo(dtype).eps * exact
    for select in (
        lambda x: x[index],
        lambda x: x.gather(0, index),
        lambda x: x.index_select(0, index),
        lambda x: x.take(index),
    ):
        x = minicnn.tensor(np.zeros(3, dtype)).requires_grad_()
        select(x).backward(minicnn.from_numpy(terms))
        assert abs(x.grad[0].item() - exact) <= allowed
    start = minicnn.tensor(np.zeros(3, dtype))
    for total in (
        start.scatter_add(0, index, minicnn.from_numpy(terms)),
        start.index_add(0, index, minicnn.from_numpy(terms)),
        start.index_put((index,), minicnn.from_numpy(terms), accumulate=True),
    ):
        assert abs(total[0].item() - exact) <= allowed


@pytest.mark.parametrize("call", ["sort", "max", "min", "median", "mode", "cummax", "cummin", "nanmedian"])
def test_named_results_print_as_torch_s(call):
    numbers = [[3.0, 1.0, 2.0], [0.5, 0.25, 4.0]]
    ours = getattr(minicnn.tensor(numbers), call)(1)
    theirs = getattr(torch.tensor(numbers), call)(1)
    assert repr(ours) == repr(theirs)
    assert str(type(ours)) == str(type(theirs))
    assert ours.values is ours[0]
    assert ours.indices is ours[1]


def test_named_results_survive_a_pickle():
    import pickle

    found = pickle.loads(pickle.dumps(minicnn.sort(minicnn.tensor([2.0, 1.0]))))
    assert repr(found) == repr(minicnn.sort(minicnn.tensor([2.0, 1.0])))
