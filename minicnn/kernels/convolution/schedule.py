"""How a contraction is carried out: a function of the contraction and the machine, and a value that can be printed.

`schedule_of` decides, for the forward pass and for the phases of the gradient with respect to x, unless it is
`plan.scattered`; `weight_schedule` does for the gradient with respect to weight. `Schedule` is what was decided, and
may as well be written by hand: every legal one gives the same sums, but for rounding. `explain conv2d --schedule`
prints it as a loop nest, with the reason for each decision.
"""

import functools
from typing import NamedTuple

import numpy as np

from minicnn.kernels.convolution.contraction import Contraction
from minicnn.kernels.convolution.lines import WIDEST
from minicnn.kernels.convolution.rewrites import flatten, is_pointwise, merge_pixels, merge_row, sees_whole_rows
from minicnn.kernels.machine import LONGEST_LINE, SECOND_LEVEL, lanes

SHORT_LINE = 16
"""Rows of fewer pixels don't fill tiles, and fewer still of their pixels have all taps; lines run through the images
then. With 14 instead, rows of 14 and 15 pixels took up to 1.3 times as long, and at best 1.1 times less."""

FEW_CHANNELS = 14
"""Fewer channels don't fill tiles of a gradient with respect to weight; pixels of so few may share vectors."""

CHUNK_BYTES = SECOND_LEVEL // 2
"""How much of the image a task works on at once: it stays in the second-level cache while the outputs change."""

IMAGE_BYTES = 4 * SECOND_LEVEL
"""How large an image may be that every thread reads as a whole, for outputs of its own."""

MANY_WEIGHTS = SECOND_LEVEL // 4
"""Fewer numbers are packed at once; more would leave the cache before they are read."""

FEW_PIXELS = 256
"""For so few, it costs more than the product to read weights that another thread packed."""

ROW_IMAGES, LINE_IMAGES = 8, 64
"""Images of a task at most, where lines run along rows, and where they run through the images."""


class Schedule(NamedTuple):
    """Decisions that change how fast a contraction is computed, and nothing else but rounding.

    `Schedule()` is one row of one image at a time, not what is best: begin with what `minicnn.explain.schedule` shows,
    `explain.schedule(…).nests[0].schedule._replace(rows=8)`.

    Attributes:
        width: pixels of a row that those of a 1 × 1 layer are rearranged to, a divisor of N · H · W; 0 for rows as they
            are.
        pixels: how many neighbours share a vector, 1 for none; a divisor of the row's, with one group, no dilation and
            no padding along the row, and width 0.
        images, rows: how many of each, of the output as width arranges it, make a task.
        parts: into how many tasks the blocks of outputs are divided, at most G · O.
        through_images: whether lines run through the images everywhere, or only at the border.
        private: whether each task packs the weights of its outputs, block after block, instead of all at once; then a
            task is all images and rows.
    """

    width: int = 0
    pixels: int = 1
    images: int = 1
    rows: int = 1
    parts: int = 1
    through_images: bool = False
    private: bool = False


@functools.lru_cache(maxsize=1024)
def line_width(pixels: int, threads: int) -> int:
    """The length of rows to arrange so many pixels in, where any will do: long ones, several a thread."""
    for width in range(min(pixels, LONGEST_LINE), SHORT_LINE, -1):
        lines = pixels // width
        if pixels % width == 0 and (lines % threads == 0 or lines >= 4 * threads):
            return width
    return pixels


