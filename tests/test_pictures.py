"""Grids and picture files against torchvision's, element for element and byte for byte."""

import io

import numpy as np
import pytest
import torch
import torchvision.utils as reference
from agreement import outcome
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.utils import make_grid, save_image

SIDE = st.integers(0, 5)


@st.composite
def pictures(draw):
    """A batch, an image, or a list of images, as an array or a list of arrays."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    H, W = draw(SIDE), draw(SIDE)
    shape = draw(
        st.sampled_from([(H, W), (1, H, W), (3, H, W), *[(B, C, H, W) for B in (0, 1, 2, 5) for C in (1, 2, 3, 4)]])
    )
    dtype = draw(st.sampled_from([np.float32, np.float64, np.uint8]))
    values = (rng.standard_normal(shape) if dtype != np.uint8 else rng.integers(0, 256, shape)).astype(dtype)
    if len(shape) == 4 and draw(st.booleans()):
        return list(values)
    return values if draw(st.booleans()) else np.asfortranarray(values)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "nrow": st.integers(1, 4),
        "padding": st.integers(0, 3),
        "normalize": st.booleans(),
        "value_range": st.sampled_from([None, (-1, 1), (0.0, 0.0), (0.2, 3)]),
        "scale_each": st.booleans(),
        "pad_value": st.sampled_from([0.0, 1.0, 0.5]),
    },
)


def tensors(library, value):
    if isinstance(value, list):
        return [tensors(library, one) for one in value]
    return library.from_numpy(value.copy())


@given(pictures(), OPTIONS)
def test_grids(value, options):
    before = [np.array(one) for one in value] if isinstance(value, list) else value.copy()
    mine = outcome(lambda: make_grid(tensors(minicnn, value), **options))
    theirs = outcome(lambda: reference.make_grid(tensors(torch, value), **options))
    if isinstance(theirs, Exception):
        assert isinstance(mine, Exception), (mine, theirs)
    else:
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), strict=True)
    np.testing.assert_array_equal(np.array(before), np.array(value))


@given(pictures(), OPTIONS, st.sampled_from(["PNG", "JPEG", "BMP"]))
def test_files(value, options, kind):
    def content(library, save):
        file = io.BytesIO()
        save(tensors(library, value), file, format=kind, **options)
        return file.getvalue()

    mine, theirs = outcome(content, minicnn, save_image), outcome(content, torch, reference.save_image)
    if isinstance(theirs, Exception):
        assert isinstance(mine, Exception), theirs
    else:
        assert mine == theirs


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.bmp", "a.gif", "a.webp", "a.tiff"])
def test_named_files(tmp_path, name):
    values = np.random.default_rng(0).random((5, 3, 4, 6))
    save_image(tensors(minicnn, values), tmp_path / name, nrow=2)
    save_image(tensors(minicnn, values), str(tmp_path / ("b" + name)), nrow=2)
    reference.save_image(tensors(torch, values), tmp_path / ("c" + name), nrow=2)
    contents = {(tmp_path / (prefix + name)).read_bytes() for prefix in ("", "b", "c")}
    assert len(contents) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_cannot_be_written_is_not_begun(tmp_path):
    x = minicnn.zeros(3, 4, 4)
    for name in ("a", "a.xyz"):
        with pytest.raises(ValueError, match="unknown file extension"):
            save_image(x, tmp_path / name)
    with pytest.raises((KeyError, ValueError)):
        save_image(x, tmp_path / "a.png", format="no such")
    with pytest.raises(TypeError):
        save_image(minicnn.zeros(5, 4, 4), tmp_path / "a.png")
    with pytest.raises(OSError, match="no such folder"):
        save_image(x, tmp_path / "no such folder" / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [[1, 2], "a", np.zeros((3, 4, 4)), [np.zeros((3, 4, 4))]])
def test_what_is_no_tensor_is_refused(value):
    for function in (make_grid, reference.make_grid):
        with pytest.raises(TypeError):
            function(value)
    with pytest.raises(TypeError, match="tuple"):
        make_grid(minicnn.zeros(2, 3, 4, 4), normalize=True, value_range=[0, 1])


def test_nan_and_infinity_are_black_and_white():
    values = np.array([[np.nan, np.inf, -np.inf, 2.0]])
    contents = []
    for library, save in ((minicnn, save_image), (torch, reference.save_image)):
        contents.append(io.BytesIO())
        save(tensors(library, values), contents[-1], format="PNG")
    assert contents[0].getvalue() == contents[1].getvalue()


def test_images_with_gradients_are_taken():
    x = minicnn.rand(2, 3, 4, 4).requires_grad_()
    assert not make_grid(x).requires_grad
    save_image(x, io.BytesIO(), format="png")
