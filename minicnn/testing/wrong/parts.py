"""Right implementations in a few lines each, which the wrong ones are made from.

Everything is computed in float64 and rounded once to the dtype of the input. Images are (N, C, H, W), patches are
(N, C, OH, OW, KH, KW): for every output pixel the pixels its window sees.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Widths = tuple[tuple[int, int], tuple[int, int]]


def pair(value: Any) -> tuple[int, int]:
    """(value, value) for an int, a pair as it is."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def padding_widths(padding: Any, kernel: Any, dilation: Any) -> Widths:
    """How many pixels padding adds ((above, below), (left, right)); an odd remainder of "same" goes below and right."""
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, pair(dilation), strict=True)]
    else:
        totals = [0 if padding == "valid" else 2 * p for p in pair(padding)]
    above, left = (total // 2 for total in totals)
    return (above, totals[0] - above), (left, totals[1] - left)


def padded(x: np.ndarray, widths: Widths, value: float = 0) -> np.ndarray:
    """`x` with pixels of one value around it."""
    (above, below), (left, right) = widths
    N, C, H, W = x.shape
    y = np.full((N, C, above + H + below, left + W + right), value, x.dtype)
    y[:, :, above : above + H, left : left + W] = x
    return y


def cropped(x: np.ndarray, widths: Widths) -> np.ndarray:
    """`x` without the pixels that `padded` added."""
    (above, below), (left, right) = widths
    return x[:, :, above : x.shape[2] - below, left : x.shape[3] - right]


def windows(x: np.ndarray, kernel: Any, stride: Any = 1, dilation: Any = 1) -> np.ndarray:
    """The patches of an image, as a view."""
    (KH, KW), (SH, SW), (DH, DW) = pair(kernel), pair(stride), pair(dilation)
    view = sliding_window_view(x, (DH * (KH - 1) + 1, DW * (KW - 1) + 1), (2, 3))
    return view[:, :, ::SH, ::SW, ::DH, ::DW]


def added_up(patches: np.ndarray, size: Any, stride: Any = 1, dilation: Any = 1) -> np.ndarray:
    """Patches added where `windows` reads them, in an image of (H, W): the adjoint of `windows`."""
    (SH, SW), (DH, DW) = pair(stride), pair(dilation)
    OH, OW, KH, KW = patches.shape[2:]
    image = np.zeros((*patches.shape[:2], *size))
    for p, q in np.ndindex(KH, KW):
        rows = slice(p * DH, p * DH + (OH - 1) * SH + 1, SH)
        columns = slice(q * DW, q * DW + (OW - 1) * SW + 1, SW)
        image[:, :, rows, columns] += patches[..., p, q]
    return image


def wide(x: np.ndarray) -> np.ndarray:
    """`x` in float64."""
    return x.astype(np.float64)


def grouped(x: np.ndarray, groups: int, axis: int) -> np.ndarray:
    """An axis of channels split in two: groups, channels of a group."""
    return x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])


def ungrouped(x: np.ndarray, axis: int) -> np.ndarray:
    """Groups and channels of a group as one axis again."""
    return x.reshape(*x.shape[:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2 :])


def per_channel(vector: np.ndarray | None, dimensions: int = 4) -> Any:
    """A vector over the channels that broadcasts over (N, C, …); 0 for None."""
    return 0 if vector is None else wide(vector).reshape(1, -1, *[1] * (dimensions - 2))


# Convolution


def patches_of(x: np.ndarray, kernel: Any, stride: Any, padding: Any, dilation: Any) -> np.ndarray:
    """The patches that a convolution multiplies with its kernel, in float64."""
    return windows(padded(wide(x), padding_widths(padding, kernel, dilation)), kernel, stride, dilation)


