"""Right convolutions and transposed convolutions, and their gradients."""

from typing import Any

import numpy as np

from minicnn.testing.wrong.parts.windows import (
    added_up,
    cropped,
    grouped,
    padded,
    padding_widths,
    pair,
    per_channel,
    ungrouped,
    wide,
    windows,
)


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
