"""Softmax with the dimension left out, as old programs call it."""

import warnings
from typing import Any

from minicnn.operators import activation
from minicnn.operators.arguments import array_argument


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
    return activation.softmax(input, _chosen(dim, input, "softmax", _stacklevel), dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """ln softmax, computed as x − max x − ln Σ exp(x − max x), exact where softmax itself rounds to 0.

    Args, Raises: as for `softmax`.
    """
    return activation.log_softmax(input, _chosen(dim, input, "log_softmax", _stacklevel), dtype)


def _chosen(dim: int | None, input: Any, name: str, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if array_argument(input, name).ndim in (0, 1, 3) else 1
