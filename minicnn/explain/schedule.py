"""How the engine carries a convolution out: the loop nest that this machine runs, with the reason for each decision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.explain.shown import Shown
from minicnn.kernels.machine import lanes
from minicnn.nn.functional.geometry import convolution_geometry

if TYPE_CHECKING:
    from rich.text import Text

    from minicnn.kernels.convolution.contraction import Contraction
    from minicnn.kernels.convolution.schedule import Schedule
    from minicnn.kernels.convolution.weight_schedule import WeightSchedule


SCATTERED = {
    "images": "one task for each thread, with all its images",
    "through_images": "runs of neighbouring pixels overlap, those of different images don't",
}
"""Why a gradient that is scattered along rows is scheduled as it is."""


@dataclass(frozen=True, eq=False)
class Nest:
    """One contraction and its schedule.

    Attributes:
        title: what it computes.
        contraction: before it is rewritten.
        schedule: what was decided.
        reasons: why, for each field of the schedule.
        reads: the image that it reads, "x", or "∂y" in a gradient.
    """

    title: str
    contraction: "Contraction"
    schedule: "Schedule | WeightSchedule"
    reasons: dict[str, str]
    reads: str


@dataclass(frozen=True, eq=False)
class Scheduled(Shown):
    """The forward pass and the gradients of a convolution.

    Attributes:
        nests: the forward pass first, then a contraction for each phase of the gradient with respect to x, and the
            gradient with respect to weight.
        dtype: of the arrays.
        threads: that share the work.
    """

    nests: tuple[Nest, ...]
    dtype: np.dtype
    threads: int

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.schedule import sections

        return sections(self, width)


def schedule(
    input_shape: Sequence[int],
    weight_shape: Sequence[int],
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    dtype: Any = np.float32,
) -> Scheduled:
    """How `conv2d` computes a convolution of these sizes on this machine, with the threads that are set.

    Args:
        input_shape: (N, C, H, W).
        weight_shape: (O, C/groups, KH, KW).
        stride, padding, dilation, groups: those of the function.
        dtype: float32 or float64.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, and for convolutions that another algorithm computes.
        TypeError: for another dtype.
    """
    from minicnn.kernels.convolution import contraction, rewrites
    from minicnn.kernels.convolution import plan as planning
    from minicnn.kernels.convolution import schedule as scheduling
    from minicnn.kernels.convolution import weight_schedule as scheduling_weights

    dtype, threads = np.dtype(dtype), kernels.threads.get_num_threads()
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"convolutions are computed in float32 or float64, got {dtype}")
    if len(input_shape) != 4 or len(weight_shape) != 4:
        raise ValueError(f"shapes must have four sizes, got {tuple(input_shape)} and {tuple(weight_shape)}")
    (N, C, H, W), (O, CG, KH, KW) = input_shape, weight_shape
    if CG * groups != C or O % groups:
        raise ValueError(f"{groups} groups don't fit {C} channels and a weight of shape {tuple(weight_shape)}")
    geometry = convolution_geometry((H, W), (KH, KW), stride, padding, dilation)
    name = kernels.convolution.select("auto", geometry, C, O, groups, dtype).__name__.rpartition(".")[2]
    if name != "implicit":
        raise ValueError(f"this convolution is computed by algorithm={name!r}; a schedule is for 'implicit'")
    taps = KH * KW
    weight = contraction.Weights(0, O // groups * CG * taps, CG * taps, taps, KW, 1)
    sizes = N, groups, CG, O // groups, geometry, weight
    forward = contraction.define("y", *sizes)
    chosen = scheduling.schedule_of(forward, dtype, threads, widens=True)
    nests = [Nest("forward", forward, chosen, scheduling.reasons(forward, chosen, dtype, threads), "x")]
    if groups == 1 and planning.scatters(N, C, geometry, lanes(dtype), threads):
        title = "gradient with respect to x, each output pixel adding to the run of KW·C numbers that it saw of a row"
        for phase, chosen in planning.scattered(N, O, C, geometry, threads):
            reasons = scheduling.reasons(phase, chosen, dtype, threads) | SCATTERED
            nests.append(Nest(title, phase, chosen, reasons, "∂y"))
    else:
        by_x = contraction.define("x", *sizes)
        for phase in rewrites.split_by_stride(by_x):
            chosen = scheduling.schedule_of(phase, dtype, threads)
            reasons = scheduling.reasons(phase, chosen, dtype, threads)
            nests.append(Nest(_title(by_x, phase), phase, chosen, reasons, "∂y"))
    by_weight = contraction.define("weight", *sizes)
    decided = scheduling_weights.weight_schedule_of(by_weight, dtype, threads)
    why = scheduling_weights.weight_reasons(by_weight, decided, dtype, threads)
    nests.append(Nest("gradient with respect to weight", by_weight, decided, why, "x"))
    return Scheduled(tuple(nests), dtype, threads)


def _title(by_x: "Contraction", phase: "Contraction") -> str:
    """What a phase of the gradient computes."""
    rows, columns, title = by_x.rows.stride, by_x.columns.stride, "gradient with respect to x"
    if (rows, columns) == (1, 1):
        return title
    row, column = divmod(phase.y.start, by_x.x.row)
    column //= by_x.x.column
    return f"{title}, rows {row}, {row + rows}, … and columns {column}, {column + columns}, …"
