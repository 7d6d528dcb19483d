"""Chapter 13: Winograd's algorithm on a 4 × 4 tile."""

import numpy as np

A_T = np.array([[1.0, 1, 1, 0], [0, 1, -1, -1]])
B_T = np.array([[1.0, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1.0]])


def kernel_transform(g):
    """U = G g Gᵀ.

    Args:
        g: the kernel, (3, 3).

    Returns: (4, 4).
    """
    return G @ g @ G.T


def tile_transform(d):
    """V = Bᵀ d B.

    Args:
        d: a tile of the image, (4, 4).

    Returns: (4, 4).
    """
    return B_T @ d @ B_T.T


def winograd_tile(d, g):
    """Four output pixels with 16 multiplications: Y = Aᵀ [U ⊙ V] A.

    Args:
        d: a tile of the image, (4, 4).
        g: the kernel, (3, 3).

    Returns: what a convolution makes of the tile, (2, 2).
    """
    return A_T @ (kernel_transform(g) * tile_transform(d)) @ A_T.T


def conv2d(x, weight):
    """A convolution of one channel, stride 1, no padding, tile by tile.

    Args:
        x: the image, (H, W), H and W even.
        weight: the kernel, (3, 3).

    Returns: (H − 2, W − 2).
    """
    H, W = x.shape
    y = np.zeros((H - 2, W - 2))
    for i in range(0, H - 2, 2):
        for j in range(0, W - 2, 2):
            y[i : i + 2, j : j + 2] = winograd_tile(x[i : i + 4, j : j + 4], weight)
    return y
