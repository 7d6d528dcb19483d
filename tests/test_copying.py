"""Copies between orders of memory: rows, tiles, elements, and what NumPy is left with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.kernels import copying, memory

SIZES = [1, 2, 3, 5, 8, 15, 16, 17, 33, 63, 64, 65]


@st.composite
def arrays(draw):
    """An array of small numbers in any order of memory, with gaps or an axis that repeats one place at times."""
    shape = draw(st.lists(st.sampled_from(SIZES), min_size=1, max_size=4).filter(lambda s: np.prod(s) <= 2**17))
    dtype = draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", "f2"]))
    order = draw(st.permutations(range(len(shape))))
    array = (np.arange(np.prod(shape)) % 251).astype(dtype).reshape([shape[i] for i in order])
    array = array.transpose(np.argsort(order))
    kind = draw(st.sampled_from(["dense", "dense", "gaps", "backwards", "repeated"]))
    if kind == "gaps":
        return np.stack([array, array], draw(st.integers(0, array.ndim)))[(..., 0) if draw(st.booleans()) else 0]
    if kind == "backwards":
        return array[::-1]
    return np.broadcast_to(array[..., None], (*array.shape, 3)) if kind == "repeated" else array


@given(source=arrays(), data=st.data())
def test_copies_are_equal(source, data):
    order = data.draw(st.permutations(range(source.ndim)))
    target = np.empty([source.shape[i] for i in order], source.dtype).transpose(np.argsort(order))
    copying.copy(target, source)
    np.testing.assert_array_equal(target, source)


@given(source=arrays())
def test_a_part_of_a_larger_array_is_filled_and_nothing_else(source):
    whole = np.full([n + 2 for n in source.shape], 7, source.dtype)
    inside = tuple(slice(1, n + 1) for n in source.shape)
    copying.copy(whole[inside], source)
    np.testing.assert_array_equal(whole[inside], source)
    whole[inside] = 7
    assert (whole == 7).all()


@given(data=st.data(), dtype=st.sampled_from(["f4", "f8", "i4", "i8", "u1", "f2"]))
def test_arrays_are_joined_as_numpy_joins_them(data, dtype):
    """Most of them lie as the target does, some in another order; nothing around the target is written to."""
    rest = data.draw(st.lists(st.sampled_from([1, 2, 3, 5, 8, 17]), min_size=1, max_size=3))
    axis = data.draw(st.integers(0, len(rest)))
    order = data.draw(st.permutations(range(len(rest) + 1)))
    generator = np.random.default_rng(data.draw(st.integers(0, 100)))
    sources = []
    for _ in range(data.draw(st.integers(1, 4))):
        shape = [*rest[:axis], data.draw(st.sampled_from([0, *SIZES])), *rest[axis:]]
        own = data.draw(st.permutations(order)) if data.draw(st.integers(0, 5)) == 0 else order
        values = generator.integers(0, 100, [shape[i] for i in own]).astype(dtype)
        sources.append(values.transpose(np.argsort(own)))
    expected = np.concatenate(sources, axis)
    around = np.full(expected.size + 64, 7, dtype)
    inside = around[32:-32].reshape([expected.shape[i] for i in order]).transpose(np.argsort(order))
    copying.join(inside, sources, axis)
    np.testing.assert_array_equal(inside, expected)
    assert (around[:32] == 7).all()
    assert (around[-32:] == 7).all()


def test_bits_are_moved_as_they_are():
    """Signalling NaNs and integers that would be such floats."""
    bits = np.arange(2**16, dtype=np.uint32).reshape(256, 256) + np.uint32(0x7F800001)
    target = np.empty((256, 256), np.uint32)
    copying.copy(target, bits.T)
    np.testing.assert_array_equal(target, bits.T)


@pytest.mark.parametrize("shape", [(4, 3, 40, 40), (2, 64, 30, 31), (1, 17, 80, 9)])
def test_channels_last_is_a_copy_only_where_it_must_be(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    image = memory.channels_last(x)
    np.testing.assert_array_equal(image, x.transpose(0, 2, 3, 1))
    assert image.flags.c_contiguous
    assert memory.channels_last(memory.channels_first(image)).base is not None
