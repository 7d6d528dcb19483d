"""relu along memory: y = max(x, 0), ∂x = ∂y where y > 0.

Both are bound by memory; below `PARALLEL_SIZE` elements waking the other threads costs more than they save.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.memory import dense, empty_like, flat, like

PARALLEL_SIZE = 32768


@kernel(parallel=True)
def _relu(x, y):
    if x.size < PARALLEL_SIZE:
        for i in range(x.size):
            y[i] = 0 if x[i] <= 0 else x[i]  # NaN fails the comparison and stays
    else:
        for i in prange(x.size):
            y[i] = 0 if x[i] <= 0 else x[i]


@kernel(parallel=True)
def _relu_backward(g, y, grad_input):
    if y.size < PARALLEL_SIZE:
        for i in range(y.size):
            grad_input[i] = 0 if y[i] <= 0 else g[i]
    else:
        for i in prange(y.size):
            grad_input[i] = 0 if y[i] <= 0 else g[i]


@kernel(parallel=True)
def _relu_backward_in_place(g, y):
    """The same with g for `grad_input`: two names of one array would keep the loop from being vectorised."""
    if y.size < PARALLEL_SIZE:
        for i in range(y.size):
            g[i] = 0 if y[i] <= 0 else g[i]
    else:
        for i in prange(y.size):
            g[i] = 0 if y[i] <= 0 else g[i]


def relu(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """max(x, 0) for an array of any shape and order, in a new array or in `out`, which may be x."""
    x = dense(x)
    y = out if out is not None and out.strides == x.strides else empty_like(x)
    _relu(flat(x), flat(y))
    return y


def relu_backward(grad_output: np.ndarray, y: np.ndarray, overwrite: bool = False) -> np.ndarray:
    """The gradient by x, given the gradient by y and y itself; written over the former if it may `overwrite` that."""
    g = like(grad_output, y)
    if overwrite:
        _relu_backward_in_place(flat(g), flat(y))
        return g
    grad_input = empty_like(y)
    _relu_backward(flat(g), flat(y), flat(grad_input))
    return grad_input
