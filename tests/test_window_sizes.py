"""Sizes of windowed operations at their limits: huge numbers, other types than int, nothing at all."""

import contextlib
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from agreement import assert_agrees
from hypothesis import assume, given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.testing.cases import fill

CALLS = {
    "conv2d": ([(1, 2, 5, 5), (3, 2, 1, 1)], ["stride", "dilation", "groups"]),
    "conv_transpose2d": ([(1, 2, 1, 1), (2, 3, 1, 1)], ["stride", "dilation", "padding", "output_padding"]),
    "max_pool2d": ([(1, 2, 5, 5)], ["kernel_size", "stride", "padding", "dilation"]),
    "avg_pool2d": ([(1, 2, 5, 5)], ["kernel_size", "stride", "padding", "divisor_override"]),
    "unfold": ([(1, 2, 5, 5)], ["stride", "dilation"]),
    "adaptive_avg_pool2d": ([(1, 2, 5, 5)], ["output_size"]),
    "adaptive_max_pool2d": ([(1, 2, 5, 5)], ["output_size"]),
}
KERNEL = {"max_pool2d": {"kernel_size": 1}, "avg_pool2d": {"kernel_size": 1}, "unfold": {"kernel_size": 1}}
ARGUMENTS = [(name, argument) for name, (_, arguments) in CALLS.items() for argument in arguments]
ERRORS = (ValueError, TypeError, RuntimeError)


def call(functions, make, name, argument, value):
    shapes, _ = CALLS[name]
    arguments = KERNEL.get(name, {}) | {argument: value}
    return getattr(functions, name)(*[make(np.ones(shape, np.float32)) for shape in shapes], **arguments)


def assert_both_raise_or_neither(name, argument, value):
    with contextlib.suppress(*ERRORS):
        call(F, minicnn.Tensor, name, argument, 1)  # compiles what is to be timed
    start = time.perf_counter()
    try:
        result = call(F, minicnn.Tensor, name, argument, value)
    except ERRORS as error:
        result = error
    assert time.perf_counter() - start < 5
    try:
        expected = call(TF, torch.from_numpy, name, argument, value)
    except ERRORS:
        assert isinstance(result, ERRORS), f"{name}({argument}={value!r})"
    else:
        assert not isinstance(result, ERRORS), f"{name}({argument}={value!r}): {result}"
        np.testing.assert_array_equal(result.numpy(), expected.numpy())


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("exponent", [31, 32, 40, 62, 63, 70])
def test_huge_numbers(name, argument, exponent):
    for value in (2**exponent, 2**exponent - 1):
        assert_both_raise_or_neither(name, argument, value)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize(
    "value", [1.0, True, [True, 1], [1.0, 1], "1", [], [1, 1, 1], np.int64(1), np.bool_(True)], ids=repr
)
def test_other_types(name, argument, value):
    if name.startswith("adaptive") and isinstance(value, np.int64):
        pytest.skip("a NumPy integer is as good as an int")
    assert_both_raise_or_neither(name, argument, value)


def test_a_result_too_large_is_refused_at_once():
    x, w = np.ones((1, 2, 4, 4), np.float32), np.ones((3, 2, 3, 3), np.float32)
    for exponent in (31, 40, 62, 63):
        for refused in (
            lambda p: F.conv2d(x, w, padding=p),
            lambda p: F.unfold(x, 2, padding=p),
            lambda p: F.unfold(x, p),
            lambda p: F.adaptive_avg_pool2d(x, p),
            lambda p: F.pad(x, (p, p, p, p)),
            lambda p: F.fold(np.ones((1, 4, 1), np.float32), p, 2, stride=p),
            lambda p: F.max_unpool2d(np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.int64), p),
            lambda p: minicnn.nn.Conv2d(1, 1, p),
        ):
            with pytest.raises(ERRORS):
                refused(2**exponent)


@pytest.mark.parametrize("stride", [2**20, 2**31, 2**40, 2**63 - 1])
def test_a_stride_that_is_never_taken(stride):
    for kernel in (1, 3):
        x, w = fill((2, 2, 5, 5), "integers", 0), fill((3, 2, kernel, kernel), "integers", 1)
        tensors = [minicnn.as_tensor(a).requires_grad_() for a in (x, w)]
        # PyTorch's backward crashes for some: it gets the smallest stride that isn't taken
        assert_agrees(lambda m, x, w: m.nn.functional.conv2d(x, w, stride=stride if m is minicnn else 5), *tensors)


