"""Pooling as Python loops over windows, and the gradients sent back the same way."""

from collections.abc import Iterator

import numpy as np

Pair = int | tuple[int, int]


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _starts(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> range:
    """Where the windows along an axis start, counted from the image's first pixel."""
    room = size + 2 * padding - (kernel - 1) * dilation - 1
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (count - 1) * stride >= size + padding:  # the last window would see nothing
        count -= 1
    return range(-padding, (count - 1) * stride - padding + 1, stride)


def _axes(shape, kernel_size, stride, padding, dilation, ceil_mode) -> tuple[list[range], tuple[int, int]]:
    """The starts of the windows along both axes, and the kernel's sizes."""
    kernel = _pair(kernel_size)
    steps = kernel if stride is None else _pair(stride)
    options = zip(shape[-2:], kernel, steps, _pair(padding), _pair(dilation), strict=True)
    return [_starts(*option, ceil_mode) for option in options], kernel


def _winners(x, kernel_size, stride, padding, dilation, ceil_mode) -> Iterator[tuple[tuple, tuple]]:
    """The index of every output pixel, and of the pixel that is its maximum: the first of equals, a NaN before all."""
    (rows, columns), (KH, KW) = _axes(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    down, right = _pair(dilation)
    for *image, i, j in np.ndindex(*x.shape[:-2], len(rows), len(columns)):
        best: tuple | None = None
        for p in range(KH):
            for q in range(KW):
                row, column = rows[i] + p * down, columns[j] + q * right
                if 0 <= row < x.shape[-2] and 0 <= column < x.shape[-1]:
                    here = (*image, row, column)
                    if best is None or x[here] > x[best] or np.isnan(x[here]):
                        best = here
        assert best is not None
        yield (*image, i, j), best


def _output(x, kernel_size, stride, padding, dilation, ceil_mode) -> np.ndarray:
    rows, columns = _axes(x.shape, kernel_size, stride, padding, dilation, ceil_mode)[0]
    return np.zeros((*x.shape[:-2], len(rows), len(columns)), x.dtype)


def max_pool2d(
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """y (N, C, OH, OW)"""
    y = _output(x, kernel_size, stride, padding, dilation, ceil_mode)
    for output, pixel in _winners(x, kernel_size, stride, padding, dilation, ceil_mode):
        y[output] = x[pixel]
    return y


def max_pool2d_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """The gradient with respect to x."""
    grad_x = np.zeros(x.shape, x.dtype)
    for output, pixel in _winners(x, kernel_size, stride, padding, dilation, ceil_mode):
        grad_x[pixel] += grad_output[output]
    return grad_x


def _means(
    x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
) -> Iterator[tuple[tuple, tuple, int]]:
    """The index of every output pixel, that of its window inside the image, and what the window's sum is divided by."""
    (rows, columns), (KH, KW) = _axes(x.shape, kernel_size, stride, padding, 1, ceil_mode)
    (H, W), (above, left) = x.shape[-2:], _pair(padding)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            inside = slice(max(row, 0), min(row + KH, H)), slice(max(column, 0), min(column + KW, W))
            if divisor_override:
                count = divisor_override
            elif count_include_pad:  # but not what ceil_mode adds behind the padding
                count = (min(row + KH, H + above) - row) * (min(column + KW, W + left) - column)
            else:
                count = (inside[0].stop - inside[0].start) * (inside[1].stop - inside[1].start)
            yield (..., i, j), (..., *inside), count


def avg_pool2d(
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """y (N, C, OH, OW)"""
    y = _output(x, kernel_size, stride, padding, 1, ceil_mode)
    windows = _means(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    for output, inside, count in windows:
        y[output] = x[inside].sum((-2, -1)) / count
    return y


def avg_pool2d_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The gradient with respect to x."""
    grad_x = np.zeros(x.shape, x.dtype)
    windows = _means(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    for output, inside, count in windows:
        grad_x[inside] += grad_output[output][..., None, None] / count
    return grad_x


def adaptive_avg_pool2d(x: np.ndarray, output_size: int | tuple[int | None, int | None]) -> np.ndarray:
    """y (N, C, OH, OW)"""
    wanted = (output_size, output_size) if isinstance(output_size, int) else output_size
    H, W = x.shape[-2:]
    OH, OW = (size if one is None else one for one, size in zip(wanted, (H, W), strict=True))
    y = np.zeros((*x.shape[:-2], OH, OW), x.dtype)
    for i in range(OH):
        for j in range(OW):
            rows, columns = slice(i * H // OH, -(-(i + 1) * H // OH)), slice(j * W // OW, -(-(j + 1) * W // OW))
            y[..., i, j] = x[..., rows, columns].mean((-2, -1))
    return y
