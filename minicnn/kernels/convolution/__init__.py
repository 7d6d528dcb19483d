"""Convolution as a ladder of algorithms, all with one signature.

Each module has, on channels-last arrays,

    forward(x, weight, bias, geometry) -> y
    grad_input(grad_output, weight, geometry, groups) -> grad_x
    grad_weight(x, grad_output, geometry, groups) -> grad_weight

    x            (N, H, W, C)
    weight       (O, C / groups, KH, KW)
    bias         (O,) or None
    grad_output  (N, OH, OW, O), as y

The number of groups is C / weight.shape[1]. `select` is the one place where `algorithm="auto"` is decided.
"""

from types import ModuleType

from minicnn.kernels.convolution import im2col, implicit, naive, winograd
from minicnn.kernels.geometry import Geometry

ALGORITHMS = {"naive": naive, "im2col": im2col, "implicit": implicit, "winograd": winograd}


def select(algorithm: str, geometry: Geometry) -> ModuleType:
    """The module that computes a convolution of `geometry`.

    Raises:
        ValueError: for an unknown algorithm, naming the known ones.
    """
    if algorithm == "auto":
        return implicit
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(['auto', *ALGORITHMS])}, got {algorithm!r}")
    return ALGORITHMS[algorithm]
