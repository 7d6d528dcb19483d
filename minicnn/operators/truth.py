"""Whether elements are 0: any, all, and how many."""

from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.reduction import Dimensions, normalize_dims


@numpy_spelling
def any_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether some element is not 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.any, input, dim, keepdim)


@numpy_spelling
def all_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether no element is 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.all, input, dim, keepdim)


def _truth(function: Any, x: Any, dim: Dimensions, keepdim: bool) -> Any:
    array = array_argument(x, function.__name__)
    none = isinstance(dim, (tuple, list)) and not dim  # () means none here, as in PyTorch
    axes = () if none else normalize_dims(dim, array.ndim)
    result = np.asarray(function(array, axis=axes, keepdims=bool(keepdim)))
    return Variable._computed(result.astype(array.dtype) if array.dtype == np.uint8 else result)


@numpy_spelling
def count_nonzero(input: Any, dim: Dimensions = None) -> Any:
    """How many elements aren't 0, over `dim` or over everything, as int64.

    Args:
        input: any shape and dtype.
        dim: axis or axes; None and () mean all.

    Raises:
        IndexError: for a `dim` out of range.
    """
    array = array_argument(input, "count_nonzero")
    return Variable._computed(
        np.asarray(np.count_nonzero(array, axis=normalize_dims(dim, array.ndim))).astype(np.int64)
    )
