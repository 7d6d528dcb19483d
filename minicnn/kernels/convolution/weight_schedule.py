"""How a gradient with respect to weight is carried out: `schedule` for the contraction that weight collects.

    ∂weight[tap, c, o] = Σ over pixels of  x[pixel's origin + tap, c] · ∂y[pixel, o]

Rows of the product are the channels of a tap, columns the outputs, and the sum runs over all pixels, line after line. A
tile adds its sum over the pixels of some lines to what the lines before gave; parts of the lines, each with a sum of
its own, keep those additions few and let threads share them. Channels that are too few to fill tiles are multiplied by
taking kernel rows as channels (`rewrites.merge_row`); where outputs, besides, don't fill a vector, neighbouring pixels
share it (`rewrites.merge_pixels`).

`weight_schedule_of` decides; `explain conv2d --schedule` prints what it decided as a loop nest, and why.
"""

from typing import NamedTuple

import numpy as np

from minicnn.kernels.convolution.contraction import Contraction
from minicnn.kernels.convolution.lines import block_count
from minicnn.kernels.convolution.rewrites import (
    flatten,
    is_pointwise,
    merge_pixels,
    merge_row,
    pad_columns,
    sees_whole_rows,
    within_images,
)
from minicnn.kernels.convolution.schedule import (
    SHORT_LINE,
    blocks_of,
    check_between,
    check_types,
    check_width,
    line_width,
    merges_rows,
    shared_pixels,
    weights_of,
)
from minicnn.kernels.machine import lanes

PIXELS_AT_ONCE = 192
"""Over how many pixels a tile sums at once; their packed gradients stay in cache for all taps."""
PIXELS_OF_A_PART = 2**15
"""So that a part adds up no more than about 2⁸ sums of tiles."""
PACKING_PAYS = 128
"""From so many channels of taps on; fewer read gradients where they lie. So do all where a block is all the outputs."""
WEIGHTS_OF_A_PART = 2**14
"""Of more weights no thread gets a sum of its own unless it has to."""


class WeightSchedule(NamedTuple):
    """Decisions that change how fast a gradient with respect to weight is computed, and nothing else but rounding.

    Attributes:
        width: pixels of a row that those of a 1 × 1 layer are rearranged to, a divisor of N · H · W; 0 for rows as they
            are.
        merged: whether kernel rows are taken as channels, of a copy of x with the padding of its rows if they have any;
            for one group, no dilation along the row, and width 0.
        pixels: how many neighbours share a vector, where `merged`; a divisor of the row's, 1 for none.
        through_images: whether lines run through the images, in a copy of x, instead of along rows; for layers that are
            neither rearranged nor merged.
        packs: whether the gradients of some lines are packed, block by block of outputs, for all taps; lines through
            the images are.
        lines: over how many a tile sums at once.
        parts: into how many parts the lines are divided, each with a sum of its own.
        outputs: into how many the blocks of outputs are divided.
    """

    width: int = 0
    merged: bool = False
    pixels: int = 1
    through_images: bool = False
    packs: bool = True
    lines: int = 1
    parts: int = 1
    outputs: int = 1


def lines_of(c: Contraction, through_images: bool) -> tuple[int, int]:
    """How many lines of pixels there are, and their length."""
    OH, OW = c.rows.positions, c.columns.positions
    return (OH * OW, c.N) if through_images else (c.N * OH, OW)


