"""Whether elements are 0: any, all, and how many."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.reduction import Dimensions, normalize_dims


class Truth(Operator):
    """Whether some or all elements along axes aren't 0, or how many."""

    differentiable_outputs = 0

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axes: tuple[int, ...] | None, keepdim: bool) -> np.ndarray:
        result = np.asarray(function(x, axis=axes, keepdims=keepdim))
        if function is np.count_nonzero:
            return result.astype(np.int64)
        return result.astype(x.dtype) if x.dtype == np.uint8 else result


@numpy_spelling
def any_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether some element is not 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.any, input, dim, keepdim)


@numpy_spelling
def all_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether no element is 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.all, input, dim, keepdim)


def _truth(function: Any, x: Any, dim: Dimensions, keepdim: bool) -> Any:
    ndim = array_argument(x, function.__name__).ndim
    none = isinstance(dim, (tuple, list)) and not dim  # () means none here, as in PyTorch
    return Truth.apply(x, function, () if none else normalize_dims(dim, ndim), bool(keepdim))


@numpy_spelling
def count_nonzero(input: Any, dim: Dimensions = None) -> Any:
    """How many elements aren't 0, over `dim` or over everything, as int64.

    Args:
        input: any shape and dtype.
        dim: axis or axes; None and () mean all.

    Raises:
        IndexError: for a `dim` out of range.
    """
    axes = normalize_dims(dim, array_argument(input, "count_nonzero").ndim)
    return Truth.apply(input, np.count_nonzero, axes, False)
