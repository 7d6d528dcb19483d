"""Chapter 5: the gradient with respect to x."""

import numpy as np


def fold(columns, output_size, kernel_size: int, dilation: int = 1, padding: int = 0, stride: int = 1):
    """col2im: every column added where its window lies; what lands in the padding is dropped.

    Args:
        columns: (N, C·K·K, OH·OW), laid out as `unfold` of chapter 4 returns them.
        output_size: (H, W) of the image, or one int for both; H, W = np.broadcast_to(output_size, 2) takes either.
        kernel_size: K.
        dilation, padding, stride: ints, the same for rows and columns.

    Returns: (N, C, H, W), each pixel the sum of all that belongs to it.
    """
    H, W = np.broadcast_to(output_size, 2)
    K, extent = kernel_size, (kernel_size - 1) * dilation + 1
    N, C = len(columns), columns.shape[1] // (K * K)
    OH = (H + 2 * padding - extent) // stride + 1
    OW = (W + 2 * padding - extent) // stride + 1
    columns = columns.reshape(N, C, K, K, OH, OW)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), columns.dtype)
    for p in range(K):
        for q in range(K):
            top, left = p * dilation, q * dilation
            bottom, right = top + (OH - 1) * stride + 1, left + (OW - 1) * stride + 1
            padded[:, :, top:bottom:stride, left:right:stride] += columns[:, :, p, q]
    return padded[:, :, padding : padding + H, padding : padding + W]


def grad_input(grad_output, weight, size, stride=1, padding=0, dilation=1):
    """The gradient of a convolution with respect to its images.

    Args:
        grad_output: the gradient with respect to y, (N, O, OH, OW).
        weight: (O, C, K, K).
        size: (H, W) of the images.
        stride, padding, dilation: as in the convolution.

    Returns: the gradient with respect to x, (N, C, H, W).
    """
    N, O = grad_output.shape[:2]
    _, C, K, _ = weight.shape
    rows = grad_output.reshape(N, O, grad_output.shape[2] * grad_output.shape[3])  # (N, O, OH·OW)
    columns = weight.reshape(O, C * K * K).T @ rows  # (C·K·K, O) @ (N, O, OH·OW)
    return fold(columns, size, K, dilation, padding, stride)
