"""Convolution as a ladder of algorithms, all with one signature.

Each module has, on channels-last arrays,

    forward(x, weight, bias, geometry) -> y
    grad_input(grad_output, weight, geometry, groups) -> grad_x
    grad_weight(x, grad_output, geometry, groups) -> grad_weight

    x            (N, H, W, C)
    weight       (O, C / groups, KH, KW)
    bias         (O,) or None
    grad_output  (N, OH, OW, O), as y

The first rungs, from `naive` to `implicit`, are to be read in this order, an idea a file. `docs/glossary.md` explains
the words: tile, block, panel, segment, line, phase …

The number of groups is C / weight.shape[1]. `grad_parameters` adds the gradient with respect to bias. `select` is the
one place where `algorithm="auto"` is decided.
"""

from types import ModuleType

import numpy as np

from minicnn.kernels import choice
from minicnn.kernels.convolution import fft, grouped, im2col, implicit, naive, packed, registers, tiled, winograd
from minicnn.kernels.convolution.schedule import Schedule
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.sums import over

ALGORITHMS = {
    "naive": naive,
    "im2col": im2col,
    "tiled": tiled,
    "packed": packed,
    "registers": registers,
    "implicit": implicit,
    "grouped": grouped,
    "winograd": winograd,
    "fft": fft,
}
WINOGRAD_CHANNELS = 32
"""Below this many channels or outputs Winograd's transforms cost more than its products save."""


def select(
    algorithm: str | Schedule, geometry: Geometry, channels: int, outputs: int, groups: int, dtype: np.dtype
) -> ModuleType:
    """The module that computes a convolution.

    For "auto" the rules are, the first that holds:

    1. `winograd`, where the user allowed it (`minicnn.backends.winograd`), it can compute the convolution, and
       channels and outputs are at least WINOGRAD_CHANNELS;
    2. `grouped`, where groups are of one or two channels and outputs, or of four or eight of each, together enough to
       fill vectors;
    3. `implicit`.

    What decides is the error beside the bound |y − exact| ≤ 4 · eps · conv(|x|, |w|). The largest
    |y − exact| / (eps · conv(|x|, |w|)) on normally distributed 3 × 3 layers of 64 to 512 channels was 1.9 to 3.3 for
    `implicit`, 1.0 to 1.1 for `winograd` with m = 2, 15 to 32 with m = 4, and 0.3 to 0.9 for `fft`. But a direct sum of
    n terms stays within n · eps · conv(|x|, |w|) for every input, while `winograd` and `fft` mix a large number into
    sums that the exact result doesn't contain, and a zero weight doesn't silence it: no such bound holds. So they are
    never chosen unasked.

    Args:
        algorithm: "auto", a name, or a schedule for `implicit`.
        geometry: of the convolution.
        channels, outputs: C and O.
        groups: into how many parts they are divided.
        dtype: float32 or float64.

    Raises:
        ValueError: for an unknown algorithm, naming the known ones; for one that can't compute this convolution.
    """
    if isinstance(algorithm, Schedule):
        return implicit
    if algorithm == "auto":
        wide = min(channels, outputs) >= WINOGRAD_CHANNELS
        if choice.winograd_allowed and wide and winograd.applies(geometry, groups):
            return winograd
        small = grouped.pays(channels, outputs, groups, dtype)
        return grouped if small and grouped.applies(geometry, channels, outputs, groups, dtype) else implicit
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(['auto', *ALGORITHMS])}, got {algorithm!r}")
    if algorithm == "grouped":
        grouped.require(geometry, channels, outputs, groups, dtype)
    return ALGORITHMS[algorithm]


def grad_parameters(
    algorithm: ModuleType, x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """The gradients with respect to weight (O, C/groups, KH, KW) and bias (O,), given x and that with respect to y."""
    if algorithm is implicit or algorithm is grouped:  # in one pass
        return algorithm.grad_parameters(x, grad_output, geometry, groups)
    by_bias = over(grad_output, (0, 1, 2))
    return algorithm.grad_weight(x, grad_output, geometry, groups), by_bias
