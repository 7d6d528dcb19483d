"""Buffers that are used again: never while an array still lies in them."""

import gc
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.kernels import memory
from minicnn.kernels.convolution import implicit, weight_gradient
from minicnn.nn import functional as F

FLOAT = np.dtype(np.float32)


def test_a_buffer_is_used_again_only_when_its_last_array_is_gone():
    first = memory.empty((300, 1000), FLOAT)
    address = first.ctypes.data
    part = first[5:7].reshape(-1)[::3]
    part[...] = 7
    del first
    gc.collect()
    other = memory.empty((300, 1000), FLOAT)
    other[...] = 0
    assert (part == 7).all()
    del part, other
    gc.collect()
    again = [memory.empty((300, 1000), FLOAT) for _ in range(2)]
    assert address in [array.ctypes.data for array in again]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.booleans()), min_size=1, max_size=20))
def test_arrays_alive_at_once_never_share_memory(requests):
    alive = []
    for number, (rows, columns, keep) in enumerate(requests):
        array = memory.empty((rows, columns), FLOAT)
        assert array.shape == (rows, columns)
        assert array.flags.c_contiguous
        array[...] = number
        if keep:
            alive.append((number, array.T))
    for number, array in alive:
        assert (array == number).all()


def test_scratch_memory_is_each_threads_own_and_can_be_given_back():
    here = memory.scratch(1000, FLOAT)
    assert memory.scratch(10, FLOAT) is here
    assert memory.scratch(2 * here.size, FLOAT).size >= 2 * here.size
    there = []
    thread = threading.Thread(target=lambda: there.append(memory.scratch(1000, FLOAT)))
    thread.start()
    thread.join()
    assert not np.shares_memory(there[0], memory.scratch(1000, FLOAT))
    memory.give_back()
    assert memory.scratch(1000, FLOAT).size < 2 * here.size


def test_empty_like_keeps_the_order_in_memory():
    for axes in [(0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 1, 0)]:
        x = np.ones((2, 30, 40, 50), FLOAT).transpose(axes)
        y = memory.empty_like(x)
        assert (y.shape, y.strides, y.dtype) == (x.shape, x.strides, x.dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_read_only_arrays_need_no_kernels_of_their_own(dtype):
    """A weight out of a mapped file, or a broadcast one, would have the largest kernels compiled once more."""
    x, weight, bias = np.ones((1, 8, 5, 5), dtype), np.ones((16, 8, 3, 3), dtype), np.ones(16, dtype)
    for array in (x, weight, bias):
        array.flags.writeable = False

    def learn(groups):
        arguments = [minicnn.from_numpy(array).requires_grad_() for array in (x, weight[:, : 8 // groups], bias)]
        F.conv2d(*arguments, groups=groups).sum().backward()

    def compiled():
        return [len(kernel.signatures) for kernel in (implicit._correlate, weight_gradient._weight_products)]

    writable = [minicnn.as_tensor(array.copy()).requires_grad_() for array in (x, weight, bias)]
    F.conv2d(*writable).sum().backward()
    before = compiled()
    learn(1)
    assert compiled() == before
    learn(4)
    F.linear(minicnn.from_numpy(x), minicnn.from_numpy(weight[0, 0, :, :1].repeat(5, 1)))
    assert compiled() == before
