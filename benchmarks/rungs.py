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
        share: of sgemm's GFLOP/s.
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
        gflops: of sgemm, just before.
        bars: layer by layer, rung by rung.
    """

    gflops: float
    bars: list[Bar]
