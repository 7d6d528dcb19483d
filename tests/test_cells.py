"""Tensors as a notebook shows them."""

import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minicnn
from minicnn.printing.cells import MOST_CELLS, colours, contrast

NUMBERS = st.one_of(st.floats(allow_nan=True, width=32), st.integers(-4, 4).map(float))


def read(tensor):
    """The tree of a tensor's HTML, which must be well formed."""
    return ElementTree.fromstring(tensor._repr_html_())


@given(
    arrays.array_shapes(min_dims=0, max_dims=4, max_side=4).flatmap(
        lambda shape: arrays.arrays(np.float32, shape, elements=NUMBERS)
    )
)
def test_every_number_is_a_legible_cell(array):
    tree = read(minicnn.tensor(array))
    tables = tree.findall("table")
    *outer, rows, columns = (1, 1, *array.shape)[-max(array.ndim, 2) :]
    assert len(tables) == math.prod(outer)
    matrices = array.reshape(-1, rows, columns)
    for table, matrix, place in zip(tables, matrices, np.ndindex(*outer), strict=True):
        caption = table.find("caption")
        assert caption is None if not place else caption.text == f"[{', '.join(map(str, place))}]"
        cells = [row.findall("td") for row in table.findall("tr")]
        assert [len(row) for row in cells] == [columns] * rows
        largest = np.abs(array[np.isfinite(array)]).max(initial=0)
        for cell, value in zip(itertools.chain(*cells), matrix.ravel().tolist(), strict=True):
            shown = float(cell.text)
            four_decimals = max(0.5e-4, 1e-4 * float(largest)) * (1 + 1e-6)  # of float32, as PyTorch prints them
            assert shown == pytest.approx(value, rel=1e-3, abs=four_decimals, nan_ok=True)
            background, ink = (
                tuple(bytes.fromhex(code)) for code in re.findall(r"(?:background|;color):#(\w{6})", cell.get("style"))
            )
            assert contrast(background, ink) >= 4.5


@given(st.floats(), st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_colours_have_contrast_and_tell_signs_apart(value, largest):
    background, ink = colours(value, largest)
    assert contrast(background, ink) >= 4.5
    red, _, blue = background
    if value < 0:
        assert blue >= red
    elif not math.isnan(value):
        assert red >= blue


def test_contrast_is_that_of_the_web():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("shape", [(MOST_CELLS + 1,), (40,), (17, 2, 2), (30, 30), (0, 3), (2, 0, 2)])
def test_a_large_tensor_is_told_in_words(shape):
    x = minicnn.ones(*shape)
    tree = read(x)
    assert not tree.findall("table")
    assert tree.find("p").text == f"{'×'.join(map(str, shape))}, torch.float32"
    assert tree.find("pre").text == repr(x)
    assert tree.findall("p")[1].text == ("1 to 1, mean 1" if x.numel() else "no elements")


def test_what_else_is_known_of_a_tensor():
    x = minicnn.ones(2, requires_grad=True)
    assert read(x).find("p").text == "2, torch.float32, requires_grad=True"
    assert read(x * 2).find("p").text == "2, torch.float32, grad_fn=<MulBackward0>"
    assert read(minicnn.nn.Parameter(minicnn.ones(3))).find("p").text == "3, torch.float32, requires_grad=True"
    assert read(minicnn.tensor([True, False])).find("p").text == "2, torch.bool"
    assert [cell.text for cell in read(minicnn.tensor([True, False])).iter("td")] == ["True", "False"]
    assert read(minicnn.tensor(7)).find("p").text == "one number, torch.int64"
    large = minicnn.zeros(500)
    large[:3] = minicnn.tensor([float("nan"), float("inf"), 2.0])
    assert read(large).findall("p")[1].text == "0 to 2, mean 0.004016; 1 NaN, 1 infinite"
