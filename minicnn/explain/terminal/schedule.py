"""A schedule in the terminal: loops, one in another, and why they are as they are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from minicnn.explain.terminal.numbers import counted
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.kernels.convolution.lines import FIRST_TILE, block_at, block_count
from minicnn.kernels.convolution.schedule import Schedule, rewritten
from minicnn.kernels.convolution.weight_schedule import WeightSchedule, as_scheduled, lines_of
from minicnn.kernels.machine import lanes, registers

MOST_BLOCKS = 6
"""More blocks of outputs are counted, not listed."""

if TYPE_CHECKING:
    from minicnn.explain.schedule import Nest, Scheduled
    from minicnn.kernels.convolution.contraction import Contraction

FORMULA = (
    "y[n, i, j, g, o] = Σ over p, q, c of x[n, top + i·SH + p·DH, left + j·SW + q·DW, g, c] · weight[g, o, c, p, q]"
)


def sections(e: "Scheduled", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield paragraph(FORMULA, width)
    yield paragraph(
        f"\nx, weight and y of {e.dtype.name}; {counted(e.threads, 'thread')}; vectors of {lanes(e.dtype)} numbers. "
        "Each loop is followed by the reason for it; what the words mean is in docs/glossary.md.",
        width,
    )
    for nest in e.nests:
        yield heading(f"{nest.title}: {nest.contraction.products:,} multiply-adds, with the padding")
        rows = weight_loops(nest, e) if isinstance(nest.schedule, WeightSchedule) else loops(nest, e)
        for depth, loop, reason in rows:
            indent = "  " * depth
            yield paragraph(loop, width, indent)
            if reason:
                yield paragraph(reason, width, f"{indent}    ")


def blocks_of(widths: list[int], groups: int, parts: int) -> str:
    """How many vectors each block has."""
    several = " + ".join(map(str, widths)) if len(widths) <= MOST_BLOCKS else f"{len(widths)} of {widths[0]} at most"
    each = f" in each of {groups} groups" if groups > 1 else ""
    shared = f", shared by {parts} tasks" if parts > 1 else ""
    return f"{several} {'vector' if widths == [1] else 'vectors'}{each}{shared}"


def extents(c: "Contraction") -> str:
    """The loops' lengths."""
    groups = f"{c.G} groups of " if c.G > 1 else ""
    reach = f"{c.rows.positions} × {c.columns.positions} pixels, {c.rows.taps} × {c.columns.taps} taps"
    return f"{counted(c.N, 'image')}, {reach}, {groups}{counted(c.C, 'channel')} and {counted(c.O, 'output')}"


def vectors_of_blocks(c: "Contraction", e: "Scheduled") -> list[int]:
    """How many vectors each block of a group's outputs has."""
    vector = lanes(e.dtype)
    return [block_at.py_func(k, c.O, vector)[1] for k in range(block_count.py_func(c.O, vector))]


