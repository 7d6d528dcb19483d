"""minicnn's own rungs, as functions of its tensors that record a graph; `naive` where a rung is too narrow."""

from collections.abc import Callable
from typing import Any

import minicnn.nn.functional as F
from minicnn.kernels.convolution import ALGORITHMS

FACTORS = {"winograd": 64.0, "fft": 64.0}
"""Both mix an image's pixels, so that errors stand beside the largest of them."""


def _rung(algorithm: str) -> Callable:
    def conv2d(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        try:
            return F.conv2d(x, weight, bias, stride, padding, dilation, groups, algorithm=algorithm)
        except ValueError:  # Winograd's kernels are 3 × 3, and `grouped` wants many small groups
            return F.conv2d(x, weight, bias, stride, padding, dilation, groups, algorithm="naive")

    return conv2d


NAMES = tuple(ALGORITHMS)
naive, im2col, tiled, packed, registers, implicit, grouped, winograd, fft = map(_rung, NAMES)