@given(
    sizes=st.tuples(*[st.integers(0, 2)] * 4),
    outputs=st.integers(0, 2),
    operation=st.sampled_from(["conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "unfold", "linear"]),
    padding=st.integers(0, 1),
    unbatched=st.booleans(),
)
def test_nothing_in_it(sizes, outputs, operation, padding, unbatched):
    """Batches, channels, pixels and features of zero, forward and backward."""
    N, C, H, W = sizes
    # where nothing is left of a transposed convolution, PyTorch refuses one image and gives several an empty result
    assume(not (operation == "conv_transpose2d" and padding and 1 in (H, W) and N > 1))
    x = minicnn.ones(*(sizes[1:] if unbatched else sizes), requires_grad=True)
    tensors = [x]
    if operation == "linear":
        tensors += [minicnn.ones(outputs, W, requires_grad=True), minicnn.ones(outputs, requires_grad=True)]
        arguments = {}
    elif operation.startswith("conv"):
        shape = (outputs, C, 2, 2) if operation == "conv2d" else (C, outputs, 2, 2)
        tensors += [minicnn.ones(*shape, requires_grad=True), minicnn.ones(outputs, requires_grad=True)]
        arguments = {"padding": padding}
    else:
        arguments = {"kernel_size": 2, "padding": padding}
    assert_agrees(lambda m, *t: getattr(m.nn.functional, operation)(*t, **arguments), *tensors)


@given(
    sizes=st.tuples(st.integers(0, 1), st.integers(1, 2), st.integers(0, 3), st.integers(1, 3)),
    target=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    name=st.sampled_from(["adaptive_avg_pool2d", "adaptive_max_pool2d"]),
)
def test_nothing_in_adaptive_pools(sizes, target, name):
    x = minicnn.ones(*sizes, requires_grad=True)
    assert_agrees(lambda m, x: getattr(m.nn.functional, name)(x, target), x, rtol=1e-6)


@st.composite
def paddings(draw):
    dims = draw(st.integers(1, 3))
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    lead = draw(st.sampled_from([(1,), (2,), (1, 1), (2, 1), (0, 2), (1, 2)]))
    shape = (*lead, *draw(st.tuples(*[st.integers(1, 4)] * dims)))
    widths = []
    for size in shape[: -dims - 1 : -1]:
        before = draw(st.integers(-size, size))
        after = draw(st.integers(-size, size))
        if mode == "circular":  # where one side is cut PyTorch reads memory that nobody has written
            left = size + min(before, after, 0)
            before, after = min(before, left), min(after, left)
        widths += [before, after]
    return shape, widths, mode


@given(case=paddings(), seed=st.integers(0, 99))
def test_padding_on_one_side_and_cutting_on_the_other(case, seed):
    shape, widths, mode = case
    empty = 0 in [n + before + after for n, before, after in zip(shape[::-1], widths[::2], widths[1::2], strict=False)]
    if empty and mode == "reflect" and torch.__version__ < "2.15":
        return  # which let axes be cut to nothing
    x = minicnn.as_tensor(fill(shape, "integers", seed)).requires_grad_(
        not empty
    )  # PyTorch leaves the gradient of nothing unwritten
    assert_agrees(lambda m, x: m.nn.functional.pad(x, widths, mode), x)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "float32", "float64"])
@pytest.mark.parametrize("value", [300, 255, -1, 2.5, -0.5, 2**31, 2**63, 1e300, float("inf"), float("nan"), True])
def test_a_value_to_pad_with_fits_the_dtype(dtype, value):
    x = minicnn.as_tensor(np.ones((2, 2), dtype))
    assert_agrees(lambda m, x: m.nn.functional.pad(x, (1, 1), value=value), x)


@pytest.mark.parametrize("bias", [(), (1,), (3,), (1, 3), (2, 3), (2, 1), (1, 1, 1), (2,)])
def test_a_bias_that_broadcasts(bias):
    shapes = [(2, 4), (3, 4), bias]
    tensors = [minicnn.as_tensor(fill(shape, "integers", i)).requires_grad_() for i, shape in enumerate(shapes)]
    assert_agrees(lambda m, *t: m.nn.functional.linear(*t), *tensors)
    x, w = (minicnn.as_tensor(fill(shape, "integers", i)).requires_grad_() for i, shape in enumerate([(2, 4), (4,)]))
    assert_agrees(lambda m, *t: m.nn.functional.linear(*t), x, w)