def blocks_of(c: Contraction, dtype: np.dtype) -> int:
    """How many blocks of outputs, each as wide as the widest tile, there are."""
    return c.G * -(-c.O // (WIDEST * lanes(dtype)))


def weights_of(c: Contraction) -> int:
    """How many weights there are."""
    return c.G * c.C * c.O * c.rows.taps * c.columns.taps


def merges_rows(c: Contraction) -> bool:
    """Whether kernel rows are taken as channels, and neighbouring pixels as outputs, where that fills vectors."""
    return c.G == 1 and c.C < FEW_CHANNELS and c.columns.dilation == 1 and (c.rows.taps, c.columns.taps) != (1, 1)


def shared_pixels(c: Contraction, vector: int) -> int:
    """How many neighbouring pixels share a vector of so many lanes, where `merges_rows`."""
    most = vector // c.O if c.columns.stride < c.columns.taps else 1
    return max([m for m in range(1, most + 1) if c.columns.positions % m == 0], default=1)


def schedule_of(c: Contraction, dtype: np.dtype, threads: int, widens: bool = False) -> Schedule:
    """The schedule for a contraction that y collects.

    A line should fill the largest tiles; along a row it has as many pixels as the row, through the images at most
    N / threads.

    Args:
        c: the contraction.
        dtype: of its arrays.
        threads: how many there are.
        widens: whether the weights may be laid anew, as `widen` does.
    """
    width = line_width(c.N * c.rows.size * c.columns.size, threads) if is_pointwise(c) else 0
    pixels = shared_pixels(c, lanes(dtype)) if widens and merges_rows(c) and sees_whole_rows(c) else 1
    c = rewritten(c, Schedule(width, pixels))
    N, OH, OW = c.N, c.rows.positions, c.columns.positions * pixels
    per_thread = max(N // threads, min(N, ROW_IMAGES))
    through_images = OW < SHORT_LINE and per_thread > OW
    images = per_thread if through_images or c.columns.is_padded or pixels > 1 else 1
    images = -(-images // -(-images // (LINE_IMAGES if through_images else ROW_IMAGES)))
    row_bytes, blocks = c.rows.stride * c.x.row * dtype.itemsize, blocks_of(c, dtype)
    private = weights_of(c) >= MANY_WEIGHTS or N * OH * OW <= FEW_PIXELS
    if private and blocks % threads == 0 and N * (c.rows.size // c.rows.stride) * row_bytes <= IMAGE_BYTES:
        return Schedule(width, pixels, N, OH, threads, through_images, True)
    rows = max(1, min(OH, CHUNK_BYTES // max(1, images * row_bytes)))
    rows = -(-OH // -(-OH // rows))  # tasks alike
    while -(-N // images) * -(-OH // rows) < threads and rows > 1:
        rows = -(-rows // 2)
    places = -(-N // images) * -(-OH // rows)
    uneven = places % threads and places < 8 * threads
    return Schedule(width, pixels, images, rows, min(blocks, threads) if uneven else 1, through_images)


def reasons(c: Contraction, schedule: Schedule, dtype: np.dtype, threads: int) -> dict[str, str]:
    """Why a schedule is as `schedule_of` decides, a clause for each field, for the contraction before rewriting."""
    seen, vector = rewritten(c, schedule), lanes(dtype)
    N, OH, OW = seen.N, seen.rows.positions, seen.columns.positions * schedule.pixels
    kilobytes = schedule.images * schedule.rows * seen.rows.stride * seen.x.row * dtype.itemsize / 1024
    weights, pixels = weights_of(seen), N * OH * OW
    found = {
        "width": "a 1 × 1 layer doesn't know which pixels are neighbours, and long rows fill tiles",
        "pixels": f"{c.O} outputs fill {c.O} of {vector} lanes, so {schedule.pixels} neighbours share a vector",
        "images": f"{kilobytes:.0f} kB are read at a time: {CHUNK_BYTES // 1024} kB leave room for weights in the "
        "second-level cache",
        "parts": "a task computes all outputs of its pixels, so that it reads them once",
        "through_images": f"rows of {OW} pixels fill tiles, so lines run along them",
        "private": f"{weights:,} weights stay in cache until they are read, so that no task needs to pack its own",
    }
    if schedule.private:
        found["images"] = f"each task has all pixels, reads {kilobytes:.0f} kB, and has outputs of its own"
        few = f"{pixels} pixels are few: a product takes no longer than weights from another thread's cache"
        found["private"] = (
            few if pixels <= FEW_PIXELS else f"{weights:,} weights would leave the cache before their turn"
        )
    if schedule.parts > 1:
        found["parts"] = f"outputs are divided, because pixels don't divide evenly among {threads} threads"
        if schedule.private:
            found["parts"] = f"one for each of {threads} threads"
    if schedule.through_images:
        found["through_images"] = f"rows of {OW} pixels fill no tile, {schedule.images} images fill more"
    elif OW < SHORT_LINE:
        found["through_images"] = f"rows of {OW} pixels fill no tile, but a thread has no more images than that"
    return found


def rewritten(c: Contraction, schedule: Schedule) -> Contraction:
    """The contraction as the schedule has it seen."""
    if schedule.width:
        c = flatten(c, schedule.width)
    return merge_row(merge_pixels(c, schedule.pixels)) if schedule.pixels > 1 else c


def check(c: Contraction, schedule: Schedule) -> None:
    """Raise ValueError or TypeError, naming the field, where a schedule isn't legal for a contraction."""
    check_types(schedule, Schedule())
    check_width(c, schedule.width)
    shares = schedule.pixels == 1 or (
        not schedule.width and schedule.pixels > 1 and sees_whole_rows(c) and c.columns.positions % schedule.pixels == 0
    )
    if not shares:
        raise ValueError(
            f"schedule.pixels needs a divisor of the row's {c.columns.positions} output pixels, one group, and no "
            f"dilation or padding along the row, got {schedule.pixels}"
        )
    seen = rewritten(c, schedule)
    for name, most in (("images", seen.N), ("rows", seen.rows.positions), ("parts", seen.G * seen.O)):
        least = most if schedule.private and name != "parts" else 1
        condition = " where each task packs its own weights" if schedule.private else ""
        check_between(schedule, name, least, most, condition)


def check_types(schedule: NamedTuple, default: NamedTuple) -> None:
    """Raise TypeError where a field isn't of its default's type."""
    for name, value, usual in zip(default._fields, schedule, default, strict=True):
        if type(value) is not type(usual):
            raise TypeError(f"schedule.{name} must be {type(usual).__name__}, got {value!r}")


def check_width(c: Contraction, width: int) -> None:
    """Raise ValueError where a contraction's pixels can't be rearranged to rows of such a width, unless it is 0."""
    pixels = c.N * c.rows.size * c.columns.size
    if width and not (is_pointwise(c) and width > 0 and pixels % width == 0):
        raise ValueError(f"schedule.width needs a 1 × 1 convolution and a divisor of its {pixels} pixels, got {width}")


def check_between(schedule: NamedTuple, name: str, least: int, most: int, condition: str = "") -> None:
    """Raise ValueError where a field isn't within its limits."""
    value = getattr(schedule, name)
    if not least <= value <= most:
        raise ValueError(f"schedule.{name} must be from {least} to {most}{condition}, got {value}")
