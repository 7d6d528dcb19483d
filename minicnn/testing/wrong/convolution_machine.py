"""Wrong convolutions that are right on paper: blocks, memory, number formats, threads."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.convolution import conv2d, patches_of
from minicnn.testing.wrong.parts.windows import grouped, ungrouped, uninitialised


@mistake("conv2d", "a convolution that works in blocks of 16 input channels and drops those left over")
def tail_of_channels_dropped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    C = weight.shape[1]
    if C > 16:
        weight = np.where(np.arange(C)[:, None, None] < C - C % 16, weight, 0)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that works in blocks of 8 output channels and leaves those left over at zero")
def tail_of_outputs_zero(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x, weight, bias, stride, padding, dilation, groups)
    O = len(weight)
    if O > 8:
        y[:, O - O % 8 :] = 0
    return y


@mistake("conv2d", "a convolution with a row buffer of 64 pixels: what lies further right counts as zero")
def row_buffer_of_64(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.where(np.arange(x.shape[3]) < 64, x, 0)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that never writes the last column of its output: it holds what the memory held")
def last_column_uninitialised(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    right = conv2d(x, weight, bias, stride, padding, dilation, groups)
    y = uninitialised(right.shape, right.dtype)
    y[..., :-1] = right[..., :-1]
    return y


@mistake("conv2d", "a convolution that races when the batch is large: two threads share one scratch image")
def races_on_large_batches(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    N = len(x)
    if N >= 16:  # in the end the first thread reads what the second has just written
        x = x.copy()
        x[N // 2 - 1] = x[N - 1]
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that adds up in float16")
def added_up_in_float16(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    patches = grouped(patches_of(x, weight.shape[2:], stride, padding, dilation), groups, 1)
    weight = grouped(weight, groups, 0)[..., None, None]
    total = np.float16(0) if bias is None else bias.reshape(groups, -1, 1, 1).astype(np.float16)
    for c, p, q in np.ndindex(weight.shape[2:5]):
        total = total + (patches[:, :, None, c, :, :, p, q] * weight[:, :, c, p, q]).astype(np.float16)
    return ungrouped(total, 1).astype(x.dtype)


@mistake("conv2d", "a convolution that computes in float32 whatever dtype it is given")
def computed_in_float32(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = None if bias is None else bias.astype(np.float32)
    y = conv2d(x.astype(np.float32), weight.astype(np.float32), bias, stride, padding, dilation, groups)
    return y.astype(x.dtype)


@mistake("conv2d", "a right convolution that returns float64 whatever dtype it is given")
def returns_float64(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, stride, padding, dilation, groups).astype(np.float64)


@mistake("conv2d", "a convolution that takes NaN for zero")
def nan_is_zero(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.where(np.isnan(x), x.dtype.type(0), x)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that takes subnormal numbers for zero, as code compiled with -ffast-math does")
def subnormals_are_zero(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.where(np.abs(x) < np.finfo(x.dtype).tiny, x.dtype.type(0), x)
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that reads the memory of x in the order it lies there, as if x were always row-major")
def strides_of_x_ignored(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(np.ravel(x, "K").reshape(x.shape), weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a right convolution that turns the caller's kernel round in place on its way")
def kernel_overwritten(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    weight[...] = weight[:, :, ::-1, ::-1].copy()
    return conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding, dilation, groups)


_scratch = np.empty(0)


@mistake("conv2d", "a right convolution whose result lies in a buffer that its next call writes to")
def buffer_reused(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    global _scratch
    right = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if _scratch.size < right.size or _scratch.dtype != right.dtype:
        _scratch = np.empty(2 * right.size, right.dtype)
    y = _scratch[: right.size].reshape(right.shape)
    y[...] = right
    return y
