"""Right pooling, and its gradients."""

import numpy as np

from minicnn.testing.wrong.parts.windows import added_up, padded, pair, wide, windows


def counts(size, kernel_size, stride, padding, dilation=1, ceil_mode=False):
    """(OH, OW); with `ceil_mode` rounded up, but the last window starts within the image or the padding before it."""
    found = []
    for n, k, s, p, d in zip(size, *map(pair, (kernel_size, stride, padding, dilation)), strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = -(-room // s) + 1 if ceil_mode else room // s + 1
        found.append(count - (1 if ceil_mode and (count - 1) * s >= n + p else 0))
    return tuple(found)


def pooled_image(x, kernel_size, stride, padding, dilation, output, outside):
    """The image with what (OH, OW) windows see around it; `outside` stands for every pixel that is not in the image."""
    options = zip(x.shape[2:], *map(pair, (kernel_size, stride, padding, dilation)), output, strict=True)
    behind = [max((o - 1) * s + d * (k - 1) + 1 - n - p, 0) for n, k, s, p, d, o in options]
    above, left = pair(padding)
    return padded(x, ((above, behind[0]), (left, behind[1])), outside)


def pooled_patches(x, kernel_size, stride, padding, dilation, output, outside):
    """The patches of (OH, OW) windows."""
    image = pooled_image(x, kernel_size, stride, padding, dilation, output, outside)
    return windows(image, kernel_size, stride, dilation)[:, :, : output[0], : output[1]]


def back_to_image(patches, size, stride, padding, dilation=1):
    """The adjoint of `pooled_patches`: what belongs to pixels outside the image is dropped."""
    (OH, OW, KH, KW), (H, W), (above, left) = patches.shape[2:], size, pair(padding)
    (SH, SW), (DH, DW) = pair(stride), pair(dilation)
    whole = max((OH - 1) * SH + DH * (KH - 1) + 1, above + H), max((OW - 1) * SW + DW * (KW - 1) + 1, left + W)
    return added_up(patches, whole, stride, dilation)[:, :, above : above + H, left : left + W]


def chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode):
    """Every window's values, (N, C, OH, OW, KH·KW), where they lie in the H·W image (−1 outside), and which is largest.

    The first of equal values is, or the last NaN.
    """
    output = counts(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    values = pooled_patches(x, kernel_size, stride, padding, dilation, output, -np.inf)
    number = np.arange(x.shape[2] * x.shape[3]).reshape(1, 1, *x.shape[2:])
    places = pooled_patches(number, kernel_size, stride, padding, dilation, output, -1)
    values, places = (a.reshape(*a.shape[:4], a.shape[4] * a.shape[5]) for a in (values, places))
    largest = (values == values.max(-1, keepdims=True)) & (places >= 0)
    nan = np.isnan(values)
    last_nan = values.shape[-1] - 1 - nan[..., ::-1].argmax(-1)
    return values, places, np.where(nan.any(-1), last_nan, largest.argmax(-1))


def taken(choices, which):
    """One of the last axis's numbers everywhere."""
    return np.take_along_axis(np.broadcast_to(choices, (*which.shape, choices.shape[-1])), which[..., None], -1)[..., 0]


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest value of every window, and with `return_indices` its place in the H·W image."""
    stride = kernel_size if stride is None else stride
    values, places, which = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    return (taken(values, which), taken(places, which)) if return_indices else taken(values, which)


def sent_back(grad_output, places, x):
    """Every output pixel's gradient added to the pixel of x at its place."""
    N, C, H, W = x.shape
    grad = np.zeros((N * C, H * W))
    rows = np.arange(N * C)[:, None]
    flat = (N * C, grad_output.shape[2] * grad_output.shape[3])
    np.add.at(grad, (rows, places.reshape(flat)), grad_output.reshape(flat))
    return grad.reshape(x.shape).astype(x.dtype)


def max_pool2d_gradient(
    grad_output, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The gradient of max_pool2d: the largest value of a window gets it all."""
    stride = kernel_size if stride is None else stride
    _, places, which = chosen_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    return sent_back(grad_output, taken(places, which), x)


def lengths(n, k, s, p, o, to_the_padding):
    """How many pixels each of `o` windows sees along one axis: within the image, or within the padded image."""
    starts = np.arange(o) * s - p
    ends = np.minimum(starts + k, n + p if to_the_padding else n)
    return ends - (starts if to_the_padding else np.maximum(starts, 0))


def divisors(size, kernel_size, stride, padding, output, count_include_pad, divisor_override):
    """What the sums of the windows are divided by, (OH, OW)."""
    if divisor_override is not None:
        return np.full(output, divisor_override)
    options = zip(size, *map(pair, (kernel_size, stride, padding)), output, strict=True)
    return np.multiply.outer(*(lengths(*one, count_include_pad) for one in options))


def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """The mean of every window."""
    stride = kernel_size if stride is None else stride
    output = counts(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    sums = pooled_patches(wide(x), kernel_size, stride, padding, 1, output, 0).sum((4, 5))
    by = divisors(x.shape[2:], kernel_size, stride, padding, output, count_include_pad, divisor_override)
    return (sums / by).astype(x.dtype)


def avg_pool2d_gradient(
    grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """The gradient of avg_pool2d: every pixel of a window gets the same share."""
    stride = kernel_size if stride is None else stride
    output = grad_output.shape[2:]
    by = divisors(x.shape[2:], kernel_size, stride, padding, output, count_include_pad, divisor_override)
    return shared_out(wide(grad_output) / by, x, kernel_size, stride, padding)


def shared_out(shares, x, kernel_size, stride, padding):
    """Every window's share added to all of its pixels."""
    patches = np.broadcast_to(shares[..., None, None], (*shares.shape, *pair(kernel_size)))
    return back_to_image(patches, x.shape[2:], stride, padding).astype(x.dtype)


def bins(n, o):
    """The windows of adaptive pooling: ⌊i·n/o⌋ up to ⌈(i + 1)·n/o⌉."""
    return [slice(i * n // o, -(-(i + 1) * n // o)) for i in range(o)]


def adaptive_bins(x, output_size):
    """The windows of rows and those of columns; None keeps a size."""
    return [bins(n, n if o is None else o) for n, o in zip(x.shape[2:], pair(output_size), strict=True)]


def means(x, rows, columns):
    """The mean of every window of `rows` × `columns`."""
    y = np.empty((*x.shape[:2], len(rows), len(columns)))
    for (i, row), (j, column) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        y[:, :, i, j] = wide(x[:, :, row, column]).mean((2, 3))
    return y.astype(x.dtype)


def adaptive_avg_pool2d(x, output_size):
    """The means of windows that divide the image into `output_size` parts."""
    return means(x, *adaptive_bins(x, output_size))


def means_gradient(grad_output, x, rows, columns):
    """The gradient of `means`."""
    grad = np.zeros(x.shape)
    for (i, row), (j, column) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        area = (row.stop - row.start) * (column.stop - column.start)
        grad[:, :, row, column] += wide(grad_output[:, :, i, j])[:, :, None, None] / area
    return grad.astype(x.dtype)


def adaptive_avg_pool2d_gradient(grad_output, x, output_size):
    """The gradient of adaptive_avg_pool2d."""
    return means_gradient(grad_output, x, *adaptive_bins(x, output_size))
