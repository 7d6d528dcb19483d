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


def layout(x: np.ndarray, inner: int, outer: int) -> tuple[int, int, int, tuple[int, ...]]:
    """How far apart rows, pixels and planes lie in the source as it is read, and the partners of a lane.

    Groups of as many outputs as channels, a power of two, are read where they lie: each lane's partners are the channels of
    its group. Others are read from planes, in which a lane finds its channel, and has no partner but itself.
    """
    W, C, vector = x.shape[2], x.shape[3], lanes(x.dtype)
    square = inner == outer and vector % inner == 0
    pixel = C if square else inner * vector
    return W * pixel, pixel, vector, (0,) * (inner if square else 1)


def ordered(weight: np.ndarray, partners: tuple[int, ...]) -> np.ndarray:
    """Weights [p][q][r][output], where lane l is multiplied by what its r-th partner holds, lane l xor r."""
    S, O = len(partners), weight.shape[3]
    channel = np.arange(O) % S ^ np.arange(S)[:, None]
    return weight if S == 1 else np.ascontiguousarray(weight[:, :, channel, np.arange(O)])


def divided(N: int, blocks: int) -> int:
    """Into how many tasks an image is divided, so that there are a few for every thread."""
    return min(blocks, -(-4 * get_num_threads() // max(N, 1)))
