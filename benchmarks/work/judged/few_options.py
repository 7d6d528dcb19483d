"""A convolution of someone who needed no more: a stride, a padding of one number, no bias."""

import numpy as np


def conv2d(x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """y (N, O, OH, OW)"""
    KH, KW = weight.shape[2:]
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    y = np.empty((len(x), len(weight), OH, OW), x.dtype)
    for i in range(OH):
        for j in range(OW):
            patches = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            y[:, :, i, j] = np.tensordot(patches, weight, ((1, 2, 3), (1, 2, 3)))
    return y
