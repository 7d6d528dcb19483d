"""What the kernels of `implicit` are told: a contraction and its schedule as integers.

Plans are made once for arguments, and kept. Whether a gradient is scattered along rows is decided here, too. Nothing
here computes.
"""

import functools
from typing import NamedTuple

import numpy as np

from minicnn.kernels.convolution.contraction import Contraction, Reach, Weights, define
from minicnn.kernels.convolution.lines import WIDEST, block_count
from minicnn.kernels.convolution.rewrites import covers, merge_row, pad_columns, split_by_stride
from minicnn.kernels.convolution.schedule import Schedule, check, rewritten, schedule_of
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import lanes
from minicnn.kernels.plans import record

IMAGES_TO_SCATTER = 6
"""From so many images a thread on, lines through the images are long enough to scatter a gradient along rows."""


class Sums(NamedTuple):
    """The extents and steps of a contraction, in elements, as kernels take them.

    Attributes:
        N, G, C, O: images, groups, channels and outputs of a group.
        KH, KW: taps; d*: pixels from one to the next.
        H, W: the image; x*: its strides from image to image, row to row, pixel to pixel.
        OH, OW: output pixels, the first of which looks at row `top` and column `left`, s* apart.
        y0, y*: where the first output pixel lies, and the strides from there.
        xg, yg: the strides from group to group.
        wg, wo, wc: the weights' strides from group to group, output to output, channel to channel.
    """

    N: int
    G: int
    C: int
    O: int
    KH: int
    KW: int
    dh: int
    dw: int
    H: int
    W: int
    xn: int
    xh: int
    xw: int
    OH: int
    OW: int
    top: int
    left: int
    sh: int
    sw: int
    y0: int
    yn: int
    yh: int
    yw: int
    xg: int
    yg: int
    wg: int
    wo: int
    wc: int

    @classmethod
    def of(cls, c: Contraction) -> "Sums":
        """Of a contraction."""
        h, w, x, y = c.rows, c.columns, c.x, c.y
        return cls(
            c.N, c.G, c.C, c.O, h.taps, w.taps, h.dilation, w.dilation, h.size, w.size, x.image, x.row, x.column,
            h.positions, w.positions, h.first, w.first, h.stride, w.stride, y.start, y.image, y.row, y.column,
            x.group, y.group, c.weight.group, c.weight.output, c.weight.channel,
        )  # fmt: skip


class Tasks(NamedTuple):
    """What the kernels of `implicit` take of a `Schedule`.

    Attributes:
        images, rows, parts, through_images, private: the schedule's.
        adds: whether results overlap along a row, or leave gaps, and are added up; a task clears its rows first.
    """

    images: int
    rows: int
    parts: int
    through_images: int
    private: int
    adds: int


RECORD = np.dtype([*record(Sums).descr, *record(Tasks).descr])
FIELDS = len(Sums._fields) + len(Tasks._fields)


class Plan(NamedTuple):
    """A contraction and its schedule as a kernel takes them.

    Attributes:
        numbers: `Sums` and `Tasks`, and behind them where the weights of each tap begin.
        size: how many numbers the packed weights are.
        packs: in how many steps weights are packed before all tasks.
        tasks: how many there are.
        pixels: how many neighbours share a vector; the weights are `widen`ed for that.
    """

    numbers: np.ndarray
    size: int
    packs: int
    tasks: int
    pixels: int = 1


def plan_of(c: Contraction, schedule: Schedule, dtype: np.dtype, adds: bool = False) -> Plan:
    """The plan of a contraction that y collects."""
    c = rewritten(c, schedule)
    vector, places = lanes(dtype), c.places()
    outputs = schedule.parts * WIDEST if schedule.private else c.G * -(-c.O // vector)
    packs = 0 if schedule.private else c.G * block_count.py_func(c.O, vector) * len(places)
    tasks = -(-c.N // schedule.images) * -(-c.rows.positions // schedule.rows) * schedule.parts
    numbers = np.array((*Sums.of(c), *schedule[2:], adds, *places), np.int64)
    return Plan(numbers, outputs * vector * len(places) * c.C, packs, tasks, schedule.pixels)


def _weights(O: int, strides: tuple[int, ...], dtype: np.dtype) -> Weights:
    """Of weights (G · O, C, KH, KW), given their strides in bytes."""
    output, channel, row, column = [stride // dtype.itemsize for stride in strides]
    return Weights(0, output * O, output, channel, row, column)


@functools.lru_cache(maxsize=1024)
def forward_plan(
    N: int, G: int, C: int, O: int, geometry: Geometry, strides: tuple[int, ...], dtype: np.dtype, threads: int,
    widens: bool = True, schedule: Schedule | None = None,
) -> Plan:  # fmt: skip
    """The forward pass, given the strides of the weights in bytes; `schedule` is decided here unless it is given."""
    c = define("y", N, G, C, O, geometry, _weights(O, strides, dtype))
    if schedule:
        check(c, schedule)
        schedule = schedule if widens else schedule._replace(pixels=1)
    return plan_of(c, schedule or schedule_of(c, dtype, threads, widens), dtype)


@functools.lru_cache(maxsize=1024)
def grad_input_plans(
    N: int, G: int, O: int, C: int, geometry: Geometry, strides: tuple[int, ...], dtype: np.dtype, threads: int
) -> list[Plan]:
    """A plan for each pair of phases that has taps."""
    c = define("x", N, G, C, O, geometry, _weights(O, strides, dtype))
    return [plan_of(phase, schedule_of(phase, dtype, threads), dtype) for phase in split_by_stride(c)]


def scatters(N: int, C: int, geometry: Geometry, vector: int, threads: int) -> bool:
    """Whether the gradient with respect to x of few channels is added to runs of KW · C numbers.

    It is where that has at most half the multiplications, and enough images to make lines of.
    """
    w = geometry.width
    half = 2 * -(-w.kernel * C // vector) <= w.kernel * -(-C // vector)
    return w.dilation == 1 and half and N // threads >= IMAGES_TO_SCATTER


def scattered(N: int, O: int, C: int, geometry: Geometry, threads: int) -> list[tuple[Contraction, Schedule]]:
    """The contractions of that gradient, for weights (KH, KW, C, O) and an x with all columns that windows see."""
    c = pad_columns(define("x", N, 1, C, O, geometry, Weights.by_tap(1, C, O, geometry.kernel)))
    images = -(-N // threads)
    return [
        (phase, Schedule(images=images, rows=phase.rows.positions, through_images=True))
        for phase in split_by_stride(merge_row(c))
    ]


@functools.lru_cache(maxsize=1024)
def scatter_plans(N: int, O: int, C: int, geometry: Geometry, dtype: np.dtype, threads: int) -> tuple[list[Plan], int]:
    """A plan for each of the `scattered` contractions, and how many columns windows see."""
    w, parts = geometry.width, scattered(N, O, C, geometry, threads)
    plans = [plan_of(c, schedule, dtype, adds=True) for c, schedule in parts]
    return plans, (w.output - 1) * w.stride + w.kernel


@functools.lru_cache(maxsize=1024)
def covered(geometry: Geometry) -> tuple[bool, bool]:
    """Whether every row, and every column, of the image belongs to a phase; a gradient is 0 elsewhere."""
    return covers(Reach.of(geometry.height)), covers(Reach.of(geometry.width))
