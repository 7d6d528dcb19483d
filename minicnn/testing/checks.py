"""Searches for the smallest case where an implementation and PyTorch disagree."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings

from minicnn.testing.bounds import C, assert_within_bound
from minicnn.testing.cases import ConvolutionCase, PoolingCase, convolutions, poolings
from minicnn.testing.oracle import Answer, ask


def torch_conv2d(case: ConvolutionCase, dtype: Any = np.float64, absolute: bool = False) -> Answer:
    """What PyTorch says to a case, computed in `dtype`; with `absolute` the magnitudes."""
    import torch.nn.functional as F

    def operation(x: Any, w: Any, b: Any) -> Any:
        if case.output_padding is None:
            return F.conv2d(x, w, b, case.stride, case.padding, case.dilation, case.groups)
        rest = (case.stride, case.padding, case.output_padding, case.groups, case.dilation)
        return F.conv_transpose2d(x, w, b, *rest)

    return ask(
        operation,
        [case.x, case.weight, case.bias],
        case.grad_output,
        dtype,
        absolute,
    )


def agree(
    results: Sequence[np.ndarray | None],
    names: Sequence[str],
    exact: Answer,
    magnitude: Answer,
    equal: bool,
    c: float = C,
) -> None:
    """Raise AssertionError where a value or a gradient lies outside the scaled bound of the oracle's.

    Args:
        results: the value, then the gradients, None for what isn't to be compared.
        names: what to call them in the message.
        exact, magnitude: the oracle's answers.
        equal: demand equality, because every sum is exact.
        c: the factor of the bound.
    """
    expected = [exact.value, *exact.gradients]
    bounds = [magnitude.value, *magnitude.gradients]
    for result, name, wanted, bound in zip(results, names, expected, bounds, strict=True):
        if result is None or wanted is None:
            continue
        if equal:
            np.testing.assert_array_equal(result, wanted, err_msg=f"{name} is not exact", strict=False)
        else:
            assert_within_bound(result, wanted, bound, c, name)


def check_conv2d(
    conv2d: Callable,
    backward: Callable | None = None,
    *,
    dtype: Any = np.float32,
    c: float = C,
    max_examples: int = 200,
    **options: Any,
) -> None:
    """Search for a case where `conv2d` is wrong; returns if there was none among `max_examples`.

    On arrays of small integers, where every sum is exact, equality is demanded; on reals the scaled bound
    |y − exact| ≤ c · eps · conv(|x|, |weight|).

    Args:
        conv2d: `conv2d(x, weight, bias, stride, padding, dilation, groups) -> y` on arrays: x (N, C, H, W), weight
            (O, C/groups, KH, KW), bias (O,) or None; stride and dilation int or pair, padding int, pair, "same" or
            "valid".
        backward: `backward(grad_output, x, weight, bias, stride, padding, dilation, groups)` returning the gradients
            with respect to x, weight and bias (None without bias); not checked if left out.
        dtype: float32 or float64.
        c: the factor of the bound.
        max_examples: how many cases to try.
        options: what the strategy `convolutions` takes, such as `named_padding=False`.

    Raises:
        AssertionError: with the smallest case found.
    """
    options.setdefault("unbatched", False)

    @settings(max_examples=max_examples, deadline=None, database=None)
    @given(case=convolutions(dtype=dtype, **options))
    def search(case: ConvolutionCase) -> None:
        arguments = (case.x, case.weight, case.bias, case.stride, case.padding, case.dilation, case.groups)
        y = np.asarray(conv2d(*arguments))
        gradients: tuple = (None, None, None)
        if backward is not None:
            gradients = tuple(backward(case.grad_output(y.shape), *arguments))
        results = [y, *gradients]
        names = [
            "y",
            "the gradient with respect to x",
            "the gradient with respect to weight",
            "the gradient with respect to bias",
        ]
        if y.dtype != dtype:
            raise AssertionError(f"y has dtype {y.dtype}, expected {np.dtype(dtype)}")
        agree(results, names, torch_conv2d(case), torch_conv2d(case, absolute=True), case.exact, c)

    search()


def _check_pooling(
    pool: Callable,
    backward: Callable | None,
    oracle: Callable,
    cases: Any,
    equal: bool,
    max_examples: int,
    c: float,
) -> None:
    @settings(max_examples=max_examples, deadline=None, database=None)
    @given(case=cases)
    def search(case: PoolingCase) -> None:
        arguments = (case.x, case.kernel_size, case.stride, case.padding, case.dilation, case.ceil_mode)
        y = np.asarray(pool(*arguments))
        gradient = None if backward is None else backward(case.grad_output(y.shape), *arguments)
        exact = ask(lambda x: oracle(x, case), [case.x], case.grad_output)
        # the gradient is linear in grad_output, and magnitudes must come from where the windows really look
        bound = np.abs(case.x).max(initial=0) + np.zeros(exact.value.shape)
        spread = ask(lambda x: oracle(x, case), [case.x], lambda shape: np.abs(case.grad_output(shape)))
        magnitude = Answer(bound, spread.gradients)
        agree(
            [y, gradient], ["y", "the gradient with respect to x"], exact, magnitude, equal and case.kind != "reals", c
        )
        if equal:
            np.testing.assert_array_equal(y, exact.value, err_msg="a maximum is one of the values")

    search()


def check_max_pool2d(
    max_pool2d: Callable,
    backward: Callable | None = None,
    *,
    dtype: Any = np.float32,
    max_examples: int = 200,
) -> None:
    """Search for a case where `max_pool2d` is wrong, ties, padding and `ceil_mode` included.

    Args:
        max_pool2d: `max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode) -> y` on arrays.
        backward: `backward(grad_output, x, kernel_size, stride, padding, dilation, ceil_mode)` returning the gradient
            with respect to x.
        dtype: float32 or float64.
        max_examples: how many cases to try.

    Raises:
        AssertionError: with the smallest case found.
    """
    import torch.nn.functional as F

    def oracle(x: Any, case: PoolingCase) -> Any:
        return F.max_pool2d(x, case.kernel_size, case.stride, case.padding, case.dilation, case.ceil_mode)

    _check_pooling(max_pool2d, backward, oracle, poolings(dtype=dtype), True, max_examples, C)


def check_avg_pool2d(
    avg_pool2d: Callable,
    backward: Callable | None = None,
    *,
    count_include_pad: bool = True,
    dtype: Any = np.float32,
    max_examples: int = 200,
) -> None:
    """Search for a case where `avg_pool2d` is wrong, padding and `ceil_mode` included.

    Args:
        avg_pool2d: `avg_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode) -> y` on arrays; dilation is 1.
        backward: `backward(grad_output, x, kernel_size, stride, padding, dilation, ceil_mode)` returning the gradient
            with respect to x.
        count_include_pad: whether padding counts in the mean.
        dtype: float32 or float64.
        max_examples: how many cases to try.

    Raises:
        AssertionError: with the smallest case found.
    """
    import torch.nn.functional as F

    def oracle(x: Any, case: PoolingCase) -> Any:
        return F.avg_pool2d(x, case.kernel_size, case.stride, case.padding, case.ceil_mode, count_include_pad)

    cases = poolings(dtype=dtype, dilated=False)
    _check_pooling(avg_pool2d, backward, oracle, cases, False, max_examples, C)
