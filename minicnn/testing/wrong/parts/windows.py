"""Padding, windows and their adjoints, on images (N, C, H, W).

Patches are (N, C, OH, OW, KH, KW): for every output pixel the pixels that its window sees.
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


def uninitialised(shape, dtype):
    """Memory that nobody wrote to, as an allocator for debugging hands it out: every byte is 0xCD."""
    y = np.empty(shape, dtype)
    y.reshape(-1).view(np.uint8)[...] = 0xCD
    return y