def weight_schedule_of(c: Contraction, dtype: np.dtype, threads: int) -> WeightSchedule:
    """The schedule for a contraction that weight collects, of arrays of `dtype`, with so many threads."""
    width = line_width(c.N * c.rows.size * c.columns.size, threads) if is_pointwise(c) else 0
    merged = not width and merges_rows(c)
    pixels = shared_pixels(c, lanes(dtype)) if merged else 1
    through_images = not (width or merged) and c.columns.positions < SHORT_LINE < c.N
    seen = as_scheduled(c, WeightSchedule(width, merged, pixels, through_images))
    lines, length = lines_of(seen, through_images)
    blocks, many = blocks_of(seen, dtype), weights_of(seen) > WEIGHTS_OF_A_PART
    packs = seen.G > 1 or through_images or (_blocks(seen, dtype) > 1 and _rows(seen) >= PACKING_PAYS)
    if many and (blocks % threads == 0 or blocks >= 4 * threads):
        parts, outputs = 1, blocks
    else:
        parts, outputs = threads if many else 4 * threads, 1
    parts = min(lines, max(parts, lines * length // PIXELS_OF_A_PART))
    at_once = min(lines, max(1, PIXELS_AT_ONCE // length))
    return WeightSchedule(width, merged, pixels, through_images, packs, at_once, parts, outputs)


def weight_reasons(c: Contraction, schedule: WeightSchedule, dtype: np.dtype, threads: int) -> dict[str, str]:
    """Why a schedule is as `weight_schedule_of` decides, a clause for each field, for the contraction before rewriting.

    Lines through the images, which are always packed, need no reason for that.
    """
    seen, vector = as_scheduled(c, schedule), lanes(dtype)
    _, length = lines_of(seen, schedule.through_images)
    weights, blocks = weights_of(seen), _blocks(seen, dtype)
    parts = f"{weights:,} weights are few enough for a sum of each part's own"
    if weights > WEIGHTS_OF_A_PART:
        parts = f"{weights:,} weights are many, and every further sum costs as many additions"
        if schedule.outputs == 1:
            parts += f"; but {blocks} {'block' if blocks == 1 else 'blocks'} of outputs can't be divided evenly"
    return {
        "width": "a 1 × 1 layer doesn't know which pixels are neighbours, and long lines need few tiles",
        "merged": "so few channels don't fill tiles, those of a kernel row fill more",
        "pixels": f"{c.O} outputs fill {c.O} of {vector} lanes, so {schedule.pixels} neighbours share a vector",
        "through_images": f"rows of {length} pixels make lines of their own"
        if not schedule.through_images
        else f"rows of {seen.columns.positions} pixels are short, and fewer still have all taps in the image",
        "packs": f"all {_rows(seen)} channels of taps read them, one after another"
        if schedule.packs
        else ("a block is all the outputs" if blocks == 1 else f"only {_rows(seen)} channels of taps read them"),
        "lines": f"{schedule.lines * length} pixels at a time stay in cache while taps change",
        "parts": parts,
        "outputs": f"{blocks} blocks of outputs are enough for {threads} threads",
    }


def _blocks(c: Contraction, dtype: np.dtype) -> int:
    """How many blocks of outputs there are, narrow ones at the end among them."""
    return c.G * block_count.py_func(c.O, lanes(dtype))


def _rows(c: Contraction) -> int:
    """Rows of the product: the channels of all taps."""
    return c.rows.taps * c.columns.taps * c.C


def as_scheduled(c: Contraction, schedule: WeightSchedule) -> Contraction:
    """The contraction as the schedule has it seen."""
    if schedule.width:
        c = flatten(c, schedule.width)
    if schedule.merged:
        c = merge_row(merge_pixels(c if sees_whole_rows(c) else pad_columns(c), schedule.pixels))
    return within_images(c) if schedule.through_images else c


def check_weight_schedule(c: Contraction, schedule: WeightSchedule, dtype: np.dtype) -> None:
    """Raise ValueError or TypeError, naming the field, where a schedule isn't legal for a contraction."""
    check_types(schedule, WeightSchedule())
    check_width(c, schedule.width)
    if schedule.merged and (schedule.width or c.G > 1 or c.columns.dilation > 1):
        raise ValueError("schedule.merged needs one group, no dilation along the row, and width 0")
    shares = schedule.pixels >= 1 and c.columns.positions % schedule.pixels == 0
    if not shares or (schedule.pixels > 1 and not schedule.merged):
        raise ValueError(
            f"schedule.pixels needs merged, and a divisor of the row's {c.columns.positions} output pixels, "
            f"got {schedule.pixels}"
        )
    if schedule.through_images and (schedule.width or schedule.merged or not schedule.packs):
        raise ValueError("schedule.through_images needs packs, width 0 and merged False")
    seen = as_scheduled(c, schedule)
    lines, _ = lines_of(seen, schedule.through_images)
    for name, most in (("lines", lines), ("parts", lines), ("outputs", _blocks(seen, dtype))):
        check_between(schedule, name, 1, most)
