"""Chapter 4: the patch matrix, and convolution as one product."""

import numpy as np


def unfold(x, kernel_size: int, dilation: int = 1, padding: int = 0, stride: int = 1):
    """im2col: every window as a column.

    Args:
        x: the images, (N, C, H, W).
        kernel_size: K, rows and columns of a window.
        dilation, padding, stride: ints, the same for rows and columns.

    Returns: (N, C·K·K, OH·OW). Row (c·K + p)·K + q holds what tap (p, q) of channel c sees, column i·OW + j the window
        of output pixel (i, j).
    """
    N, C, H, W = x.shape
    K, extent = kernel_size, (kernel_size - 1) * dilation + 1
    OH = (H + 2 * padding - extent) // stride + 1
    OW = (W + 2 * padding - extent) // stride + 1
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    columns = np.zeros((N, C, K, K, OH, OW), x.dtype)
    for p in range(K):
        for q in range(K):
            top, left = p * dilation, q * dilation
            bottom, right = top + (OH - 1) * stride + 1, left + (OW - 1) * stride + 1
            columns[:, :, p, q] = padded[:, :, top:bottom:stride, left:right:stride]
    return columns.reshape(N, C * K * K, OH * OW)


def conv2d(x, weight, bias=None, stride: int = 1, padding: int = 0, dilation: int = 1):
    """A convolution, as one product with the patch matrix.

    Args:
        x: the images, (N, C, H, W).
        weight: the kernels, (O, C, K, K); square ones.
        bias: (O,), or None.
        stride, padding, dilation: ints, the same for rows and columns.

    Returns: y, (N, O, OH, OW).
    """
    N, _, H, W = x.shape
    O, C, K, _ = weight.shape
    OH = (H + 2 * padding - (K - 1) * dilation - 1) // stride + 1
    OW = (W + 2 * padding - (K - 1) * dilation - 1) // stride + 1
    columns = unfold(x, K, dilation, padding, stride)  # (N, C·K·K, OH·OW)
    y = weight.reshape(O, C * K * K) @ columns  # (O, C·K·K) @ (N, C·K·K, OH·OW)
    if bias is not None:
        y = y + bias[:, None]
    return y.reshape(N, O, OH, OW)
