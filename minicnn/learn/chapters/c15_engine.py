"""Chapter 15: reading the engine."""

from collections.abc import Sequence
from typing import Any

from minicnn.explain import rewrites
from minicnn.explain.terminal.rewrites import picture
from minicnn.kernels.machine import lanes, tiles
from minicnn.learn.chapter import Case, Chapter, Mistake, calling

ROOMS = (
    ("kernels/geometry.py", "where a window lies", "2"),
    ("kernels/convolution/naive.py", "seven loops", "3"),
    ("kernels/convolution/im2col.py", "the patch matrix, and back", "4, 5"),
    ("nn/functional/convolution.py", "the operation and its gradients", "6"),
    ("kernels/pooling.py", "pooling", "7"),
    ("nn/functional/classes.py", "cross-entropy", "8"),
    ("kernels/normalization.py", "batch norm", "9"),
    ("autograd/walk.py", "the chain rule", "10"),
    ("kernels/convolution/tiled.py", "its product in our own loops", "12"),
    ("kernels/convolution/packed.py", "in the order of reading", "12"),
    ("kernels/convolution/registers.py", "its sums in registers", "12"),
    ("kernels/convolution/contraction.py", "what is computed, in eight loops", "15"),
    ("kernels/convolution/rewrites.py", "the same sum with other extents", "15"),
    ("kernels/convolution/schedule.py", "how it is carried out, and why", "15"),
    ("kernels/convolution/weight_schedule.py", "likewise, the gradient of weight", "15"),
    ("kernels/convolution/implicit.py", "the patch matrix, never written", "12"),
    ("kernels/microkernel.py", "a tile in registers", "12"),
    ("kernels/convolution/winograd.py", "fewer multiplications", "13"),
    ("testing", "the judge", "14"),
)


def values() -> dict[str, Any]:
    examples = {one.name: one for one in rewrites().examples}
    merged, phases = examples["merge_pixels"], examples["split_by_stride"]
    width = lanes("float32")
    return {
        "rooms": "\n".join(f"{path:36}{what:34}{chapter:>4}" for path, what, chapter in ROOMS),
        "merged": "\n\n".join("\n".join(picture(one)) for one in (merged.before, *merged.after)),
        "phases": "\n\n".join("\n".join(picture(one)) for one in phases.after),
        "lanes": width,
        "tiles": "\n".join(f"{v} vectors ({v * width:3} outputs) × {rows[0]:2} pixels" for v, rows in tiles().items()),
    }  # fmt: skip


def cases(generator: Any) -> Sequence[Case]:
    found = [calling("window_begin", *one) for one in ((0, 0, 1, 0), (2, 3, 1, 1), (2, 3, 2, 1), (1, 4, 3, 2))]
    found += [calling("steps_in_x", *one) for one in ((8, 3, 1, 1), (8, 3, 2, 1), (5, 16, 1, 2), (7, 1, 3, 2))]
    found += [calling("row_run", *one) for one in ((1, 1), (3, 1), (3, 64), (5, 3))]
    found += [calling("phases", *one) for one in ((3, 1), (3, 2), (4, 2), (5, 3), (2, 3), (1, 2))]
    found += [calling("neighbours", *one) for one in ((16, 16), (4, 16), (6, 16), (32, 16), (3, 8))]
    found += [calling("seen", *one) for one in ((1, 3, 1), (4, 3, 1), (4, 3, 2), (2, 5, 2))]
    found += [calling("through_images", *one) for one in ((28, 64), (7, 32), (7, 4), (15, 16), (16, 64), (15, 15))]
    found += [calling("sums", *one) for one in ((14, 2, 16), (6, 2, 8), (1, 1, 4))]
    return found


CHAPTER = Chapter(
    number=15,
    title="Reading the engine",
    minutes=40,
    functions=("window_begin", "steps_in_x", "row_run", "phases", "neighbours", "seen", "through_images", "sums"),
    hints=(
        "Each question names its file; the answer stands in the docstring at its top, as a formula.",
        "phases: tap p reaches pixel a if a − p is a multiple of the stride. So pixels with remainder r are reached "
        "by the taps r, r + stride, r + 2·stride …",
        "window_begin is chapter 2 twice; a row of x is W · C elements; row_run is KW · C; seen is KW + (m − 1) · "
        "stride; lines run through the images where rows have fewer than 16 pixels and images are more; sums is rows · "
        "vectors · lanes.",
    ),
    source=(
        "minicnn.kernels.geometry.Axis",
        "minicnn.kernels.convolution.contraction.interpret",
        "minicnn.kernels.convolution.rewrites.phases",
        "minicnn.kernels.convolution.rewrites.merge_pixels",
        "minicnn.kernels.convolution.schedule.schedule_of",
        "minicnn.kernels.machine.tiles",
    ),
    mistakes=(
        Mistake(
            "The padding has the wrong sign: windows begin before the image.",
            "return i * stride - padding, j * stride - padding",
            "return i * stride + padding, j * stride + padding",
        ),
        Mistake(
            "Row and column are swapped.",
            "return i * stride - padding, j * stride - padding",
            "return j * stride - padding, i * stride - padding",
        ),
        Mistake(
            "The loops over output pixels move by the stride, those over taps by the dilation.",
            '"i": stride * row, "j": stride * C, "p": dilation * row, "q": dilation * C',
            '"i": dilation * row, "j": dilation * C, "p": stride * row, "q": stride * C',
        ),
        Mistake(
            "A row of x is W pixels of C numbers each.",
            "row = W * C",
            "row = W",
        ),
        Mistake(
            "Rows of 16 pixels fill tiles: lines run along them.",
            "return pixels < 16 and images > pixels",
            "return pixels <= 16 and images > pixels",
        ),
        Mistake(
            "Where a thread has no more images than the row has pixels, lines through the images are no longer.",
            "return pixels < 16 and images > pixels",
            "return pixels < 16",
        ),
        Mistake(
            "A kernel row sees KW pixels, and each has C numbers side by side in channels-last memory.",
            "return KW * C",
            "return KW + 0 * C",
        ),
        Mistake(
            "The taps are not shared out evenly: with 3 taps and stride 2, one phase has two and one has one.",
            "[len(range(remainder, kernel, stride)) for remainder in range(stride)]",
            "[kernel // stride for remainder in range(stride)]",
        ),
        Mistake(
            "At least one output pixel uses a vector, even where its channels need several.",
            "return max(lanes // outputs, 1)",
            "return lanes // outputs",
        ),
        Mistake(
            "The stride is left out: each further neighbour sees `stride` columns more.",
            "return KW + (neighbours - 1) * stride",
            "return KW + (neighbours - 1)",
        ),
        Mistake(
            "m neighbours see the first one's KW columns, and (m − 1) · stride more.",
            "return KW + (neighbours - 1) * stride",
            "return KW + neighbours * stride",
        ),
        Mistake(
            "Each vector holds `lanes` sums.",
            "return rows * vectors * lanes",
            "return rows * vectors",
        ),
    ),
    values=values,
    cases=cases,
)  # fmt: skip
