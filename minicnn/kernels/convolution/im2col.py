"""Convolution by im2col: write out every window as a row, then multiply two matrices.

    patches = im2col(x)                          (N·OH·OW, KH·KW·C)
    y       = patches @ matrix(weight) + bias    (N·OH·OW, KH·KW·C) @ (KH·KW·C, O)

Both gradients are matrix products too, and `col2im` adds the rows back to where they were read. The
textbook algorithm (Chellapilla, Puri & Simard, 2006): one large product that BLAS does well, for the price of
a matrix that holds every input value KH·KW times.

The rungs between this one and `implicit` (`tiled`, `packed`, `registers`) change only how the product is computed. They
hand theirs to the functions here, as `multiply`.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minicnn.kernels.geometry import Geometry
from minicnn.kernels.sums import product

Product = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""a @ b of matrices (M, K) and (K, O) in any order of memory."""


def im2col(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Every window of an image, padded with zeros where it leaves it.

    Args:
        x: (N, H, W, C).

    Returns: (N, OH, OW, KH, KW, C), a view of the padded image; reshaping it writes the patch matrix.
    """
    rows, columns = geometry.height, geometry.width
    if geometry.is_padded:
        x = np.pad(x, ((0, 0), (rows.before, rows.after), (columns.before, columns.after), (0, 0)))
    n, h, w, c = x.strides
    return as_strided(
        x,
        (x.shape[0], rows.output, columns.output, rows.kernel, columns.kernel, x.shape[3]),
        (n, h * rows.stride, w * columns.stride, h * rows.dilation, w * columns.dilation, c),
        writeable=False,
    )


def col2im(patches: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The adjoint of `im2col`: every patch added back to where it was read.

    Args:
        patches: (N, OH, OW, KH, KW, C).

    Returns: (N, H, W, C)
    """
    rows, columns = geometry.height, geometry.width
    N, OH, OW, KH, KW, C = patches.shape
    image = np.zeros((N, rows.padded, columns.padded, C), patches.dtype)
    for p in range(KH):
        i = slice(p * rows.dilation, p * rows.dilation + OH * rows.stride, rows.stride)
        for q in range(KW):
            j = slice(q * columns.dilation, q * columns.dilation + OW * columns.stride, columns.stride)
            image[:, i, j] += patches[:, :, :, p, q]
    inside = image[:, rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]
    return np.ascontiguousarray(inside)


def matrix(weight: np.ndarray) -> np.ndarray:
    """Weights (O, C, KH, KW) as a matrix (KH·KW·C, O) in the order of a patch."""
    return weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, multiply: Product = product
) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,)."""
    N, C = x.shape[0], x.shape[3]
    O, CG, KH, KW = weight.shape
    groups = C // CG
    OG, cells = O // groups, N * geometry.height.output * geometry.width.output
    y = np.empty((cells, O), x.dtype)
    for group in range(groups):
        outputs = slice(group * OG, (group + 1) * OG)
        windows = im2col(x[..., group * CG : (group + 1) * CG], geometry)
        # (N·OH·OW, KH·KW·CG) @ (KH·KW·CG, OG)
        y[:, outputs] = multiply(windows.reshape(cells, KH * KW * CG), matrix(weight[outputs]))
    if bias is not None:
        y += bias
    return y.reshape(N, *geometry.output_size, O)


def grad_input(
    grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int, multiply: Product = product
) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given the gradient with respect to y (N, OH, OW, O)."""
    N, OH, OW, O = grad_output.shape
    _, CG, KH, KW = weight.shape
    OG = O // groups
    parts = []
    for group in range(groups):
        outputs = slice(group * OG, (group + 1) * OG)
        g = grad_output[..., outputs].reshape(N * OH * OW, OG)
        patches = multiply(g, matrix(weight[outputs]).T)  # (N·OH·OW, OG) @ (OG, KH·KW·CG)
        parts.append(col2im(patches.reshape(N, OH, OW, KH, KW, CG), geometry))
    return parts[0] if groups == 1 else np.concatenate(parts, axis=3)


def grad_weight(
    x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int, multiply: Product = product
) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    N, OH, OW, O = grad_output.shape
    CG, OG = x.shape[3] // groups, O // groups
    KH, KW = geometry.kernel
    grad = np.empty((O, CG, KH, KW), x.dtype)
    for group in range(groups):
        outputs = slice(group * OG, (group + 1) * OG)
        windows = im2col(x[..., group * CG : (group + 1) * CG], geometry)
        patches = windows.reshape(N * OH * OW, KH * KW * CG)
        g = grad_output[..., outputs].reshape(N * OH * OW, OG)
        # (KH·KW·CG, N·OH·OW) @ (N·OH·OW, OG)
        grad[outputs] = multiply(patches.T, g).reshape(KH, KW, CG, OG).transpose(3, 2, 0, 1)
    return grad
