"""The largest number and the sum of a row, in vectors that stay in registers.

Numba vectorises such loops only where rounding and NaN may be ignored. Four vectors are carried, since each addition
waits for the one before it. Sums are carried in float64 from vector to vector's total: a lane adds up at most `RUN` + 4
numbers before.
"""

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.vectors import add, larger, load, repeat, store, width, zero

LANES = 16
"""At least as many numbers as a vector holds: the size of the scratch memory that is handed to these functions."""
RUN = 16


@kernel
def largest(x, scratch):
    """The largest of x (K,) that isn't NaN, −∞ if there is none; `scratch` (LANES,) has the dtype of x."""
    L = width(x)
    scratch[0] = -np.inf
    a = b = c = d = repeat(scratch, 0)
    whole, vectors = x.size - x.size % (4 * L), x.size - x.size % L
    for k in range(0, whole, 4 * L):
        a, b = larger(load(x, k), a), larger(load(x, k + L), b)
        c, d = larger(load(x, k + 2 * L), c), larger(load(x, k + 3 * L), d)
    for k in range(whole, vectors, L):
        a = larger(load(x, k), a)
    store(larger(larger(a, b), larger(c, d)), scratch, 0)
    result = scratch[0]
    for lane in range(1, L):
        result = scratch[lane] if scratch[lane] > result else result
    for k in range(vectors, x.size):
        result = x[k] if x[k] > result else result
    return result


@kernel
def total(x, scratch):
    """Σ x of x (K,), in float64; `scratch` (LANES,) has the dtype of x."""
    L = width(x)
    step = 4 * L
    whole, vectors = x.size - x.size % step, x.size - x.size % L
    result = 0.0
    for begin in range(0, vectors, RUN * step):
        a = b = c = d = zero(x)
        end = min(begin + RUN * step, whole)
        for k in range(begin, end, step):
            a, b = add(load(x, k), a), add(load(x, k + L), b)
            c, d = add(load(x, k + 2 * L), c), add(load(x, k + 3 * L), d)
        if begin + RUN * step > whole:
            for k in range(end, vectors, L):
                b = add(load(x, k), b)
        store(add(add(a, b), add(c, d)), scratch, 0)
        for lane in range(L):
            result += scratch[lane]
    for k in range(vectors, x.size):
        result += x[k]
    return result
