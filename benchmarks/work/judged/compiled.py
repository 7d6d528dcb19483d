"""A Numba kernel of a user's own: row-major loops, threads over images and outputs, one accumulator."""

import numpy as np
from numba import njit, prange

from benchmarks.work.judged.window import Pair, window


@njit(parallel=True, cache=True)
def _forward(x, weight, y, stride, dilation, before):
    N, _, H, W = x.shape
    O, CG, KH, KW = weight.shape
    OG = O // (x.shape[1] // CG)
    for task in prange(N * O):
        n, o = task // O, task % O
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                total = y[n, o, i, j]
                for c in range(CG):
                    for p in range(KH):
                        row = i * stride[0] - before[0] + p * dilation[0]
                        for q in range(KW):
                            column = j * stride[1] - before[1] + q * dilation[1]
                            if 0 <= row < H and 0 <= column < W:
                                total += x[n, o // OG * CG + c, row, column] * weight[o, c, p, q]
                y[n, o, i, j] = total


@njit(cache=True)
def _backward(g, x, weight, grad_x, grad_weight, stride, dilation, before):
    N, _, H, W = x.shape
    O, CG, KH, KW = weight.shape
    OG = O // (x.shape[1] // CG)
    for o in range(O):
        for c in range(CG):
            for p in range(KH):
                for q in range(KW):
                    total = grad_weight[o, c, p, q]
                    for n in range(N):
                        for i in range(g.shape[2]):
                            row = i * stride[0] - before[0] + p * dilation[0]
                            for j in range(g.shape[3]):
                                column = j * stride[1] - before[1] + q * dilation[1]
                                if 0 <= row < H and 0 <= column < W:
                                    channel = o // OG * CG + c
                                    total += g[n, o, i, j] * x[n, channel, row, column]
                                    grad_x[n, channel, row, column] += g[n, o, i, j] * weight[o, c, p, q]
                    grad_weight[o, c, p, q] = total


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
    win = window(x, weight, stride, padding, dilation)
    y = np.zeros((len(x), len(weight), *win.output), x.dtype)
    if bias is not None:
        y += bias[:, None, None]
    if y.size:
        _forward(np.array(x, order="C"), np.array(weight, order="C"), y, win.stride, win.dilation, win.before)
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
    win = window(x, weight, stride, padding, dilation)
    g, image, kernels = (np.array(array, order="C") for array in (grad_output, x, weight))
    grad_x, grad_weight = np.zeros_like(image), np.zeros_like(kernels)
    _backward(g, image, kernels, grad_x, grad_weight, win.stride, win.dilation, win.before)
    return grad_x, grad_weight, None if bias is None else g.sum((0, 2, 3))
