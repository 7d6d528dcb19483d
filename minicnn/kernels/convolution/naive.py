"""Convolution by its definition: seven loops.

    y[n, i, j, o] = bias[o] + Σ over c, p, q of  x[n, i·s − P + p·d, j·s − P + q·d, c] · weight[o, c, p, q]

with stride s, padding P and dilation d; x counts as 0 outside the image. The gradients are the same loops
with the roles exchanged: every product x · weight that went into y sends g · weight back to x and g · x back
to weight. The first rung of the ladder: nothing here is clever, so that the others can be checked against it. Sums are
float64, lest rounding add up.
"""

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.geometry import Geometry


@kernel
def _forward(x, weight, y, stride, dilation, before):
    N, H, W, C = x.shape
    O, CG, KH, KW = weight.shape
    OG = O // (C // CG)
    for n in range(N):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for o in range(O):
                    first = (o // OG) * CG  # the group's first channel
                    for p in range(KH):
                        row = i * stride[0] - before[0] + p * dilation[0]
                        for q in range(KW):
                            column = j * stride[1] - before[1] + q * dilation[1]
                            if 0 <= row < H and 0 <= column < W:
                                for c in range(CG):
                                    y[n, i, j, o] += x[n, row, column, first + c] * weight[o, c, p, q]


@kernel
def _grad_input(g, weight, grad_x, stride, dilation, before):
    N, H, W, C = grad_x.shape
    O, CG, KH, KW = weight.shape
    OG = O // (C // CG)
    for n in range(N):
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                for o in range(O):
                    first = (o // OG) * CG
                    for p in range(KH):
                        row = i * stride[0] - before[0] + p * dilation[0]
                        for q in range(KW):
                            column = j * stride[1] - before[1] + q * dilation[1]
                            if 0 <= row < H and 0 <= column < W:
                                for c in range(CG):
                                    grad_x[n, row, column, first + c] += g[n, i, j, o] * weight[o, c, p, q]


@kernel
def _grad_weight(x, g, grad_weight, stride, dilation, before):
    N, H, W, C = x.shape
    O, CG, KH, KW = grad_weight.shape
    OG = O // (C // CG)
    for n in range(N):
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                for o in range(O):
                    first = (o // OG) * CG
                    for p in range(KH):
                        row = i * stride[0] - before[0] + p * dilation[0]
                        for q in range(KW):
                            column = j * stride[1] - before[1] + q * dilation[1]
                            if 0 <= row < H and 0 <= column < W:
                                for c in range(CG):
                                    grad_weight[o, c, p, q] += g[n, i, j, o] * x[n, row, column, first + c]


def _window(geometry: Geometry) -> tuple:
    rows, columns = geometry.height, geometry.width
    return (rows.stride, columns.stride), (rows.dilation, columns.dilation), (rows.before, columns.before)


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,)."""
    y = np.zeros((x.shape[0], *geometry.output_size, weight.shape[0]))
    if bias is not None:
        y += bias
    _forward(x, np.ascontiguousarray(weight), y, *_window(geometry))
    return y.astype(x.dtype, copy=False)


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given the gradient with respect to y (N, OH, OW, O)."""
    shape = (grad_output.shape[0], *geometry.input_size, weight.shape[1] * groups)
    grad_x = np.zeros(shape)
    _grad_input(grad_output, np.ascontiguousarray(weight), grad_x, *_window(geometry))
    return grad_x.astype(grad_output.dtype, copy=False)


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    grad = np.zeros((grad_output.shape[3], x.shape[3] // groups, *geometry.kernel))
    _grad_weight(x, grad_output, grad, *_window(geometry))
    return grad.astype(x.dtype, copy=False)
