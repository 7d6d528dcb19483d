"""The scaled bound: how far two honest computations of one sum may lie apart.

    |actual − exact| ≤ c · eps · magnitude

`magnitude` is the sum of the absolute values of the terms, conv(|x|, |w|) for a convolution. It stays large
where the terms cancel, so that a result near zero isn't held to an accuracy that no order of summation has, and
it is small where the terms are, so that an error can't hide behind a global tolerance.
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.)
"""

from typing import Any

import numpy as np

C = 4.0


def scaled_error(actual: Any, exact: Any, magnitude: Any, dtype: Any = None) -> float:
    """The largest |actual − exact| / (eps · magnitude); 0 for nothing, infinite where only one is NaN.

    Args:
        actual: the result under test.
        exact: the same in float64.
        magnitude: the sum of its terms' absolute values, of the same shape.
        dtype: whose eps to use; that of `actual` by default.
    """
    return float(_scaled(actual, exact, magnitude, dtype).max(initial=0))


def _scaled(actual: Any, exact: Any, magnitude: Any, dtype: Any = None) -> np.ndarray:
    """The error of every element, as in `scaled_error`."""
    actual, exact, magnitude = np.asarray(actual), np.asarray(exact), np.asarray(magnitude)
    eps = np.finfo(dtype or actual.dtype).eps
    same = (actual == exact) | (np.isnan(actual) & np.isnan(exact))
    with np.errstate(all="ignore"):
        error = np.abs(actual.astype(np.float64) - exact) / (eps * magnitude)
    return np.where(same, 0, np.where(np.isnan(error), np.inf, error))


def assert_within_bound(actual: Any, exact: Any, magnitude: Any, c: float = C, name: str = "result") -> None:
    """Raise AssertionError unless `actual` has the shape of `exact` and lies within the scaled bound of it.

    Args:
        actual: the result under test, float32 or float64.
        exact: the same in float64.
        magnitude: the sum of its terms' absolute values, of the same shape.
        c: the factor of the bound.
        name: what to call it in the message.
    """
    actual, exact = np.asarray(actual), np.asarray(exact)
    if actual.shape != exact.shape:
        raise AssertionError(f"{name} has shape {actual.shape}, expected {exact.shape}")
    errors = _scaled(actual, exact, magnitude)
    error = errors.max(initial=0)
    if not error <= c:
        worst = np.unravel_index(np.argmax(errors), actual.shape)
        raise AssertionError(
            f"{name} is off by {error:.3g} times eps·magnitude, allowed {c:g}; element {tuple(map(int, worst))} is "
            f"{actual[worst]!r}, expected {exact[worst]!r}"
        )
