"""Chapter 14: a property that catches wrong convolutions."""

import numpy as np
from learn_03 import conv2d as right


def flipped(x, weight, padding=0):
    """Wrong: the kernel is turned around."""
    return right(x, weight[:, :, ::-1, ::-1], padding=padding)


def one_channel(x, weight, padding=0):
    """Wrong: only the first channel of x counts."""
    return right(x[:, :1], weight[:, :1], padding=padding)


def repeated_edge(x, weight, padding=0):
    """Wrong: the padding repeats the image's edge."""
    p = padding
    return right(np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], "edge"), weight)


def is_right(conv2d):
    """Whether a function is a convolution of stride 1, judged by asking it.

    Args:
        conv2d: takes x (N, C, H, W), weight (O, C, KH, KW) and padding, an int; `right` is chapter 3's.

    Returns: True or False. A function that raises is wrong.
    """
    generator = np.random.default_rng(0)
    for _ in range(50):
        N, C, O, KH, KW, padding = (int(generator.integers(low, 4)) for low in (1, 1, 1, 1, 1, 0))
        H, W = KH + int(generator.integers(4)), KW + int(generator.integers(4))
        x = generator.integers(-3, 4, (N, C, H, W)).astype(float)
        weight = generator.integers(-3, 4, (O, C, KH, KW)).astype(float)
        expected = right(x, weight, padding=padding)
        try:
            received = conv2d(x.copy(), weight.copy(), padding=padding)
        except Exception:
            return False
        if np.shape(received) != expected.shape or not np.allclose(received, expected):
            return False
    return True
