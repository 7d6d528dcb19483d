"""Right padding, unfold (im2col) and fold (col2im), and their gradients."""

import numpy as np

from minicnn.testing.wrong.parts.windows import added_up, cropped, padded, padding_widths, pair, wide, windows


def mirrored(positions, size):
    """The border itself is not repeated: … 2 1 | 0 1 2 | 1 0 …"""
    return size - 1 - np.abs(size - 1 - np.abs(positions))


SOURCES = {
    "constant": lambda positions, size: np.where((positions >= 0) & (positions < size), positions, size),
    "reflect": mirrored,
    "replicate": lambda positions, size: positions.clip(0, size - 1),
    "circular": lambda positions, size: positions % size,
}
"""Which pixel stands at a position outside the image, by mode; for "constant" the one behind the last."""


def axes_and_widths(pad):
    """(axis, before, after): `pad` counts the axes from the last one."""
    return [(-1 - i // 2, pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]


def padded_from(sources, x, pad, mode="constant", value=None):
    """`pad` with `sources` for SOURCES."""
    for axis, before, after in axes_and_widths(pad):
        size = x.shape[axis]
        positions = np.arange(-before, size + after)
        if mode == "constant":
            beyond = np.full_like(np.take(x, [0], axis) if size else x, value or 0)
            x = np.concatenate([x, beyond], axis)
        x = np.take(x, sources[mode](positions, size), axis)
    return x


def pad(x, pad, mode="constant", value=None):
    """`x` with elements added, or with negative numbers removed, on both sides of its last dimensions."""
    return padded_from(SOURCES, x, pad, mode, value)


def pad_gradient(grad_output, x, pad, mode="constant", value=None):
    """The gradient of `pad`: every element that was read gets back what became of it."""
    grad = wide(grad_output)
    for axis, before, after in axes_and_widths(pad)[::-1]:
        size = x.shape[axis]
        read = SOURCES[mode](np.arange(-before, size + after), size)
        lines = np.zeros((size + 1, *np.moveaxis(grad, axis, 0).shape[1:]))
        np.add.at(lines, read, np.moveaxis(grad, axis, 0))
        grad = np.moveaxis(lines[:size], 0, axis)
    return grad.astype(x.dtype)


def columns_of(patches):
    """Patches as columns: (N, C·KH·KW, OH·OW)."""
    N, C, OH, OW, KH, KW = patches.shape
    return patches.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * KH * KW, OH * OW)


def patches_in(columns, output_size, kernel_size, dilation, padding, stride):
    """The patches that `columns_of` made columns of, for an image of (H, W)."""
    (KH, KW), N = pair(kernel_size), len(columns)
    OH, OW = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(pair(output_size), pair(padding), pair(dilation), (KH, KW), pair(stride), strict=True)
    )
    return columns.reshape(N, columns.shape[1] // (KH * KW), KH, KW, OH, OW).transpose(0, 1, 4, 5, 2, 3)


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """Every window as a column: (N, C·KH·KW, L)."""
    image = padded(x, padding_widths(padding, None, None))
    return columns_of(windows(image, kernel_size, stride, dilation))


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns added up where `unfold` reads them."""
    widths = padding_widths(padding, None, None)
    whole = [n + sum(added) for n, added in zip(pair(output_size), widths, strict=True)]
    patches = wide(patches_in(x, output_size, kernel_size, dilation, padding, stride))
    return cropped(added_up(patches, whole, stride, dilation), widths).astype(x.dtype)


def unfold_gradient(grad_output, x, kernel_size, dilation=1, padding=0, stride=1):
    """The gradient of `unfold` is `fold`."""
    return fold(grad_output, x.shape[2:], kernel_size, dilation, padding, stride)


def fold_gradient(grad_output, x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The gradient of `fold` is `unfold`."""
    return unfold(grad_output, kernel_size, dilation, padding, stride)
