"""A row of a table: one piece of work done by both sides, checked, then timed."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from benchmarks.machine import Limits
from benchmarks.timing import Function, alternate

Way = Callable[[], Sequence[Any]]
"""Does the work once; returns what to compare, arrays or either side's tensors, as it lies in memory."""


class Sides(NamedTuple):
    """Both sides of a piece of work, their data in place.

    Attributes:
        ours: minicnn's way.
        theirs: PyTorch's ways by the name of their memory format; the fastest one counts.
    """

    ours: Way
    theirs: dict[str, Way]


@dataclass
class Work:
    """One piece of work.

    Attributes:
        name: what it is done on; rows of one name stand together in the plot.
        part: which part of it, such as "forward".
        prepare: makes both sides, when their turn comes.
        flops: floating-point operations of one call.
        bytes: bytes that one call must at least move.
        limit: what limits it: the machine's arithmetic or its memory.
        tolerance: the largest difference allowed, as a part of the largest value.
    """

    name: str
    part: str
    prepare: Callable[[], Sides]
    flops: float
    bytes: float
    limit: Literal["arithmetic", "memory"] = "arithmetic"
    tolerance: float = 1e-4

    @property
    def title(self) -> str:
        """What the row is called."""
        return f"{self.name} {self.part}" if self.part else self.name


@dataclass
class Result:
    """What was measured: seconds of one call, and the ratio PyTorch ÷ minicnn.

    Attributes:
        title, name, part, flops, bytes: of the work.
        first: seconds of minicnn's first call, which compiles where the kernel cache is empty.
        ours, theirs: median seconds.
        format: which of PyTorch's ways was the faster.
        rate: GFLOP/s or GB/s of minicnn.
        share: of the machine's limit.
    """

    title: str
    name: str
    part: str
    flops: float
    bytes: float
    first: float
    ours: float
    theirs: float
    format: str
    ratio: float
    rate: float
    unit: str
    share: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def as_array(result: Any) -> np.ndarray:
    """A tensor of either side, or an array, as an array. Not part of the work: minicnn's may have to be laid anew."""
    return result if isinstance(result, (np.ndarray, np.generic)) else result.detach().numpy()


def compare(title: str, sides: Sides, tolerance: float) -> float:
    """Call each side once; raise where the results differ by more than the tolerance.

    Returns: seconds of minicnn's call, the first, which compiles where the kernel cache is empty.
    """
    start = time.perf_counter()
    ours = sides.ours()
    first = time.perf_counter() - start
    for name, function in sides.theirs.items():
        for number, (a, b) in enumerate(zip(map(as_array, ours), map(as_array, function()), strict=True)):
            scale = np.abs(b).max() or 1.0
            error = np.abs(a - b).max() / scale
            if not error <= tolerance:
                raise AssertionError(f"{title}: result {number} differs from PyTorch's ({name}) by {error:.2e}")
    return first


def measure(work: Work, limits: Limits, blocks: int = 7, seconds: float = 0.15) -> Result:
    """Compare both sides' results, then time both.

    Args:
        work: what to do.
        limits: of the machine.
        blocks, seconds: as in `alternate`.
    """
    sides = work.prepare()
    first = compare(work.title, sides, work.tolerance)
    functions: list[Function] = [sides.ours, *sides.theirs.values()]
    ours, *theirs = alternate(functions, blocks, seconds)
    fastest = int(np.argmin(theirs))
    if work.limit == "arithmetic":
        rate, unit, limit = work.flops / ours / 1e9, "GFLOP/s", limits.gflops
    else:
        rate, unit, limit = work.bytes / ours / 1e9, "GB/s", limits.gbs
    return Result(
        work.title,
        work.name,
        work.part,
        work.flops,
        work.bytes,
        first,
        ours,
        theirs[fastest],
        list(sides.theirs)[fastest],
        theirs[fastest] / ours,
        rate,
        unit,
        rate / limit,
    )


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean of ratios: of 2 and ½ it is 1."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


class Run(NamedTuple):
    """The whole table, measured once."""

    limits: Limits
    results: list[Result]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sgemm_gflops": self.limits.gflops,
            "copy_gbs": self.limits.gbs,
            "geometric_mean": geometric_mean(r.ratio for r in self.results),
            "rows": [r.as_dict() for r in self.results],
        }
