"""The largest number and sums of a row, in vectors that stay in registers.

Numba vectorises such loops only where rounding and NaN may be ignored. Four vectors are carried, since each addition
waits for the one before it. Sums are carried in float64 from vector to vector's total: a lane adds up at most `RUN` + 4
numbers before.
"""

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.vectors import add, larger, load, multiply_add, repeat, store, width, zero

LANES = 16
"""At least as many numbers as a vector holds: the size of the scratch memory that is handed to these functions."""
RUN = 16


@part
def _lanes(a, b, c, d, scratch, L):
    """The sum of all lanes of four vectors, in float64."""
    store(add(add(a, b), add(c, d)), scratch, 0)
    result = 0.0
    for lane in range(L):
        result += scratch[lane]
    return result


@part
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


@part
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
        result += _lanes(a, b, c, d, scratch, L)
    for k in range(vectors, x.size):
        result += x[k]
    return result


@part
def inner(x, y, scratch):
    """Σ x · y of rows (K,), in float64; `scratch` as in `total`."""
    L = width(x)
    step = 4 * L
    whole, vectors = x.size - x.size % step, x.size - x.size % L
    result = 0.0
    for begin in range(0, vectors, RUN * step):
        a = b = c = d = zero(x)
        end = min(begin + RUN * step, whole)
        for k in range(begin, end, step):
            a, b = multiply_add(load(x, k), load(y, k), a), multiply_add(load(x, k + L), load(y, k + L), b)
            c = multiply_add(load(x, k + 2 * L), load(y, k + 2 * L), c)
            d = multiply_add(load(x, k + 3 * L), load(y, k + 3 * L), d)
        if begin + RUN * step > whole:
            for k in range(end, vectors, L):
                b = multiply_add(load(x, k), load(y, k), b)
        result += _lanes(a, b, c, d, scratch, L)
    for k in range(vectors, x.size):
        result += np.float64(x[k]) * y[k]
    return result


@part
def about(x, centre, scratch):
    """Σ (x − c) and Σ (x − c)² of x (K,) for a number c of its dtype, in float64; `scratch` as in `total`."""
    L = width(x)
    step = 4 * L
    scratch[0] = -centre
    minus = repeat(scratch, 0)
    whole, vectors = x.size - x.size % step, x.size - x.size % L
    result, square = 0.0, 0.0
    for begin in range(0, vectors, RUN * step):
        a = b = c = d = p = q = r = s = zero(x)
        end = min(begin + RUN * step, whole)
        for k in range(begin, end, step):
            v, w = add(load(x, k), minus), add(load(x, k + L), minus)
            a, p, b, q = add(v, a), multiply_add(v, v, p), add(w, b), multiply_add(w, w, q)
            v, w = add(load(x, k + 2 * L), minus), add(load(x, k + 3 * L), minus)
            c, r, d, s = add(v, c), multiply_add(v, v, r), add(w, d), multiply_add(w, w, s)
        if begin + RUN * step > whole:
            for k in range(end, vectors, L):
                v = add(load(x, k), minus)
                b, q = add(v, b), multiply_add(v, v, q)
        result += _lanes(a, b, c, d, scratch, L)
        square += _lanes(p, q, r, s, scratch, L)
    for k in range(vectors, x.size):
        rest = np.float64(x[k]) - centre
        result += rest
        square += rest * rest
    return result, square


@part
def products(g, weight, x, high, low, scratch):
    """Σ g · weight and Σ g · weight · (x − high − low) of rows (K,), in float64; `scratch` as in `total`."""
    L = width(x)
    step = 2 * L
    scratch[0], scratch[1] = -high, -low
    minus, less = repeat(scratch, 0), repeat(scratch, 1)
    nothing = zero(x)
    whole, vectors = x.size - x.size % step, x.size - x.size % L
    result, product = 0.0, 0.0
    for begin in range(0, vectors, RUN * step):
        a = b = p = q = nothing
        end = min(begin + RUN * step, whole)
        for k in range(begin, end, step):
            v, w = multiply_add(load(g, k), load(weight, k), nothing), add(add(load(x, k), minus), less)
            a, p = add(v, a), multiply_add(v, w, p)
            v, w = multiply_add(load(g, k + L), load(weight, k + L), nothing), add(add(load(x, k + L), minus), less)
            b, q = add(v, b), multiply_add(v, w, q)
        if begin + RUN * step > whole:
            for k in range(end, vectors, L):
                v, w = multiply_add(load(g, k), load(weight, k), nothing), add(add(load(x, k), minus), less)
                b, q = add(v, b), multiply_add(v, w, q)
        result += _lanes(a, b, nothing, nothing, scratch, L)
        product += _lanes(p, q, nothing, nothing, scratch, L)
    for k in range(vectors, x.size):
        scaled = np.float64(g[k]) * weight[k]
        result += scaled
        product += scaled * (np.float64(x[k]) - high - low)
    return result, product
