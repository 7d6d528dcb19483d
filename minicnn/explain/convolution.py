"""conv2d explained: windows, rows of the patch matrix, and where gradients go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.explain.given import count, drawn, given, refuse_large
from minicnn.explain.images import four_dimensional, image, position
from minicnn.explain.results import results_of
from minicnn.explain.windows import Windowed
from minicnn.kernels.convolution.im2col import im2col
from minicnn.kernels.geometry import convolution_geometry, pair

if TYPE_CHECKING:
    from rich.text import Text

GEOMETRY = ("stride", "padding", "dilation")


@dataclass(frozen=True, eq=False)
class Convolution(Windowed):
    """A conv2d on given numbers."""

    @property
    def channels(self) -> range:
        """The input channels that the output pixel sees: those of its group."""
        O, CG = self.arrays["weight"].array.shape[:2]
        group = self.at[1] // (O // self.options["groups"])
        return range(group * CG, (group + 1) * CG)

    def patches(self) -> np.ndarray:
        """The patch matrix of the output pixel's group: (N, OH, OW, KH, KW, C/groups)."""
        x = self.arrays["input"].array[:, self.channels.start : self.channels.stop]
        return im2col(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), self.geometry)

    def patch(self) -> np.ndarray:
        """The output pixel's row of the patch matrix: (KH, KW, C/groups)."""
        n, _, i, j = self.at
        return self.patches()[n, i, j]

    def kernel(self) -> np.ndarray:
        """The output channel's weights in the order of a patch: (KH, KW, C/groups)."""
        return self.arrays["weight"].array[self.at[1]].transpose(1, 2, 0)

    def collected(self, c: int, row: int, column: int) -> list[tuple[tuple[int, int, int], tuple[int, int]]]:
        """What an input pixel's gradient is the sum of: output pixels (o, i, j), and through which tap (p, q)."""
        O, CG = self.arrays["weight"].array.shape[:2]
        OG = O // self.options["groups"]
        outputs = range(c // CG * OG, (c // CG + 1) * OG)
        return [((o, *pixel), tap) for o in outputs for pixel, tap in self.seen_by(row, column)]

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.convolution import sections

        return sections(self, width)


def conv2d(
    x: Any,
    weight: Any = None,
    bias: Any = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    *,
    at: Sequence[int] | None = None,
    grad_output: Any = None,
    seed: int = 0,
) -> Convolution:
    """What a convolution does on these numbers, forward and backward; see `minicnn.nn.functional.conv2d`.

    Args:
        x: (N, C, H, W), (C, H, W) or (H, W): an array, a Tensor, nested lists; computed in float64.
        weight: (O, C/groups, KH, KW); small whole numbers for 3×3 taps and one output a group if None.
        bias: (O,) or None.
        stride, padding, dilation, groups: those of the function.
        at: the output pixel that is explained, (n, o, i, j), or the last few of these; the one in the middle if None.
        grad_output: the gradient with respect to the output, of its shape; small whole numbers if None.
        seed: of the numbers that are drawn.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, an output without pixels, or no such pixel in it.
        TypeError: for what isn't numbers.
    """
    images, groups = image(x), count(groups, "groups", 1)
    N, C, H, W = images.array.shape
    if weight is None:
        if C % groups:
            raise ValueError(f"groups must divide the {C} channels of x, got {groups}")
        weight = drawn("weight", (groups, C // groups, 3, 3), seed)
    weight = four_dimensional(weight, "weight", "(O, C/groups, KH, KW)")
    arrays = {"input": images, "weight": weight} | ({} if bias is None else {"bias": given(bias, "bias")})
    options = {
        "stride": pair(stride, "stride", 1),
        "padding": padding if isinstance(padding, str) else pair(padding, "padding", 0),
        "dilation": pair(dilation, "dilation", 1),
        "groups": groups,
    }
    geometry = convolution_geometry((H, W), weight.array.shape[2:], *(options[name] for name in GEOMETRY))
    refuse_large("the patch matrix", N, *geometry.output_size, *geometry.kernel, C)
    refuse_large("the output", N, *geometry.output_size, len(weight.array))
    results = results_of("conv2d", arrays, options, grad_output, seed)
    return Convolution("conv2d", arrays, options, position(at, results["output"].array.shape), results, geometry)
