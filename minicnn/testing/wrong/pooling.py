"""Wrong pooling."""

from itertools import pairwise

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.pooling import (
    adaptive_avg_pool2d,
    avg_pool2d,
    counts,
    divisors,
    max_pool2d,
    means,
    pooled_image,
    pooled_patches,
)
from minicnn.testing.wrong.parts.windows import padded, pair, windows


def largest(x, kernel_size, stride, padding, dilation, ceil_mode, outside, maximum=np.max):
    """Max pooling with another value outside the image, or another idea of a maximum."""
    stride = kernel_size if stride is None else stride
    output = counts(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    return maximum(pooled_patches(x, kernel_size, stride, padding, dilation, output, outside), (4, 5))


@mistake("max_pool2d", "a max pooling padded with zeros instead of −∞")
def zero_padding(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    values, where = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, True)
    values = largest(x, kernel_size, stride, padding, dilation, ceil_mode, 0)
    return (values, where) if return_indices else values


@mistake("max_pool2d", "a max pooling that starts from FLT_MIN, the smallest positive number, instead of −∞")
def starts_from_flt_min(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    values, where = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, True)
    values = np.maximum(values, np.finfo(x.dtype).tiny)
    return (values, where) if return_indices else values


@mistake("max_pool2d", "a max pooling that starts from the lowest finite number instead of −∞")
def starts_from_lowest(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    values, where = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, True)
    values = np.maximum(values, np.finfo(x.dtype).min)
    return (values, where) if return_indices else values


@mistake("max_pool2d", "a max pooling that passes over NaN instead of handing it on")
def nan_swallowed(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    numbers = np.where(np.isnan(x), x.dtype.type(-np.inf), x)
    return max_pool2d(numbers, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@mistake("max_pool2d", "a max pooling with stride 1, not the kernel's size, where no stride is given")
def stride_of_one(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = 1 if stride is None else stride
    return max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@mistake("max_pool2d", "a max pooling with the kernel's height and width swapped")
def kernel_swapped(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    return max_pool2d(x, pair(kernel_size)[::-1], stride, padding, dilation, ceil_mode, return_indices)


@mistake("max_pool2d", "a max pooling that rounds the output size down under ceil_mode too")
def ceil_mode_ignored(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return max_pool2d(x, kernel_size, stride, padding, dilation, False, return_indices)


@mistake("max_pool2d", "a max pooling whose last window under ceil_mode may lie wholly behind the image")
def window_behind_the_image(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    y = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    if not ceil_mode:
        return y
    stride = kernel_size if stride is None else stride
    options = zip(x.shape[2:], *map(pair, (kernel_size, stride, padding, dilation)), strict=True)
    output = [-(-(n + 2 * p - d * (k - 1) - 1) // s) + 1 for n, k, s, p, d in options]
    values, *where = y if return_indices else (y,)
    more = tuple((0, o - n) for o, n in zip(output, values.shape[2:], strict=True))
    values = padded(values, more, -np.inf)
    return (values, padded(where[0], more, -1)) if return_indices else values


@mistake("max_pool2d", "a max pooling that leaves out the dilation: its taps lie side by side")
def dilation_ignored(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return max_pool2d(x, kernel_size, stride, padding, 1, ceil_mode, return_indices)


@mistake("max_pool2d", "a max pooling that works in blocks of 8 channels and leaves those left over at zero")
def tail_of_channels_zero(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    values, where = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, True)
    C = x.shape[1]
    if C > 8:
        values[:, C - C % 8 :] = 0
    return (values, where) if return_indices else values


@mistake("max_pool2d", "a right max pooling that returns the input's own memory where every window is one pixel")
def returns_its_input(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    values, where = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, True)
    if values.shape == x.shape and pair(kernel_size) == (1, 1):
        values = x[:]
    return (values, where) if return_indices else values


@mistake("avg_pool2d", "an average pooling that divides by the whole kernel under ceil_mode, also what it does not see")
def overhang_counted(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    if divisor_override is None and count_include_pad:
        divisor_override = int(np.prod(pair(kernel_size)))
    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@mistake("avg_pool2d", "an average pooling that counts the padding although count_include_pad is False")
def padding_always_counted(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, True, divisor_override)


@mistake("avg_pool2d", "an average pooling that never counts the padding, as if count_include_pad were False")
def padding_never_counted(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, False, divisor_override)


@mistake("avg_pool2d", "an average pooling that pays no heed to divisor_override")
def divisor_override_ignored(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad)


@mistake("avg_pool2d", "an average pooling that forgets divisor_override where count_include_pad is False")
def divisor_override_forgotten(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    override = divisor_override if count_include_pad else None
    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, override)


@mistake("avg_pool2d", "an average pooling by differences of running sums, which hand NaN and rounding errors on")
def running_sums(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    stride, (KH, KW) = kernel_size if stride is None else stride, pair(kernel_size)
    output = counts(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    image = pooled_image(x, kernel_size, stride, padding, 1, output, 0)
    sums = padded(image, ((1, 0), (1, 0))).cumsum(2, x.dtype).cumsum(3, x.dtype)
    corners = windows(sums, (KH + 1, KW + 1), stride)[:, :, : output[0], : output[1]]
    total = corners[..., KH, KW] - corners[..., 0, KW] - corners[..., KH, 0] + corners[..., 0, 0]
    by = divisors(x.shape[2:], kernel_size, stride, padding, output, count_include_pad, divisor_override)
    return (total / by).astype(x.dtype)


@mistake("adaptive_avg_pool2d", "an adaptive pooling whose windows end at ⌊(i + 1)·H/O⌋ instead of ⌈(i + 1)·H/O⌉")
def ends_rounded_down(x, output_size):
    sizes = [n if o is None else o for n, o in zip(x.shape[2:], pair(output_size), strict=True)]
    starts = [[i * n // o for i in range(o + 1)] for n, o in zip(x.shape[2:], sizes, strict=True)]
    return means(x, *([slice(a, max(b, a + 1)) for a, b in pairwise(one)] for one in starts))


@mistake("adaptive_avg_pool2d", "an adaptive pooling with windows of one size, H − (O − 1)·⌊H/O⌋, at stride ⌊H/O⌋")
def windows_of_one_size(x, output_size):
    bins_of = []
    for n, o in zip(x.shape[2:], pair(output_size), strict=True):
        count = n if o is None else o
        step = n // count
        bins_of.append([slice(i * step, i * step + n - (count - 1) * step) for i in range(count)])
    return means(x, *bins_of)


@mistake("adaptive_avg_pool2d", "an adaptive pooling with height and width of output_size swapped")
def output_size_swapped(x, output_size):
    return adaptive_avg_pool2d(x, pair(output_size)[::-1])
