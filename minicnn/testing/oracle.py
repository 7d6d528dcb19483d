"""PyTorch as the oracle: values, gradients and magnitudes of an operation on arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.testing.bounds import C, assert_within_bound
from minicnn.testing.cases import ConvolutionCase


@dataclass(frozen=True)
class Answer:
    """What PyTorch says.

    Attributes:
        value: the output.
        gradients: by each argument that is an array, None for the others.
    """

    value: np.ndarray
    gradients: tuple[np.ndarray | None, ...]


def ask(
    operation: Callable,
    arguments: Sequence[np.ndarray | None],
    grad_output: Callable[[tuple[int, ...]], np.ndarray],
    dtype: type = np.float64,
    absolute: bool = False,
) -> Answer:
    """Run a PyTorch operation and its backward.

    Args:
        operation: takes torch tensors (or None) in the order of `arguments`, returns one.
        arguments: arrays, or None.
        grad_output: gives the gradient with respect to the output, from its shape.
        dtype: to compute in.
        absolute: take absolute values of everything first; of an operation that is linear in each argument this gives
            the magnitudes of the scaled bound, for the value and for every gradient.
    """
    import torch

    def prepare(array: np.ndarray) -> np.ndarray:
        return np.array(np.abs(array) if absolute else array, dtype, order="C")

    tensors = [None if a is None else torch.from_numpy(prepare(a)).requires_grad_() for a in arguments]
    y = operation(*tensors)
    y.backward(torch.from_numpy(prepare(grad_output(tuple(y.shape)))))
    gradients = tuple(None if t is None else np.asarray(t.grad) for t in tensors)
    return Answer(y.detach().numpy(), gradients)


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
