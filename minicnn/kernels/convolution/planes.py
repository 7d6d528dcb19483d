"""The channels that neighbouring outputs of grouped convolution read, laid where their lanes need them."""

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.machine import lanes
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import repeat, store


@part
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


def whole(inner: int, outer: int, dtype: np.dtype) -> bool:
    """Whether vectors of x hold whole groups, of as many outputs as channels: then no planes are needed."""
    return inner == outer and lanes(dtype) % inner == 0


def layout(x: np.ndarray, inner: int, outer: int) -> tuple[int, int, int, tuple[int, ...]]:
    """How x is read, where it lies or in planes.

    Returns: how far apart rows, pixels and planes lie, and as many zeros as a lane has partners: kernels are compiled
        for the length of a tuple. In planes a lane has no partner but itself.
    """
    W, C, vector = x.shape[2], x.shape[3], lanes(x.dtype)
    if whole(inner, outer, x.dtype):
        return W * C, C, vector, (0,) * inner
    return W * inner * vector, inner * vector, vector, (0,)


def ordered(weight: np.ndarray, partners: tuple[int, ...]) -> np.ndarray:
    """Weights [p][q][r][output], where lane l is multiplied by what its r-th partner holds, lane l xor r."""
    S, O = len(partners), weight.shape[3]
    if S == 1:
        return weight
    channel = np.arange(O) % S ^ np.arange(S)[:, None]
    return np.ascontiguousarray(weight[:, :, channel, np.arange(O)])


def divided(N: int, blocks: int) -> int:
    """Into how many tasks an image is divided, so that there are a few for every thread."""
    return min(blocks, -(-4 * get_num_threads() // max(N, 1)))
