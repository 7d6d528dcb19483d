"""Convolution as a product of spectra: its cost doesn't grow with the kernel.

By the convolution theorem, with F the discrete Fourier transform over rows and columns, ⋅ the product of each
frequency apart and * the conjugate (which makes a correlation of a convolution),

    F(y) = F(x) ⋅ F(w)*        ∂x: F(g) ⋅ F(w)        ∂w: F(x) ⋅ F(g)*

x is padded, w has zeros between its taps where it is dilated, g between its cells where there is a stride; all are
filled up with zeros to a common size, so that nothing wraps around, and y is read at every stride-th cell. Over
channels each frequency is a matrix product. (Mathieu, Henaff & LeCun, "Fast training of convolutional networks
through FFTs", 2014.)

Errors spread over the whole image: they are small beside its largest values, not beside each value.
"""

import numpy as np

from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.sums import product


def _fast_length(least: int) -> int:
    """The smallest size of at least `least` whose only prime factors are 2, 3 and 5."""
    size = least
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1


def _sizes(geometry: Geometry) -> tuple[int, int]:
    return _fast_length(geometry.height.padded), _fast_length(geometry.width.padded)


def _image(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """F of the padded image: (N, H, W, C) → (frequencies, N, C)"""
    h, w = geometry.height, geometry.width
    size = _sizes(geometry)
    padded = np.zeros((x.shape[0], *size, x.shape[3]), x.dtype)
    padded[:, h.before : h.before + h.size, w.before : w.before + w.size] = x
    return _by_frequency(_spectrum(padded, (1, 2)).transpose(1, 2, 0, 3))


def _kernel(weight: np.ndarray, geometry: Geometry) -> np.ndarray:
    """F of the kernel with zeros between its taps: (O, C, KH, KW) → (frequencies, C, O)"""
    h, w = geometry.height, geometry.width
    stuffed = np.zeros((*weight.shape[:2], *_sizes(geometry)), weight.dtype)
    stuffed[:, :, : h.extent : h.dilation, : w.extent : w.dilation] = weight
    return _by_frequency(_spectrum(stuffed, (2, 3)).transpose(2, 3, 1, 0))


def _gradient(g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """F of the gradient with zeros between its cells: (N, OH, OW, O) → (frequencies, N, O)"""
    h, w = geometry.height, geometry.width
    stuffed = np.zeros((g.shape[0], *_sizes(geometry), g.shape[3]), g.dtype)
    stuffed[:, _cells(h), _cells(w)] = g
    return _by_frequency(_spectrum(stuffed, (1, 2)).transpose(1, 2, 0, 3))


def _cells(axis: Axis) -> slice:
    """Where the cells' origins lie in the padded image."""
    return slice(0, (axis.output - 1) * axis.stride + 1, axis.stride)


def _spectrum(array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    if not array.size:  # NumPy refuses to transform no images
        shape = list(array.shape)
        shape[axes[1]] = shape[axes[1]] // 2 + 1
        return np.zeros(shape, np.result_type(array.dtype, np.complex64))
    return np.fft.rfft2(array, axes=axes)


def _by_frequency(spectrum: np.ndarray) -> np.ndarray:
    """(rows, columns, A, B) → (frequencies, A, B)"""
    return spectrum.reshape(spectrum.shape[0] * spectrum.shape[1], *spectrum.shape[2:])


def _back(spectrum: np.ndarray, geometry: Geometry, dtype: np.dtype) -> np.ndarray:
    """F⁻¹: (frequencies, A, B) → (rows, columns, A, B)"""
    size = _sizes(geometry)
    if not spectrum.size:
        return np.zeros((*size, *spectrum.shape[1:]), dtype)
    grid = spectrum.reshape(size[0], size[1] // 2 + 1, *spectrum.shape[1:])
    return np.fft.irfft2(grid, size, axes=(0, 1)).astype(dtype, copy=False)


def _split(array: np.ndarray, groups: int, axis: int) -> list[np.ndarray]:
    return np.split(array, groups, axis) if groups > 1 else [array]


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,)."""
    groups = x.shape[3] // weight.shape[1]
    parts = []
    for x_part, w_part in zip(_split(x, groups, 3), _split(weight, groups, 0), strict=True):
        # (frequencies, N, C) @ (frequencies, C, O)
        y = _back(product(_image(x_part, geometry), _kernel(w_part, geometry).conj()), geometry, x.dtype)
        parts.append(y[_cells(geometry.height), _cells(geometry.width)].transpose(2, 0, 1, 3))
    y = np.ascontiguousarray(np.concatenate(parts, 3))
    if bias is not None:
        y += bias
    return y


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given the gradient with respect to y (N, OH, OW, O)."""
    h, w = geometry.height, geometry.width
    parts = []
    for g_part, w_part in zip(_split(grad_output, groups, 3), _split(weight, groups, 0), strict=True):
        # (frequencies, N, O) @ (frequencies, O, C)
        spectrum = product(_gradient(g_part, geometry), _kernel(w_part, geometry).swapaxes(1, 2))
        padded = _back(spectrum, geometry, grad_output.dtype)
        inside = padded[h.before : h.before + h.size, w.before : w.before + w.size]
        parts.append(inside.transpose(2, 0, 1, 3))
    return np.ascontiguousarray(np.concatenate(parts, 3))


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    h, w = geometry.height, geometry.width
    parts = []
    for x_part, g_part in zip(_split(x, groups, 3), _split(grad_output, groups, 3), strict=True):
        # (frequencies, C, N) @ (frequencies, N, O)
        spectrum = product(_image(x_part, geometry).swapaxes(1, 2), _gradient(g_part, geometry).conj())
        lags = _back(spectrum, geometry, x.dtype)
        parts.append(lags[: h.extent : h.dilation, : w.extent : w.dilation].transpose(3, 2, 0, 1))
    return np.concatenate(parts, 0)
