"""What was measured of the rungs of the ladder."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Bar:
    """One algorithm on one layer.

    Attributes:
        layer: its name and sizes.
        rung: the algorithm.
        images: of the batch that it was timed on.
        seconds: median of a call.
        gflops: operations of the direct sum ÷ seconds, whatever the algorithm computes.
        share: of the machine's peak.
    """

    layer: str
    rung: str
    images: int
    seconds: float
    gflops: float
    share: float


class Ladder(NamedTuple):
    """All bars, measured once.

    Attributes:
        sgemm: GFLOP/s of a product by PyTorch's BLAS or by NumPy's, just before.
        peak: the same, or of a product by minicnn's micro-kernel, whichever is more.
        bars: layer by layer, rung by rung.
    """

    sgemm: float
    peak: float
    bars: list[Bar]
