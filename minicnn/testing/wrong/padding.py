"""Wrong padding, and wrong gradients of it."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts import padding as right
from minicnn.testing.wrong.parts.padding import SOURCES, padded_from
from minicnn.testing.wrong.parts.windows import wide


def repeating(positions, size):
    """… 1 0 | 0 1 2 | 2 1 …"""
    return np.where(positions < 0, -1 - positions, np.where(positions >= size, 2 * size - 1 - positions, positions))


def from_the_same_side(positions, size):
    """0 1 | 0 1 2 | 1 2"""
    before, after = max(-positions[0], 0), max(positions[-1] - size + 1, 0)
    shift = np.where(positions < 0, before, np.where(positions >= size, -after, 0))
    return (positions + shift) % size


@mistake("pad", 'mode="reflect" that repeats the pixels of the border')
def border_repeated(x, pad, mode="constant", value=None):
    return padded_from(SOURCES | {"reflect": repeating}, x, pad, mode, value)


@mistake("pad", 'mode="circular" that takes the pixels from the side it pads instead of the opposite one')
def circular_from_the_wrong_side(x, pad, mode="constant", value=None):
    return padded_from(SOURCES | {"circular": from_the_same_side}, x, pad, mode, value)


@mistake("pad", 'mode="replicate" that takes the opposite border')
def opposite_border(x, pad, mode="constant", value=None):
    def opposite(positions, size):
        return np.where(positions < 0, size - 1, np.where(positions >= size, 0, positions))

    return padded_from(SOURCES | {"replicate": opposite}, x, pad, mode, value)


@mistake("pad", "a padding that reads its widths from the first of the padded dimensions on instead of from the last")
def first_dimension_first(x, pad, mode="constant", value=None):
    pairs = [pad[i : i + 2] for i in range(0, len(pad), 2)]
    return right.pad(x, tuple(width for pair in pairs[::-1] for width in pair), mode, value)


@mistake("pad", "a padding with the widths before and behind swapped")
def sides_swapped(x, pad, mode="constant", value=None):
    return right.pad(x, [pad[i + 1 - 2 * (i % 2)] for i in range(len(pad))], mode, value)


@mistake("pad", "a padding with zeros, whatever value says")
def value_ignored(x, pad, mode="constant", value=None):
    return right.pad(x, pad, mode)


@mistake("pad", "a padding that takes negative widths for 0 instead of cutting")
def negative_widths_ignored(x, pad, mode="constant", value=None):
    return right.pad(x, [max(width, 0) for width in pad], mode, value)


@mistake(
    "pad",
    "a padding gradient that only cuts: what reflect, replicate or circular copied out gives nothing back",
    backward=True,
)
def copies_give_nothing_back(grad_output, x, pad, mode="constant", value=None):
    return right.pad_gradient(grad_output, x, pad, "constant")


@mistake("pad", "a padding gradient written with = for +=: of the copies of a pixel one alone counts", backward=True)
def copies_overwrite(grad_output, x, pad, mode="constant", value=None):
    grad = wide(grad_output)
    for axis, before, after in right.axes_and_widths(pad)[::-1]:
        size = x.shape[axis]
        lines = np.zeros((size + 1, *np.moveaxis(grad, axis, 0).shape[1:]))
        lines[SOURCES[mode](np.arange(-before, size + after), size)] = np.moveaxis(grad, axis, 0)
        grad = np.moveaxis(lines[:size], 0, axis)
    return grad.astype(x.dtype)
