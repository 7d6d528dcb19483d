"""The channels that neighbouring outputs of grouped convolution read, laid where their lanes need them."""

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.microkernel import lanes
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import repeat, store


@kernel
def widen(x, first, pixels, C, o, inner, outer, planes, vector):
    """planes[pixel, k, lane] = x[pixel, c(o + lane) + k], where groups have `inner` channels in x and `outer` lanes.

    A number is stored in all lanes from its first one on; the next number overwrites what is too much.
    """
    for pixel in range(pixels):
        source, target = first + pixel * C, pixel * inner * vector
        for k in range(inner):
            lane = 0
            while lane < vector:
                group = (o + lane) // outer
                store(repeat(x, source + group * inner + k), planes, target + k * vector + lane)
                lane = (group + 1) * outer - o


def layout(x: np.ndarray, inner: int, outer: int) -> tuple[int, int, int]:
    """How far apart rows, pixels and planes lie in the source as it is read: where it lies, or in planes."""
    W, C, vector = x.shape[2], x.shape[3], lanes(x.dtype)
    pixel = C if inner == outer == 1 else inner * vector
    return W * pixel, pixel, vector


def divided(N: int, blocks: int) -> int:
    """Into how many tasks an image is divided, so that there are a few for every thread."""
    return min(blocks, -(-4 * get_num_threads() // max(N, 1)))
