"""Image filters of the textbooks, each a convolution with a kernel of fixed numbers: `minicnn filters` as functions.

    from minicnn import filters

    edges = filters.filter2d(image, filters.SOBEL_X)
    smooth = filters.gaussian_blur(image, sigma=2)

A trained network's first layer learns kernels much like these. All of them run through
`minicnn.nn.functional.conv2d`, and agree with scipy.ndimage's where the border repeats (`mode="nearest"`).
"""

from minicnn.filters.applying import filter2d, gaussian_blur, sobel_magnitude
from minicnn.filters.kernels import EMBOSS, LAPLACIAN, SHARPEN, SOBEL_X, SOBEL_Y, gaussian

__all__ = [
    "EMBOSS",
    "LAPLACIAN",
    "SHARPEN",
    "SOBEL_X",
    "SOBEL_Y",
    "filter2d",
    "gaussian",
    "gaussian_blur",
    "sobel_magnitude",
]
