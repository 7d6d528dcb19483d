"""The most a machine's processor multiplies and adds, measured by a product of two large matrices."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZE = 2048
"""Rows and columns: 16 MB a matrix, more than the caches hold and still a twentieth of a second on two cores."""

REPEATS = 7


def sgemm_peak(*others: Callable[[np.ndarray], Callable[[], Any]]) -> float:
    """FLOP/s of a product of float32 matrices, by NumPy's BLAS or another if that is faster, on the threads of now.

    Args:
        others: each is given a matrix (SIZE, SIZE), and returns what multiplies it by itself.
    """
    a = np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32)
    out = np.empty_like(a)
    products = [lambda: np.matmul(a, a, out=out), *(other(a) for other in others)]
    return 2 * SIZE**3 / min(seconds(product) for _ in range(REPEATS) for product in products)


def seconds(work: Callable[[], Any]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
