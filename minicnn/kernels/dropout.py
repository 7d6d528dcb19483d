"""Dropout from a counter: element i is kept where hash(seed, i) says so.

    y[i] = x[i] / (1 − p)  where  splitmix64(seed + i · γ) ≥ p · 2⁶⁴,  else 0

The hash is the output function of SplitMix64 (Steele, Lea & Flood, 2014), a generator whose i-th number can
be computed without the ones before it. So threads need no common state, and the backward pass, which
multiplies by the same mask, computes it again instead of having kept it.
"""

import numpy as np

from minicnn.kernels.memory import dense, empty_like, flat
from minicnn.kernels.tasks import tasks


@tasks
def _dropout(i, x, y, seed, threshold, scale):
    z = seed + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    y[np.uint64(i)] = x[np.uint64(i)] * scale if z >= threshold else 0


def dropout(x: np.ndarray, seed: int, p: float) -> np.ndarray:
    """`x` with each element zeroed with probability `p`, 0 <= p < 1, the others divided by 1 − p.

    Args:
        x: any shape, dense or not; the mask follows memory order.
        seed: 0 … 2⁶⁴ − 1, which decides the mask.
    """
    x = dense(x)
    y = empty_like(x)
    _dropout(x.size, flat(x), flat(y), np.uint64(seed), np.uint64(int(p * 2**64)), x.dtype.type(1 / (1 - p)))
    return y
