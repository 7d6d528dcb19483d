"""Products of a few rows with a matrix: sizes around vectors, blocks, chunks and runs, in the bound of the sum."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.kernels import few_rows
from minicnn.testing.bounds import assert_within_bound

ROWS = st.integers(1, few_rows.PRODUCTS + 1)
OUTPUTS = st.sampled_from([1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 130])
INPUTS = st.sampled_from([1, 2, 3, 15, 16, 17, 33, 511, 512, 513, 1024, 1041])
DTYPES = st.sampled_from(["float32", "float64"])


@given(rows=ROWS, outputs=OUTPUTS, inputs=INPUTS, dtype=DTYPES, turned=st.booleans(), seed=st.integers(0, 99))
def test_values_and_gradients_stay_in_the_bound_of_their_sums(rows, outputs, inputs, dtype, turned, seed):
    rng = np.random.default_rng(seed)
    x, w, b, g = (
        rng.standard_normal(shape).astype(dtype)
        for shape in ((rows, inputs), (outputs, inputs), (outputs,), (rows, outputs))
    )
    w = np.asfortranarray(w) if turned else w  # either is a weight as a layer has it
    tensors = [minicnn.from_numpy(array).requires_grad_() for array in (x, w, b)]
    y = F.linear(*tensors)
    y.backward(minicnn.from_numpy(g))
    X, W, B, G = (array.astype(np.longdouble) for array in (x, w, b, g))
    exact = X @ W.T + B, G @ W, G.T @ X, G.sum(0)
    magnitude = abs(X) @ abs(W).T + abs(B), abs(G) @ abs(W), abs(G).T @ abs(X), abs(G).sum(0)
    found = y.detach(), *[tensor.grad for tensor in tensors]
    for name, mine, right, size in zip(("y", "x", "weight", "bias"), found, exact, magnitude, strict=True):
        assert mine.numpy().dtype == dtype
        assert_within_bound(mine.numpy(), right, size, name=name)


@given(rows=ROWS, outputs=OUTPUTS, inputs=INPUTS, seed=st.integers(0, 99))
def test_sums_of_integers_are_exact(rows, outputs, inputs, seed):
    rng = np.random.default_rng(seed)
    x, w, g = (
        rng.integers(-4, 5, shape).astype(np.float32) for shape in ((rows, inputs), (outputs, inputs), (rows, outputs))
    )
    np.testing.assert_array_equal(few_rows.products(x, w), x @ w.T)
    np.testing.assert_array_equal(few_rows.combinations(g, w), g @ w)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_what_is_not_finite_stays_in_its_row(value):
    x, w = np.ones((3, 600), np.float32), np.ones((9, 600), np.float32)
    x[1, 530] = value
    with np.errstate(all="ignore"):
        theirs = torch.nn.functional.linear(torch.from_numpy(x), torch.from_numpy(w)).numpy()
    np.testing.assert_array_equal(F.linear(minicnn.from_numpy(x), minicnn.from_numpy(w)).numpy(), theirs)


def test_a_long_sum_keeps_its_small_terms():
    ones = np.ones((1, 2**25), np.float32)
    assert few_rows.products(ones, ones) == 2**25
    assert few_rows.combinations(np.ones((1, 2**25), np.float32), np.ones((2**25, 1), np.float32)) == 2**25
