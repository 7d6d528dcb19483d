"""Chapter 12: why it is slow: tiles, packing, registers."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minicnn
from minicnn import no_grad
from minicnn.kernels.convolution import registers, tiled
from minicnn.kernels.machine import lanes, tiles
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.learn.chapters.c03_seven_loops import CHAPTER as LOOPS
from minicnn.learn.chapters.c04_patch_matrix import CHAPTER as MATRIX
from minicnn.learn.exercise import solved
from minicnn.nn import functional as F

N, C, O, SIZE = 2, 64, 64, 28
RUNGS = ("naive", "im2col", "tiled", "packed", "registers", "implicit", "winograd")
PEAK = 512
"""Rows of the product that measures the machine's peak; the faster of NumPy's and minicnn's counts."""
BAR = 36
SHARE = 0.03
"""Seconds that a rung is timed for at least."""


def seconds(function: Callable[[], Any]) -> float:
    """The shortest of a few calls, after one that compiles."""
    function()
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SHARE or best == float("inf"):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def measured() -> dict[str, float]:
    """Operations a second on one layer, measured now: of each rung, and last of a large matrix product."""
    generator = np.random.default_rng(0)
    x, weight = (generator.standard_normal(shape).astype(np.float32) for shape in ((N, C, SIZE, SIZE), (O, C, 3, 3)))
    work = 2 * N * O * C * 9 * SIZE * SIZE
    square = generator.standard_normal((PEAK, PEAK)).astype(np.float32)
    few = x[:1, :1, :8, :8], weight[:1, :1]
    loops, matrix = solved(LOOPS), solved(MATRIX)
    speeds = {
        "chapter 3, Python": 2 * 9 * 64 / seconds(lambda: loops.conv2d(*few, padding=1)),
        "chapter 4, NumPy": work / seconds(lambda: matrix.conv2d(x, weight, padding=1)),
    }
    a, b = minicnn.from_numpy(x), minicnn.from_numpy(weight)
    with no_grad():
        for rung in RUNGS:
            speeds[f"minicnn {rung}"] = work / seconds(lambda: F.conv2d(a, b, padding=1, algorithm=rung))  # noqa: B023
    products = (lambda: square @ square, lambda: registers.product(square, square))
    speeds["matrix product"] = 2 * PEAK**3 / min(seconds(product) for product in products)
    return speeds


def ladder(speeds: dict[str, float]) -> str:
    """GFLOP/s of each, the share of the product's, a bar."""
    peak = speeds["matrix product"]
    lines = [f"{'':20}{'GFLOP/s':>9}{'share':>8}"]
    for name, speed in speeds.items():
        bar = "#" * max(round(BAR * min(speed / peak, 1)), 1)
        lines.append(f"{name:20}{speed / 1e9:9.3g}{speed / peak:8.1%}  {bar}")
    return "\n".join(lines)


def values() -> dict[str, Any]:
    rows, vectors = max(((rows[0], count) for count, rows in tiles().items()), key=lambda tile: tile[0] * tile[1])
    width = lanes("float32")
    reuse = solved(CHAPTER).reuse
    speeds = measured()
    return {
        **{rung: f"{speeds[f'minicnn {rung}'] / 1e9:.3g} GFLOP/s" for rung in RUNGS},
        "ladder": ladder(speeds), "layer": f"{N} images of {SIZE} × {SIZE}, {C} channels to {O}, 3 × 3",
        "rows": rows, "vectors": vectors, "lanes": width, "sums": rows * vectors * width,
        "one": f"{reuse(1, 1):g}", "four": f"{reuse(4, 4):g}", "tile": f"{reuse(rows, vectors * width):.1f}",
        "height": tiled.ROWS, "breadth": tiled.COLUMNS, "cached": f"{reuse(tiled.ROWS, tiled.COLUMNS):.1f}",
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = [calling("reuse", *tile) for tile in ((1, 1), (2, 2), (4, 2), (6, 32))]
    found += [calling("tiles", *pair) for pair in ((4, 2), (5, 2), (3, 4), (8, 4), (17, 16), (0, 4))]
    for M, K, columns, options in (
        (1, 1, 1, {}), (4, 2, 8, {}), (8, 16, 8, {}), (4, 32, 8, {}), (5, 3, 9, {}), (9, 33, 17, {}),
        (3, 4, 5, {"rows": 2, "columns": 3, "depth": 1}), (6, 7, 5, {"rows": 4, "columns": 1, "depth": 2}),
    ):  # fmt: skip
        found.append(calling("matmul", ("a", whole(generator, M, K)), ("b", whole(generator, K, columns)), **options))
    return found


CHAPTER = Chapter(
    number=12,
    title="Why it is slow: tiles, packing, registers",
    minutes=30,
    functions=("reuse", "tiles", "matmul"),
    hints=(
        "A tile of r rows and c columns loads r + c numbers for each step of the sum, and multiplies each of the r by "
        "each of the c.",
        "tiles: begin in steps of `step`; the end is begin + step, but never beyond the axis. Three loops over tiles "
        "in matmul: rows, columns, depth.",
        "y[top:bottom, left:right] += a[top:bottom, first:last] @ b[first:last, left:right], with y of zeros at first.",
    ),
    source=(
        "minicnn.kernels.convolution.tiled._multiply",
        "minicnn.kernels.convolution.packed._multiply",
        "minicnn.kernels.convolution.registers._multiply_lines",
        "minicnn.kernels.convolution.implicit._correlate_task",
    ),
    mistakes=(
        Mistake(
            "The last tile is missing where the size is no multiple of the step.",
            "range(0, size, step)]",
            "range(0, size - step + 1, step)]",
        ),
        Mistake(
            "The last tile reaches beyond the axis: its end is at most the size.",
            "(begin, min(begin + step, size))",
            "(begin, begin + step)",
        ),
        Mistake(
            "Tiles of the sum replace each other: `=` where there should be `+=`.",
            "y[top:bottom, left:right] += a",
            "y[top:bottom, left:right] = a",
        ),
        Mistake(
            "The panel of b is taken from a's rows: it has the rows first to last and the columns left to right.",
            "panel = np.ascontiguousarray(b[first:last, left:right])",
            "panel = np.ascontiguousarray(b[top:bottom, left:right])",
        ),
        Mistake(
            "reuse is turned around: multiplications divided by loads.",
            "rows * columns / (rows + columns)",
            "(rows + columns) / (rows * columns)",
        ),
        Mistake(
            "A step of the sum loads rows + columns numbers, not rows · columns.",
            "rows * columns / (rows + columns)",
            "rows * columns / (rows * columns)",
        ),
        Mistake(
            "Only the first tile of the sum is added.",
            "for first, last in tiles(K, depth):",
            "for first, last in tiles(K, depth)[:1]:",
        ),
    ),
    values=values,
    cases=cases,
)
