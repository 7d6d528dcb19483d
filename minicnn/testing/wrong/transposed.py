"""Wrong transposed convolutions and wrong gradients of them."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.overlaps import assigned_over
from minicnn.testing.wrong.parts.convolution import (
    bias_gradient,
    conv_transpose2d,
    conv_transpose2d_gradients,
    transposed_patches,
    transposed_size,
)
from minicnn.testing.wrong.parts.windows import added_up, cropped, padded, padding_widths, pair, per_channel, wide


@mistake(
    "conv_transpose2d", "a transposed convolution with output_padding on the wrong side: above and left of the image"
)
def output_padding_in_front(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    size = transposed_size(x, weight, stride, 0, dilation)
    whole = added_up(transposed_patches(x, weight, groups), size, stride, dilation)
    whole = padded(whole, tuple((extra, 0) for extra in pair(output_padding)))
    return (cropped(whole, padding_widths(padding, None, None)) + per_channel(bias)).astype(x.dtype)


@mistake("conv_transpose2d", "a transposed convolution whose output_padding adds zeros, also where windows still reach")
def output_padding_of_zeros(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    size = transposed_size(x, weight, stride, 0, dilation)
    whole = added_up(transposed_patches(x, weight, groups), size, stride, dilation)
    (above, below), (left, right) = padding_widths(padding, None, None)
    y = whole[:, :, above : max(size[0] - below, above), left : max(size[1] - right, left)]
    y = padded(y, tuple((0, extra) for extra in pair(output_padding)))
    return (y + per_channel(bias)).astype(x.dtype)


@mistake("conv_transpose2d", "a transposed convolution with output_padding swapped between height and width")
def output_padding_swapped(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return conv_transpose2d(x, weight, bias, stride, padding, pair(output_padding)[::-1], groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution that pads its input where it has to cut its output")
def padding_added(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    x = padded(x, padding_widths(padding, None, None))
    return conv_transpose2d(x, weight, bias, stride, 0, output_padding, groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution with the strides of height and width swapped")
def stride_swapped(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return conv_transpose2d(x, weight, bias, pair(stride)[::-1], padding, output_padding, groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution that puts zeros behind the last pixel as it does between pixels")
def zeros_behind_the_last_pixel(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    extra = tuple(e + s - 1 for e, s in zip(pair(output_padding), pair(stride), strict=True))
    return conv_transpose2d(x, weight, bias, stride, padding, extra, groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution with the kernel flipped in both directions")
def flipped_kernel(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return conv_transpose2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding, output_padding, groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution that reads its kernel as OIHW, like conv2d, instead of IOHW")
def kernel_oihw(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    C, O, KH, KW = weight.shape
    weight = weight.reshape(groups, O, C // groups, KH, KW).swapaxes(1, 2).reshape(weight.shape)
    return conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


@mistake("conv_transpose2d", "a transposed convolution that writes with = for += where windows overlap")
def assigned(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    size, patches = transposed_size(x, weight, stride, output_padding, dilation), transposed_patches(x, weight, groups)
    whole = assigned_over(patches, size, stride, dilation)
    return (cropped(whole, padding_widths(padding, None, None)) + per_channel(bias)).astype(x.dtype)


@mistake("conv_transpose2d", "a transposed convolution without the bias where no window falls")
def bias_under_windows_alone(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    y = conv_transpose2d(wide(x), weight, None, stride, padding, output_padding, groups, dilation)
    ones = np.ones((1, 1, *x.shape[2:])), np.ones((1, 1, *weight.shape[2:]))
    reached = conv_transpose2d(*ones, None, stride, padding, output_padding, 1, dilation) > 0
    return (y + np.where(reached, per_channel(bias), 0)).astype(x.dtype)


@mistake("conv_transpose2d", "an input gradient that takes output_padding to be in front of the output", backward=True)
def gradient_shifted(grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    options = stride, padding, output_padding, groups, dilation
    _, *others = conv_transpose2d_gradients(grad_output, x, weight, bias, *options)
    (down, right), (OH, OW) = pair(output_padding), grad_output.shape[2:]
    shifted = padded(grad_output, ((0, down), (0, right)))[:, :, down : down + OH, right : right + OW]
    return conv_transpose2d_gradients(shifted, x, weight, bias, *options)[0], *others


@mistake(
    "conv_transpose2d", "an input gradient of a transposed convolution computed with the kernel flipped", backward=True
)
def gradient_with_flipped_kernel(
    grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    options = stride, padding, output_padding, groups, dilation
    _, *others = conv_transpose2d_gradients(grad_output, x, weight, bias, *options)
    return conv_transpose2d_gradients(grad_output, x, weight[:, :, ::-1, ::-1], bias, *options)[0], *others


@mistake("conv_transpose2d", "a weight gradient of a transposed convolution that comes out flipped", backward=True)
def weight_gradient_flipped(
    grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    options = stride, padding, output_padding, groups, dilation
    grad_x, grad_weight, grad_bias = conv_transpose2d_gradients(grad_output, x, weight, bias, *options)
    return grad_x, grad_weight[:, :, ::-1, ::-1].copy(), grad_bias


@mistake("conv_transpose2d", "a bias gradient that leaves out the rows and columns of output_padding", backward=True)
def bias_gradient_without_output_padding(
    grad_output, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    options = stride, padding, output_padding, groups, dilation
    grad_x, grad_weight, _ = conv_transpose2d_gradients(grad_output, x, weight, bias, *options)
    (H, W), (down, right) = grad_output.shape[2:], pair(output_padding)
    return grad_x, grad_weight, bias_gradient(grad_output[:, :, : max(H - down, 0), : max(W - right, 0)], bias)
