"""The rungs between im2col and implicit: products of any size and memory order, compiled only when asked for."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minicnn.kernels.convolution import im2col, packed, registers, tiled

RUNGS = {"tiled": tiled, "packed": packed, "registers": registers}
SIDES = {
    "rows": st.sampled_from([0, 1, 2, tiled.ROWS - 1, tiled.ROWS, tiled.ROWS + 1, 150, 460]),
    "columns": st.sampled_from([1, 2, 16, 31, tiled.COLUMNS - 1, tiled.COLUMNS, tiled.COLUMNS + 1, 130, 200]),
    "depth": st.sampled_from([0, 1, 2, 27, tiled.DEPTH - 1, tiled.DEPTH, tiled.DEPTH + 1, 600, registers.DEPTH + 3]),
}
ORDERS = ("rows", "columns", "with gaps", "read-only")


@st.composite
def matrices(draw):
    """a (M, K) and b (K, O) of small integers, each in some order of memory."""
    M, O, K = (draw(SIDES[side]) for side in ("rows", "columns", "depth"))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return [
        _laid(rng.integers(-8, 9, shape).astype(dtype), draw(st.sampled_from(ORDERS))) for shape in ((M, K), (K, O))
    ]


def _laid(matrix, order):
    if order == "columns":
        return np.asfortranarray(matrix)
    if order == "with gaps":
        return np.repeat(matrix, 2, axis=1)[:, ::2]
    matrix.flags.writeable = order != "read-only"
    return matrix


@pytest.mark.parametrize("name", RUNGS)
@given(given_matrices=matrices())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_products_around_the_sizes_of_tiles_are_exact(name, given_matrices, two_threads):
    a, b = given_matrices
    result = RUNGS[name].product(a, b)
    assert result.dtype == a.dtype
    np.testing.assert_array_equal(result, a.astype(np.float64) @ b.astype(np.float64))


@pytest.mark.parametrize("name", RUNGS)
def test_a_rung_is_im2col_with_another_product(name):
    for function in ("forward", "grad_input", "grad_weight"):
        made = getattr(RUNGS[name], function)
        assert made.func is getattr(im2col, function)
        assert made.keywords == {"multiply": RUNGS[name].product}


def test_packing_keeps_every_number_and_fills_up_with_zeros():
    b = np.arange(3.0 * 130).reshape(3, 130) + 1
    panels = packed.pack(b)
    assert panels.shape == (3, 3, packed.COLUMNS)
    side_by_side = panels.transpose(1, 0, 2).reshape(3, -1)
    np.testing.assert_array_equal(side_by_side[:, :130], b)
    assert not side_by_side[:, 130:].any()


def test_the_default_algorithm_compiles_none_of_them():
    program = """
import minicnn, minicnn.nn.functional as F
x, weight = minicnn.randn(2, 3, 8, 8, requires_grad=True), minicnn.randn(4, 3, 3, 3, requires_grad=True)
F.conv2d(x, weight, padding=1).sum().backward()
from minicnn.kernels.convolution import packed, registers, tiled
print([kernel.signatures for kernel in (tiled._multiply_blocks, packed._multiply_blocks, registers._multiply)])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[[], [], []]"
