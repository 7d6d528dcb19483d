"""minicnn: convolutional networks from scratch in NumPy and Numba, shaped like PyTorch and proven against it."""

from typing import Any

import numpy as _np

from minicnn import autograd
from minicnn.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minicnn.creation import (
    arange,
    as_tensor,
    empty,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from minicnn.dtypes import bool_ as bool  # noqa: A004
from minicnn.dtypes import float32, float64, int64, uint8
from minicnn.operators.activation import relu, sigmoid, softmax, tanh
from minicnn.operators.activation import log_softmax as log_softmax
from minicnn.operators.arithmetic import absolute as abs  # noqa: A004
from minicnn.operators.arithmetic import clamp, exp, log, matmul, sqrt, where
from minicnn.operators.reduction import argmax, mean, sum, var  # noqa: A004
from minicnn.operators.shape import cat, flatten, permute, reshape, squeeze, stack, transpose, unsqueeze
from minicnn.random import Generator, manual_seed
from minicnn.serialization import load, save
from minicnn.tensor import Size, Tensor, device
from minicnn.tensor import maximum as max  # noqa: A004
from minicnn.tensor import minimum as min  # noqa: A004
from minicnn.threads import get_num_threads, set_num_threads

from minicnn import cuda, nn, optim, utils  # isort: skip  (they stand on the names above)

__version__ = "0.1.0"


def equal(input: Any, other: Any) -> Any:  # noqa: A002
    """Whether two tensors have one shape and equal elements."""
    return _np.array_equal(as_tensor(input)._array, as_tensor(other)._array)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: Any = False) -> Any:  # noqa: A002
    """Whether |input − other| <= atol + rtol · |other| everywhere."""
    return _np.allclose(as_tensor(input)._array, as_tensor(other)._array, rtol, atol, equal_nan)
