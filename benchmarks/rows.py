"""A row of a table: one piece of work done by both sides, checked, then timed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.timing import Function, alternate


@dataclass
class Work:
    """One piece of work.

    Attributes:
        name: what the row is called.
        ours: minicnn's way; returns arrays to compare.
        theirs: PyTorch's ways, NCHW and channels_last say; the faster one counts.
        flops: floating-point operations of one call, for work that arithmetic limits.
        bytes: bytes that one call must at least move, for work that memory limits.
        tolerance: the largest difference allowed, as a part of the largest value.
    """

    name: str
    ours: Callable[[], Sequence[np.ndarray]]
    theirs: dict[str, Callable[[], Sequence[np.ndarray]]]
    flops: float = 0.0
    bytes: float = 0.0
    tolerance: float = 1e-4


@dataclass
class Result:
    """What was measured: seconds of one call, and the ratio PyTorch ÷ minicnn.

    Attributes:
        first: seconds of minicnn's first call, which compiles where the kernel cache is empty.
        format: which of PyTorch's ways was the faster.
        rate: GFLOP/s or GB/s of minicnn.
        share: of the machine's limit.
    """

    name: str
    first: float
    ours: float
    theirs: float
    format: str
    ratio: float
    rate: float
    unit: str
    share: float

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


def compare(work: Work) -> float:
    """Call each side once; raise where the results differ by more than the tolerance.

    Returns: seconds of minicnn's call, the first, which compiles where the kernel cache is empty.
    """
    start = time.perf_counter()
    ours = work.ours()
    first = time.perf_counter() - start
    for name, function in work.theirs.items():
        for number, (a, b) in enumerate(zip(ours, function(), strict=True)):
            scale = np.abs(b).max() or 1.0
            error = np.abs(a - b).max() / scale
            if not error <= work.tolerance:
                raise AssertionError(f"{work.name}: result {number} differs from PyTorch's ({name}) by {error:.2e}")
    return first


def measure(work: Work, peak: float, bandwidth: float, blocks: int = 7, seconds: float = 0.15) -> Result:
    """Compare both sides' results, then time both.

    Args:
        peak: the machine's GFLOP/s.
        bandwidth: the machine's GB/s.
        blocks, seconds: as in `alternate`.
    """
    first = compare(work)
    functions: list[Function] = [work.ours, *work.theirs.values()]
    ours, *theirs = alternate(functions, blocks, seconds)
    fastest = int(np.argmin(theirs))
    if work.flops:
        rate, unit, limit = work.flops / ours / 1e9, "GFLOP/s", peak
    else:
        rate, unit, limit = work.bytes / ours / 1e9, "GB/s", bandwidth
    name = list(work.theirs)[fastest]
    return Result(work.name, first, ours, theirs[fastest], name, theirs[fastest] / ours, rate, unit, rate / limit)
