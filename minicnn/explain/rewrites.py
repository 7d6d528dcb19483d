"""The engine's rewrites on small convolutions: the same sum seen with other extents, drawn from the contractions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minicnn.explain.shown import Shown
from minicnn.kernels.geometry import convolution_geometry

if TYPE_CHECKING:
    from rich.text import Text

    from minicnn.kernels.convolution.contraction import Contraction


@dataclass(frozen=True, eq=False)
class Rewrite:
    """A contraction before and after.

    Attributes:
        name: the function's in `minicnn.kernels.convolution.rewrites`.
        idea: what it does, in a sentence.
        before: a contraction.
        after: what the rewrite makes of it, several for `split_by_stride`.
    """

    name: str
    idea: str
    before: "Contraction"
    after: "tuple[Contraction, ...]"


@dataclass(frozen=True, eq=False)
class Rewrites(Shown):
    """All rewrites, each on an example."""

    examples: tuple[Rewrite, ...]

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.rewrites import sections

        return sections(self, width)


def rewrites() -> Rewrites:
    """The four rewrites of the engine, each on a small convolution, before and after.

    Returns: what `print()` shows in a terminal.
    """
    from minicnn.kernels.convolution import rewrites as engine
    from minicnn.kernels.convolution.contraction import Weights, define

    plain = convolution_geometry((1, 3), (1, 1))
    flat = define("y", 2, 1, 1, 4, plain, Weights.by_tap(1, 1, 4, (1, 1)))
    strided = convolution_geometry((1, 7), (1, 3), (1, 2))
    by_x = define("x", 1, 1, 1, 1, strided, Weights.by_tap(1, 1, 1, (1, 3)))
    row = convolution_geometry((1, 6), (1, 3))
    colours = define("y", 1, 1, 2, 1, row, Weights.by_tap(1, 2, 1, (1, 3)))
    few = define("y", 1, 1, 1, 2, row, Weights.by_tap(1, 1, 2, (1, 3)))
    return Rewrites((
        Rewrite(
            "flatten", "A 1 × 1 layer doesn't know which pixels are neighbours: they may lie in rows of any length.",
            flat, (engine.flatten(flat, 2),),
        ),
        Rewrite(
            "split_by_stride",
            "A gradient that every output pixel scatters, as sums that each pixel of x gathers: those of one remainder "
            "by the stride are reached by the same taps.",
            by_x, tuple(engine.split_by_stride(by_x)),
        ),
        Rewrite(
            "merge_row", "The columns of a kernel row lie side by side in x: they may count as channels of one tap.",
            colours, (engine.merge_row(colours),),
        ),
        Rewrite(
            "merge_pixels",
            "Neighbouring pixels lie side by side in y: they may count as outputs, of what they see between them.",
            few, (engine.merge_pixels(few, 2),),
        ),
    ))  # fmt: skip
