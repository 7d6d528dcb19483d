"""Wrong gradients of pooling."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.pooling import (
    adaptive_bins,
    avg_pool2d_gradient,
    back_to_image,
    chosen_taps,
    max_pool2d_gradient,
    means_gradient,
    sent_back,
    taken,
)
from minicnn.testing.wrong.parts.windows import pair, wide


def shared_by(weights, grad_output, x, kernel_size, stride, padding, dilation):
    """Every window's gradient handed to its pixels by `weights`, (N, C, OH, OW, KH·KW)."""
    patches = (weights * grad_output[..., None]).reshape(*grad_output.shape, *pair(kernel_size))
    return back_to_image(patches, x.shape[2:], stride, padding, dilation).astype(x.dtype)


@mistake(
    "max_pool2d", "a max pooling gradient that goes to the last of equal values instead of the first", backward=True
)
def last_tie(grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    values, places, _ = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    equal = (values == values.max(-1, keepdims=True)) & (places >= 0)
    last = equal.shape[-1] - 1 - equal[..., ::-1].argmax(-1)
    return sent_back(grad_output, taken(places, last), x)


@mistake(
    "max_pool2d",
    "a max pooling gradient that goes to the first of equal values column by column, not row by row",
    backward=True,
)
def first_tie_by_column(
    grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    stride, (KH, KW) = kernel_size if stride is None else stride, pair(kernel_size)
    values, places, _ = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    equal = (values == values.max(-1, keepdims=True)) & (places >= 0)
    by_column = np.arange(KH * KW).reshape(KH, KW).T.ravel()
    return sent_back(grad_output, taken(places, by_column[equal[..., by_column].argmax(-1)]), x)


@mistake("max_pool2d", "a max pooling gradient that every one of equal values gets in full", backward=True)
def every_tie(grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    values, places, _ = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    equal = (values == values.max(-1, keepdims=True)) & (places >= 0)
    return shared_by(equal, grad_output, x, kernel_size, stride, padding, dilation)


@mistake("max_pool2d", "a max pooling gradient that equal values share", backward=True)
def shared_between_ties(
    grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    stride = kernel_size if stride is None else stride
    values, places, _ = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    equal = (values == values.max(-1, keepdims=True)) & (places >= 0)
    share = equal / equal.sum(-1, keepdims=True)
    return shared_by(share, grad_output, x, kernel_size, stride, padding, dilation)


@mistake("max_pool2d", "a max pooling gradient that is written with = for += where windows overlap", backward=True)
def assigned(grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    _, places, which = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    grad = np.zeros((x.shape[0] * x.shape[1], x.shape[2] * x.shape[3]), x.dtype)
    flat = len(grad), which.shape[2] * which.shape[3]
    np.put_along_axis(grad, taken(places, which).reshape(flat), grad_output.reshape(flat), 1)
    return grad.reshape(x.shape)


@mistake(
    "max_pool2d", "a max pooling gradient put where the maximum is in the padded image, not in the image", backward=True
)
def place_in_padded_image(
    grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    stride, (H, W), (above, left) = kernel_size if stride is None else stride, x.shape[2:], pair(padding)
    _, places, which = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    rows, columns = np.divmod(taken(places, which), W)
    return sent_back(grad_output, (rows + above).clip(0, H - 1) * W + (columns + left).clip(0, W - 1), x)


@mistake("max_pool2d", "a right max pooling gradient that is float64 whatever the dtype", backward=True)
def in_float64(grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return max_pool2d_gradient(grad_output, x, kernel_size, stride, padding, dilation, ceil_mode).astype(np.float64)


@mistake("avg_pool2d", "an average pooling gradient that divides by the whole kernel under ceil_mode", backward=True)
def overhang_counted(
    grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    if divisor_override is None and count_include_pad:
        divisor_override = int(np.prod(pair(kernel_size)))
    options = stride, padding, ceil_mode, count_include_pad, divisor_override
    return avg_pool2d_gradient(grad_output, x, kernel_size, *options)


@mistake(
    "avg_pool2d",
    "an average pooling gradient that counts the padding although count_include_pad is False",
    backward=True,
)
def padding_always_counted(
    grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    return avg_pool2d_gradient(grad_output, x, kernel_size, stride, padding, ceil_mode, True, divisor_override)


@mistake("avg_pool2d", "an average pooling gradient that is not divided by the size of the window", backward=True)
def not_divided(
    grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    return avg_pool2d_gradient(grad_output, x, kernel_size, stride, padding, ceil_mode, count_include_pad, 1)


@mistake(
    "adaptive_avg_pool2d",
    "an adaptive pooling gradient divided by H·W/(OH·OW), not by the size of the window",
    backward=True,
)
def divided_by_mean_size(grad_output, x, output_size):
    rows, columns = adaptive_bins(x, output_size)
    sizes = np.multiply.outer([row.stop - row.start for row in rows], [one.stop - one.start for one in columns])
    share = wide(grad_output) * sizes * (len(rows) * len(columns) / (x.shape[2] * x.shape[3]))
    return means_gradient(share, x, rows, columns)


@mistake(
    "adaptive_avg_pool2d",
    "an adaptive pooling gradient that is written with = for += where windows overlap",
    backward=True,
)
def adaptive_assigned(grad_output, x, output_size):
    rows, columns = adaptive_bins(x, output_size)
    grad = np.zeros_like(x)
    for (i, row), (j, column) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        area = (row.stop - row.start) * (column.stop - column.start)
        grad[:, :, row, column] = grad_output[:, :, i, j, None, None] / area
    return grad
