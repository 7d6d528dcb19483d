"""What stride, padding and dilation mean for a convolution, for all the implementations beside this file."""

from typing import NamedTuple

import numpy as np

Pair = int | tuple[int, int]


class Window(NamedTuple):
    """Where a convolution's windows lie; each field is (rows, columns).

    Attributes:
        kernel, stride, dilation: of the window.
        before, after: zeros on the two sides of the image.
        output: how many windows there are.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    output: tuple[int, int]

    @property
    def extent(self) -> tuple[int, int]:
        """How many pixels a window spans."""
        (KH, KW), (down, right) = self.kernel, self.dilation
        return (KH - 1) * down + 1, (KW - 1) * right + 1

    def pad(self, x: np.ndarray) -> np.ndarray:
        """The image (…, H, W) between its zeros."""
        sides = list(zip(self.before, self.after, strict=True))
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + sides)

    def crop(self, x: np.ndarray) -> np.ndarray:
        """The image without the border that `pad` put around it."""
        H, W = (
            size - before - after for size, before, after in zip(x.shape[-2:], self.before, self.after, strict=True)
        )
        top, left = self.before
        return x[..., top : top + H, left : left + W]

    def tap(self, p: int, q: int) -> tuple:
        """The index of what tap (p, q) of every window sees in a padded image (…, H, W)."""
        steps = zip((p, q), self.stride, self.dilation, self.output, strict=True)
        return (..., *[slice(k * d, k * d + (o - 1) * s + 1, s) for k, s, d, o in steps])


def pair(value: Pair) -> tuple[int, int]:
    """(rows, columns) of an option."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def window(x: np.ndarray, weight: np.ndarray, stride: Pair, padding: Pair | str, dilation: Pair) -> Window:
    """The windows of a convolution of x (N, C, H, W) with weight (O, C/groups, KH, KW)."""
    kernel, stride, dilation = (weight.shape[2], weight.shape[3]), pair(stride), pair(dilation)
    whole = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":  # an odd pixel goes behind the image
        before, after = [w // 2 for w in whole], [w - w // 2 for w in whole]
    else:
        before = after = [0, 0] if isinstance(padding, str) else list(pair(padding))
    OH, OW = ((x.shape[2 + i] + before[i] + after[i] - whole[i] - 1) // stride[i] + 1 for i in (0, 1))
    return Window(kernel, stride, dilation, (before[0], before[1]), (after[0], after[1]), (OH, OW))
