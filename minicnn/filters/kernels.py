"""The kernels: small arrays of numbers, as `conv2d` takes them (it doesn't flip them)."""

import math

import numpy as np

MOST_SIGMA = 100.0
"""The widest Gaussian, in pixels: its kernel has 801 taps a side."""

REACH = 4.0
"""Standard deviations after which a Gaussian is cut off, as in scipy.ndimage: less than 0.01 % lies beyond."""


def _kernel(*rows: tuple[float, ...]) -> np.ndarray:
    """Rows as a float64 array that nobody can change."""
    array = np.array(rows, np.float64)
    array.flags.writeable = False
    return array


SOBEL_X = _kernel((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
"""8 · ∂/∂x: differences between right and left, smoothed along columns. Positive where it gets brighter to the right.

Sobel and Feldman, "A 3×3 isotropic gradient operator for image processing", 1968.
"""

SOBEL_Y = _kernel((-1, -2, -1), (0, 0, 0), (1, 2, 1))
"""8 · ∂/∂y: SOBEL_X transposed. Positive where it gets brighter downwards."""

LAPLACIAN = _kernel((0, 1, 0), (1, -4, 1), (0, 1, 0))
"""∂²/∂x² + ∂²/∂y²: the sum of the second differences (1, −2, 1) along rows and columns."""

SHARPEN = _kernel((0, -1, 0), (-1, 5, -1), (0, -1, 0))
"""The picture minus its Laplacian. Gonzalez and Woods, "Digital Image Processing", section 3.6."""

EMBOSS = _kernel((-2, -1, 0), (-1, 1, 1), (0, 1, 2))
"""The picture plus its slope towards the lower right: as if lit from there."""


def gaussian(sigma: float) -> np.ndarray:
    """A Gaussian along one axis: g[i] = exp(−i² / 2σ²), divided by the sum of all.

    The two-dimensional one is the outer product of two of these, so blurring is two short convolutions.

    Args:
        sigma: standard deviation in pixels, above 0 and at most MOST_SIGMA.

    Returns: float64 (2r + 1,) with r = ⌊4σ + ½⌋.

    Raises:
        ValueError: for another sigma.
    """
    if not 0 < sigma <= MOST_SIGMA:
        raise ValueError(f"sigma must be above 0 and at most {MOST_SIGMA:g} pixels, got {sigma}")
    radius = math.floor(REACH * sigma + 0.5)
    distance = np.arange(-radius, radius + 1) / sigma
    weights = np.exp(-0.5 * distance**2)
    return weights / weights.sum()
