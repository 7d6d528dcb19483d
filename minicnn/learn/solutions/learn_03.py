"""Chapter 3: convolution in seven loops."""

import numpy as np


def conv2d(x, weight, bias=None, stride: int = 1, padding: int = 0, dilation: int = 1):
    """A convolution, as seven loops.

    Args:
        x: the images, (N, C, H, W).
        weight: the kernels, (O, C, KH, KW).
        bias: (O,), or None.
        stride, padding, dilation: ints, the same for rows and columns.

    Returns: y, (N, O, OH, OW), of x's dtype.
    """
    N, C, H, W = x.shape
    O, _, KH, KW = weight.shape
    OH = (H + 2 * padding - (KH - 1) * dilation - 1) // stride + 1
    OW = (W + 2 * padding - (KW - 1) * dilation - 1) // stride + 1
    y = np.zeros((N, O, OH, OW), x.dtype)
    for n in range(N):
        for o in range(O):
            for i in range(OH):
                for j in range(OW):
                    for c in range(C):
                        for p in range(KH):
                            for q in range(KW):
                                row = i * stride - padding + p * dilation
                                column = j * stride - padding + q * dilation
                                if 0 <= row < H and 0 <= column < W:
                                    y[n, o, i, j] += x[n, c, row, column] * weight[o, c, p, q]
    if bias is not None:
        y += bias[:, None, None]
    return y
