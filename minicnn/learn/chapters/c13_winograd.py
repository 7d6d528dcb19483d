"""Chapter 13: Winograd's algorithm by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.kernels.convolution.winograd import A2, B2, G2
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.learn.drawings import matrices

D = np.array([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 2], [1, 1, 0, 1]])
KERNEL = np.array([[1.0, 0, -1], [2, 0, 0], [0, 1, 0]])


def shown() -> Any:
    return explain.conv2d(D, KERNEL[None, None], at=(0, 0))


def values() -> dict[str, Any]:
    U, V = G2 @ KERNEL @ G2.T, B2 @ D @ B2.T
    return {
        "constants": matrices(**{"transposed A": A2, "transposed B": B2, "G": G2}), "given": matrices(d=D, g=KERNEL),
        "between": matrices(U=U, V=V, **{"U ⊙ V": U * V}), "Y": matrices(Y=A2 @ (U * V) @ A2.T),
        "direct": 4 * KERNEL.size, "winograd": U.size, "saved": f"{4 * KERNEL.size / U.size:g}",
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = []
    found += [calling("kernel_transform", ("g", whole(generator, 3, 3))) for _ in range(3)]
    found += [calling("tile_transform", ("d", whole(generator, 4, 4))) for _ in range(3)]
    for _ in range(3):
        arrays = ("d", whole(generator, 4, 4)), ("g", whole(generator, 3, 3))
        found.append(calling("winograd_tile", *arrays))
    for H, W in ((4, 4), (4, 6), (6, 4), (8, 10)):
        found.append(calling("conv2d", ("x", whole(generator, H, W)), ("weight", whole(generator, 3, 3))))
    return found


CHAPTER = Chapter(
    number=13,
    title="Winograd's algorithm by hand",
    minutes=25,
    functions=("kernel_transform", "tile_transform", "winograd_tile", "conv2d"),
    hints=(
        "A_T, B_T and G are in your file. G, on both sides of the kernel, makes 4 × 4 of 3 × 3.",
        "U = G @ g @ G.T, V = B_T @ d @ B_T.T. Between them stands *, not @: every element is multiplied by its own.",
        "Y = A_T @ (U * V) @ A_T.T. In conv2d the tiles x[i : i + 4, j : j + 4] begin two pixels apart, and overlap "
        "by two.",
    ),
    source=("minicnn.kernels.convolution.winograd._convolve_block",),
    mistakes=(
        Mistake(
            "The transposed G stands on the left: U = G g Gᵀ.",
            "return G @ g @ G.T",
            "return G.T @ np.pad(g, (0, 1)) @ G",
        ),
        Mistake(
            "The kernel is transposed.",
            "return G @ g @ G.T",
            "return G @ g.T @ G.T",
        ),
        Mistake(
            "Bᵀ and B are swapped: V = Bᵀ d B, and B_T is Bᵀ.",
            "return B_T @ d @ B_T.T",
            "return B_T.T @ d @ B_T",
        ),
        Mistake(
            "U and V are multiplied as matrices; every element is multiplied by its own.",
            "(kernel_transform(g) * tile_transform(d))",
            "(kernel_transform(g) @ tile_transform(d))",
        ),
        Mistake(
            "The tiles lie four pixels apart; each makes two output pixels, so they lie two apart.",
            "for i in range(0, H - 2, 2):\n        for j in range(0, W - 2, 2):",
            "for i in range(0, H - 2, 4):\n        for j in range(0, W - 2, 4):",
        ),
        Mistake(
            "The kernel is flipped.",
            "winograd_tile(x[i : i + 4, j : j + 4], weight)",
            "winograd_tile(x[i : i + 4, j : j + 4], weight[::-1, ::-1])",
        ),
        Mistake(
            "Row and column of the tile are swapped.",
            "y[i : i + 2, j : j + 2] = winograd_tile(x[i : i + 4, j : j + 4], weight)",
            "y[i : i + 2, j : j + 2] = winograd_tile(x[i : i + 4, j : j + 4].T, weight).T",
        ),
    ),
    values=values,
    cases=cases,
    widget=shown,
)
