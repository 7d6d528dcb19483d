"""Convolution as seven plain Python loops, and its gradients as the same seven."""

from collections.abc import Iterator

import numpy as np

from benchmarks.work.judged.window import Pair, window


def _products(x, weight, stride, padding, dilation, groups) -> Iterator[tuple]:
    """The indices of y, x and weight of every product whose pixel lies inside the image."""
    win = window(x, weight, stride, padding, dilation)
    N, _, H, W = x.shape
    O, CG, KH, KW = weight.shape
    for n in range(N):
        for o in range(O):
            first = o // (O // groups) * CG
            for i in range(win.output[0]):
                for j in range(win.output[1]):
                    for c in range(CG):
                        for p in range(KH):
                            row = i * win.stride[0] - win.before[0] + p * win.dilation[0]
                            for q in range(KW):
                                column = j * win.stride[1] - win.before[1] + q * win.dilation[1]
                                if 0 <= row < H and 0 <= column < W:
                                    yield (n, o, i, j), (n, first + c, row, column), (o, c, p, q)


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
    y = np.zeros((len(x), len(weight), *window(x, weight, stride, padding, dilation).output), x.dtype)
    if bias is not None:
        y += bias[:, None, None]
    with np.errstate(all="ignore"):
        for output, pixel, tap in _products(x, weight, stride, padding, dilation, groups):
            y[output] += x[pixel] * weight[tap]
    return y


def conv2d_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The gradients with respect to x, weight and bias."""
    grad_x, grad_weight = np.zeros(x.shape, x.dtype), np.zeros(weight.shape, weight.dtype)
    with np.errstate(all="ignore"):
        for output, pixel, tap in _products(x, weight, stride, padding, dilation, groups):
            grad_x[pixel] += grad_output[output] * weight[tap]
            grad_weight[tap] += grad_output[output] * x[pixel]
    return grad_x, grad_weight, None if bias is None else grad_output.sum((0, 2, 3))