def loops(nest: "Nest", e: "Scheduled") -> Iterator[tuple[int, str, str]]:
    """The nest from outside in: depth, loop, reason."""
    c, s, why = nest.contraction, nest.schedule, nest.reasons
    assert isinstance(s, Schedule)
    yield 0, extents(c), ""
    seen = rewritten(c, s)
    if s.width:
        yield 0, f"seen as {extents(seen)}", why["width"]
    if s.pixels > 1:
        yield 0, f"seen as {extents(seen)}", why["pixels"]
    images, rows = -(-seen.N // s.images), -(-seen.rows.positions // s.rows)
    if not s.private:
        yield 0, "all threads pack the weights, in the order [group][block][tap][channel][lane]", why["private"]
    tasks = f"for each of {counted(images * rows * s.parts, 'task')}, shared by {counted(e.threads, 'thread')}: "
    tasks += f"{counted(images, 'group')} of {counted(s.images, 'image')}, "
    tasks += f"{counted(rows, 'group')} of {counted(s.rows, 'row')}"
    yield 0, tasks + (f", {s.parts} parts of the outputs" if s.parts > 1 else ""), f"{why['images']}; {why['parts']}"
    vector, widths = lanes(e.dtype), vectors_of_blocks(seen, e)
    vectors = widths[0]
    yield 1, f"for each block of outputs, {blocks_of(widths, seen.G, s.parts)}: outputs fill the lanes", ""
    if s.private:
        yield 2, "the task packs the block's weights, in the order [tap][channel][lane]", why["private"]
    whole_line = s.images if s.through_images else seen.columns.positions
    inside = sum(
        seen.columns.pixel(j, 0) >= 0 and seen.columns.pixel(j, seen.columns.taps - 1) < seen.columns.size
        for j in range(seen.columns.positions)
    )
    length = whole_line if s.through_images else inside
    along = "output column, a line through its images" if s.through_images else "image, a line along the row"
    lines = f"for each of {counted(s.rows, 'row')}, and each {along}: {counted(length, 'pixel')}"
    yield 2, lines, why["through_images"]
    if inside < seen.columns.positions and not s.through_images:
        ends = counted(seen.columns.positions - inside, "pixel")
        yield 3, f"{ends} at the row's ends, whose windows reach into the padding: lines through the images", ""
    tile = int(FIRST_TILE[vectors, max(min(length, FIRST_TILE.shape[1] - 1), 1)])
    sums = f"{tile * vectors} of {registers()} registers"
    yield 3, f"for each tile of {counted(tile, 'pixel')} × {counted(vectors, 'vector')}", f"their sums stay in {sums}"
    whole = seen.columns.dilation == 1 and seen.x.column == seen.C
    segments = seen.rows.taps * (1 if whole else seen.columns.taps)
    steps = seen.C * (seen.columns.taps if whole else 1)
    run = (
        f"a kernel row's columns and channels lie side by side in {nest.reads}"
        if whole and seen.columns.taps > 1
        else ""
    )
    yield 4, f"for each of {counted(segments, 'segment')}, {steps} steps long, taps in the padding left out", run
    loaded = f"{counted(vectors, 'vector')} of weights, {counted(tile, 'number')} of {nest.reads}"
    yield 5, f"{loaded}, {tile * vectors} multiply-adds of {vector} lanes", ""


def weight_loops(nest: "Nest", e: "Scheduled") -> Iterator[tuple[int, str, str]]:
    """The same for the gradient with respect to weight."""
    c, s, why = nest.contraction, nest.schedule, nest.reasons
    assert isinstance(s, WeightSchedule)
    yield 0, extents(c), ""
    seen = as_scheduled(c, s)
    if s.width:
        yield 0, f"seen as {extents(seen)}", why["width"]
    if s.merged:
        padded = ", in a copy of x with its padding" if c.columns.is_padded else ""
        both = why["merged"] + (f"; {why['pixels']}" if s.pixels > 1 else "")
        yield 0, f"seen as {extents(seen)}{padded}", both
    if s.through_images:
        yield 0, "x is copied with the images of a pixel side by side", why["through_images"]
    lines, length = lines_of(seen, s.through_images)
    along = "through the images" if s.through_images else "along the rows"
    tasks = f"for each of {counted(s.parts * s.outputs, 'task')}, shared by {counted(e.threads, 'thread')}: "
    tasks += f"{counted(s.parts, 'part')} of the {counted(lines, 'line')} {along}"
    tasks += f", {s.outputs} parts of the outputs" if s.outputs > 1 else ""
    yield 0, tasks, why["parts"] + (f"; {why['outputs']}" if s.outputs > 1 else "")
    yield 1, f"for each {counted(s.lines, 'line')} of {counted(length, 'pixel')}", why["lines"]
    widths = vectors_of_blocks(seen, e)
    vectors, vector = widths[0], lanes(e.dtype)
    yield 2, f"for each block of outputs, {blocks_of(widths, seen.G, s.outputs)}: outputs fill the lanes", ""
    if s.packs:
        yield 3, "the task packs the block's ∂y, in the order [line][pixel][lane]", why["packs"]
    else:
        yield 3, "∂y is read where it lies", why["packs"]
    taps = seen.rows.taps * seen.columns.taps
    yield 3, f"for each of {counted(taps, 'tap')}, lines outside the image left out", ""
    tile = int(FIRST_TILE[vectors, min(seen.C, FIRST_TILE.shape[1] - 1)])
    sums = f"{tile * vectors} of {registers()} registers"
    yield 4, f"for each tile of {counted(tile, 'channel')} × {counted(vectors, 'vector')}", f"their sums stay in {sums}"
    loaded = f"{counted(vectors, 'vector')} of ∂y, {counted(tile, 'number')} of {nest.reads}"
    yield 5, f"for each pixel of the lines: {loaded}, {tile * vectors} multiply-adds of {vector} lanes", ""
    if s.parts > 1:
        yield 0, f"the sums of {counted(s.parts, 'part')} are added up", ""
    if s.pixels > 1:
        yield 0, f"each weight's shares, of {s.pixels} pixels, are added up", ""
