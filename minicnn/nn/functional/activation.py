"""Softmax with the dimension left out, as old programs call it, and softmax with noise."""

import warnings
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.operators import softmax as softmaxes
from minicnn.operators.activation import floating
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.arithmetic import Add, true_divide
from minicnn.operators.operands import array_of
from minicnn.operators.rounding import negative
from minicnn.operators.tracing import Traceable
from minicnn.random import numpy_generator


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`, computed from x − max x so that nothing overflows.

    Args:
        input: any shape, float32 or float64.
        dim: the axis along which the results add up to 1. Left out, PyTorch's old choice and a warning: 0 for inputs
            of 0, 1 or 3 dimensions, 1 for others.
        dtype: convert to it first.

    Raises:
        TypeError: for other dtypes.
        IndexError: for a `dim` out of range.
    """
    return softmaxes.softmax(input, _chosen(dim, input, "softmax", _stacklevel), dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """ln softmax, computed as x − max x − ln Σ exp(x − max x), exact where softmax itself rounds to 0.

    Args, Raises: as for `softmax`.
    """
    return softmaxes.log_softmax(input, _chosen(dim, input, "log_softmax", _stacklevel), dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(−x)

    Args, Raises: as for `softmax`.
    """
    return softmaxes.softmax(negative(input), _chosen(dim, input, "softmin", _stacklevel), dtype)


def _chosen(dim: int | None, input: Any, name: str, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if array_argument(input, name).ndim in (0, 1, 3) else 1


class OneHot(Traceable, Operator):
    """1 where y is largest along the axis, 0 elsewhere; the gradient passes as if that were y."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, axis: int) -> np.ndarray:
        hard = np.zeros_like(y)
        np.put_along_axis(hard, y.argmax(axis, keepdims=True), 1, axis)
        return hard - y + y  # rounded as in PyTorch

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """softmax((logits + noise) / tau), with noise of the standard Gumbel distribution (Jang, Gu & Poole, 2017).

    Args:
        logits: log-probabilities, any shape, float32 or float64.
        tau: the temperature.
        hard: 1 where the result is largest, 0 elsewhere, with the gradient of the soft result.
        eps: what PyTorch used to need; it warns where another value is given.
        dim: the axis along which the results add up to 1.

    Returns: a Tensor of the shape of `logits`.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    x = array_of(floating(logits, "gumbel_softmax"))
    noise = numpy_generator().gumbel(size=x.shape).astype(x.dtype)
    y = softmaxes.softmax(true_divide(Add.call(logits, Variable._computed(np.asarray(noise))), tau), dim)
    return OneHot.apply(y, single_axis(dim, x.ndim)) if hard and x.size else y