def products(patches: np.ndarray, weight: np.ndarray, groups: int = 1) -> np.ndarray:
    """Σ over c, p, q of patches · weight: (N, O, OH, OW)."""
    by_group = grouped(patches, groups, 1), grouped(wide(weight), groups, 0)
    return ungrouped(np.einsum("ngcijpq,gocpq->ngoij", *by_group), 1)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n, o, i, j] = bias[o] + Σ over c, p, q of x[n, c, i·s − P + p·d, j·s − P + q·d] · weight[o, c, p, q]."""
    patches = patches_of(x, weight.shape[2:], stride, padding, dilation)
    return (products(patches, weight, groups) + per_channel(bias)).astype(x.dtype)


def grad_patches(grad_output, weight, groups=1):
    """What every window gives back to the pixels it sees: grad_output times the kernel, (N, C, OH, OW, KH, KW)."""
    by_group = grouped(wide(grad_output), groups, 1), grouped(wide(weight), groups, 0)
    return ungrouped(np.einsum("ngoij,gocpq->ngcijpq", *by_group), 1)


def conv2d_grad_input(grad_output, size, weight, stride=1, padding=0, dilation=1, groups=1):
    """The gradient with respect to an image of (H, W): what the windows give back, added up where they lie."""
    widths = padding_widths(padding, weight.shape[2:], dilation)
    whole = [length + sum(added) for length, added in zip(size, widths, strict=True)]
    patches = grad_patches(grad_output, weight, groups)
    return cropped(added_up(patches, whole, stride, dilation), widths).astype(grad_output.dtype)


def conv2d_grad_weight(grad_output, x, kernel, stride=1, padding=0, dilation=1, groups=1):
    """The gradient with respect to a weight of (KH, KW): Σ over images and output pixels of grad_output · patches."""
    by_group = (
        grouped(wide(grad_output), groups, 1),
        grouped(patches_of(x, kernel, stride, padding, dilation), groups, 1),
    )
    return ungrouped(np.einsum("ngoij,ngcijpq->gocpq", *by_group), 0).astype(x.dtype)


def bias_gradient(grad_output, bias):
    """The gradient with respect to a bias that was added to every pixel of a channel; None for no bias."""
    axes = (0, *range(2, grad_output.ndim))
    return None if bias is None else wide(grad_output).sum(axes).astype(bias.dtype)


def conv2d_gradients(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The gradients of conv2d with respect to x, weight and bias."""
    options = stride, padding, dilation, groups
    return (
        conv2d_grad_input(grad_output, x.shape[2:], weight, *options),
        conv2d_grad_weight(grad_output, x, weight.shape[2:], *options),
        bias_gradient(grad_output, bias),
    )


def transposed_patches(x, weight, groups=1):
    """Every pixel of x times the kernel: (N, O, H, W, KH, KW), to be added up where the windows of y lie."""
    by_group = grouped(wide(x), groups, 1), grouped(wide(weight), groups, 0)
    return ungrouped(np.einsum("ngcij,gcopq->ngoijpq", *by_group), 1)


def transposed_size(x, weight, stride, output_padding, dilation):
    """Rows and columns of a transposed convolution before `padding` pixels are cut off on both sides."""
    return [
        (length - 1) * s + d * (k - 1) + 1 + extra
        for length, k, s, d, extra in zip(
            x.shape[2:], weight.shape[2:], pair(stride), pair(dilation), pair(output_padding), strict=True
        )
    ]


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The gradient with respect to x of conv2d, as an operation; weight (C, O/groups, KH, KW)."""
    size = transposed_size(x, weight, stride, output_padding, dilation)
    whole = added_up(transposed_patches(x, weight, groups), size, stride, dilation)
    return (cropped(whole, padding_widths(padding, None, None)) + per_channel(bias)).astype(x.dtype)


def conv_transpose2d_gradients(
    grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The gradients of conv_transpose2d with respect to x, weight and bias."""
    H, W = x.shape[2:]
    patches = patches_of(grad_output, weight.shape[2:], stride, padding, dilation)[:, :, :H, :W]
    patches = grouped(patches, groups, 1)
    grad_x = np.einsum("ngoijpq,gcopq->ngcij", patches, grouped(wide(weight), groups, 0))
    grad_weight = np.einsum("ngcij,ngoijpq->gcopq", grouped(wide(x), groups, 1), patches)
    return (
        ungrouped(grad_x, 1).astype(x.dtype),
        ungrouped(grad_weight, 0).astype(x.dtype),
        bias_gradient(grad_output, bias),
    )


def uninitialised(shape, dtype):
    """Memory that nobody wrote to, as an allocator for debugging hands it out: every byte is 0xCD."""
    y = np.empty(shape, dtype)
    y.reshape(-1).view(np.uint8)[...] = 0xCD
    return y
