"""Convolution as an einsum over a view of the padded image in which every window is two axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.work.judged.window import Pair, Window, window


def _windows(padded: np.ndarray, win: Window, groups: int) -> np.ndarray:
    """A view (N, G, C/G, OH, OW, KH, KW) of an image with its border."""
    (down, right), (rows, columns) = win.stride, win.dilation
    view = sliding_window_view(padded, win.extent, (2, 3))[:, :, ::down, ::right, ::rows, ::columns]
    N, C, *rest = view.shape
    return view.reshape(N, groups, C // groups, *rest)


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
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    y = np.einsum("ngcijpq,gocpq->ngoij", _windows(win.pad(x), win, groups), kernels)
    y = y.reshape(len(x), len(weight), *win.output)
    return y if bias is None else y + bias[:, None, None]


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
    g = grad_output.reshape(len(x), groups, len(weight) // groups, *win.output)
    grad_weight = np.einsum("ngoij,ngcijpq->gocpq", g, _windows(win.pad(x), win, groups)).reshape(weight.shape)
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    padded = win.pad(np.zeros(x.shape, x.dtype))
    for p, q in np.ndindex(win.kernel):
        by_tap = np.einsum("ngoij,goc->ngcij", g, kernels[..., p, q])
        padded[win.tap(p, q)] += by_tap.reshape(*x.shape[:2], *win.output)
    return win.crop(padded), grad_weight, None if bias is None else np.einsum("noij->o", grad_output)
