"""Convolution as a product of spectra, in float64 whatever the arrays are.

A transform mixes all pixels of an image, so its error stands beside the largest pixel: judge it with `--factor 64`.
"""

import numpy as np

from benchmarks.work.judged import strided_view
from benchmarks.work.judged.window import Pair, window

FACTOR = 64.0


def conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """y (N, O, OH, OW)"""
    if not (np.isfinite(x).all() and np.isfinite(weight).all()):  # one NaN would fill its image
        return strided_view.conv2d(x, weight, bias, stride, padding, dilation, groups)
    win = window(x, weight, stride, padding, dilation)
    padded = win.pad(x.astype(np.float64))
    size = padded.shape[2:]
    spread = np.zeros((*weight.shape[:2], *win.extent))  # with zeros between the taps
    spread[:, :, :: win.dilation[0], :: win.dilation[1]] = weight
    # the conjugate makes a correlation of a convolution; the windows that wrap around the image are cut off below
    kernels = np.conj(np.fft.rfft2(spread, size)).reshape(
        groups, len(weight) // groups, weight.shape[1], size[0], size[1] // 2 + 1
    )
    images = np.fft.rfft2(padded).reshape(len(x), groups, weight.shape[1], *kernels.shape[3:])
    spectra = np.einsum("ngcuv,gocuv->ngouv", images, kernels)
    y = np.fft.irfft2(spectra, size).reshape(len(x), len(weight), *size)[win.tap(0, 0)]
    if bias is not None:
        y = y + bias[:, None, None]
    with np.errstate(over="ignore"):
        return y.astype(x.dtype)
