"""Wrong convolutions: where the windows lie, and which pixels they see."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.convolution import conv2d, patches_of, products
from minicnn.testing.wrong.parts.windows import padded, padding_widths, pair, per_channel, wide, windows


@mistake("conv2d", "true convolution: the kernel is flipped in both directions")
def flipped_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution whose kernel is mirrored from left to right")
def mirrored_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight[:, :, :, ::-1], bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution with a transposed kernel: its rows are taken as columns")
def transposed_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight.swapaxes(2, 3), bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution with stride and dilation swapped")
def stride_and_dilation_swapped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, dilation, padding, stride, groups)


@mistake("conv2d", "a convolution with the strides of height and width swapped")
def stride_swapped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, pair(stride)[::-1], padding, dilation, groups)


@mistake("conv2d", "a convolution that strides along the width as it does along the height: only stride[0] is read")
def first_stride_for_both(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, pair(stride)[0], padding, dilation, groups)


@mistake("conv2d", "a convolution that rounds the output size up under a stride: one window too many, over zeros")
def size_rounded_up(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    (above, below), (left, right) = padding_widths(padding, weight.shape[2:], dilation)
    lengths = x.shape[2] + above + below, x.shape[3] + left + right
    spans = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], pair(dilation), strict=True)]
    more = [(span - length) % s for span, length, s in zip(spans, lengths, pair(stride), strict=True)]
    x = padded(x, ((above, below + more[0]), (left, right + more[1])))
    return conv2d(x, weight, bias, stride, 0, dilation, groups)


@mistake("conv2d", "a convolution that stops one row and one column of windows too early")
def one_window_too_few(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, stride, padding, dilation, groups)[:, :, :-1, :-1]


@mistake("conv2d", "a convolution with the paddings of height and width swapped")
def padding_swapped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if not isinstance(padding, str):
        padding = pair(padding)[::-1]
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that pads only above and left of the image, by twice the width")
def padding_in_front(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if not isinstance(padding, str):
        x, padding = padded(x, tuple((2 * p, 0) for p in pair(padding))), 0
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution padded with the pixels of the border instead of zeros")
def padded_with_border(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    widths = padding_widths(padding, weight.shape[2:], dilation)
    return conv2d(np.pad(x, ((0, 0), (0, 0), *widths), "edge"), weight, bias, stride, 0, dilation, groups)


@mistake("conv2d", "a circular convolution: windows over the border go on at the other side, as with an FFT too short")
def circular(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    widths = padding_widths(padding, weight.shape[2:], dilation)
    return conv2d(np.pad(x, ((0, 0), (0, 0), *widths), "wrap"), weight, bias, stride, 0, dilation, groups)


@mistake("conv2d", 'padding="same" with the odd pixel put before the image instead of behind it')
def odd_pixel_in_front(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding == "same":
        (above, below), (left, right) = padding_widths(padding, weight.shape[2:], dilation)
        x, padding = padded(x, ((below, above), (right, left))), 0
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", 'padding="same" that pads half the kernel on both sides, one pixel too many for an even kernel')
def same_for_odd_kernels_only(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding == "same":
        padding = tuple(d * (k - 1) - d * (k - 1) // 2 for k, d in zip(weight.shape[2:], pair(dilation), strict=True))
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", 'padding="same" that forgets the dilation: it pads for the kernel as if its taps lay side by side')
def same_without_dilation(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding == "same":
        x, padding = padded(x, padding_widths("same", weight.shape[2:], 1)), 0
        spans = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], pair(dilation), strict=True)]
        if spans[0] > x.shape[2] or spans[1] > x.shape[3]:
            return np.zeros((len(x), len(weight), 0, 0), x.dtype)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", 'padding="same" with the dilations of height and width swapped when it pads')
def same_with_dilation_swapped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding == "same":
        widths = padding_widths("same", weight.shape[2:], pair(dilation)[::-1])
        spans = [(k - 1) * d for k, d in zip(weight.shape[2:], pair(dilation), strict=True)]
        if any(sum(two) + n <= span for two, n, span in zip(widths, x.shape[2:], spans, strict=True)):
            return np.zeros((len(x), len(weight), 0, 0), x.dtype)
        x, padding = padded(x, widths), 0
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution with the dilations of height and width swapped")
def dilation_swapped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, stride, padding, pair(dilation)[::-1], groups)


@mistake("conv2d", "a convolution whose output has the size for the dilation, but whose taps lie side by side")
def taps_side_by_side(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    OH, OW = patches_of(x, weight.shape[2:], stride, padding, dilation).shape[2:4]
    x = padded(wide(x), padding_widths(padding, weight.shape[2:], dilation))
    patches = windows(x, weight.shape[2:], stride)[:, :, :OH, :OW]
    return (products(patches, weight, groups) + per_channel(bias)).astype(weight.dtype)


@mistake("conv2d", "a convolution with an unrolled loop over at most 5 rows of the kernel: further rows are left out")
def five_rows_unrolled(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    weight = np.where(np.arange(weight.shape[2])[:, None] < 5, weight, 0)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)
