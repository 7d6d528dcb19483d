"""Work divided among threads: every task once, for any number of threads, and errors that arrive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.kernels import threads
from minicnn.kernels.compile import kernel, part
from minicnn.kernels.tasks import share, spans, tasks


@tasks
def _count(task, done, count):
    """A parameter may have any name, that of the generated function's own too."""
    done[task] += count


@spans
def _note(begin, end, firsts, lasts):
    for task in range(begin, end):
        firsts[task], lasts[task] = begin, end


@part
def _add(begin, end, x, y):
    for task in range(begin, end):
        y[task] += x[task]


@kernel
def _twice(x, y, divided):
    share(_add, len(x), (x, y))
    share(_add, len(x), (x, y), divided)


@tasks
def _hungry(task, sizes, y):
    y[task] = len(np.empty(sizes[task]))


@pytest.fixture(params=sorted({1, 2, threads.MOST}))
def running(request):
    before = minicnn.get_num_threads()
    minicnn.set_num_threads(min(request.param, threads.MOST))
    yield minicnn.get_num_threads()
    minicnn.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64, 1001])
def test_every_task_runs_once(running, count):
    done = np.zeros(count + 1, np.int64)
    _count(count, done, 3)
    np.testing.assert_array_equal(done, [3] * count + [0])


@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_parts_are_as_many_as_threads_and_of_one_size(running, count):
    firsts, lasts = np.zeros((2, count), np.int64)
    _note(count, firsts, lasts)
    parts = sorted(set(zip(firsts.tolist(), lasts.tolist(), strict=True)))
    assert len(parts) == min(count, running)
    assert [first for first, _ in parts[1:]] == [last for _, last in parts[:-1]]
    sizes = [last - first for first, last in parts]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(0, 40), st.booleans())
def test_a_kernel_shares_what_it_likes(count, divided):
    x, y = np.arange(count, dtype=float), np.zeros(count)
    _twice(x, y, divided)
    np.testing.assert_array_equal(y, 2 * x)


def test_a_task_without_memory_raises(running):
    sizes, y = np.full(8, 4), np.zeros(8)
    sizes[5] = 2**52
    with pytest.raises(MemoryError, match="no memory"):
        _hungry(8, sizes, y)
    sizes[5] = 4
    _hungry(8, sizes, y)
    np.testing.assert_array_equal(y, 4)


def test_parts_are_for_kernels_alone():
    with pytest.raises(TypeError, match="_add is a part of kernels"):
        _add(0, 1, np.zeros(1), np.zeros(1))


def test_a_constant_is_a_number_like_others():
    @part
    def double(x):
        return 2 * x

    @kernel
    def both(x):
        return double(3) + double(x)

    assert both(4) == 14
    both.recompile()  # it may have come from the kernel cache, without its parts
    assert len(double.signatures) == 1
