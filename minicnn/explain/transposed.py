"""conv_transpose2d explained: how input pixels are spread over the output, and where gradients go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.explain.given import count, drawn, given, refuse_large
from minicnn.explain.images import four_dimensional, image, position
from minicnn.explain.results import results_of, run
from minicnn.explain.windows import WithGeometry, taps_of
from minicnn.kernels.convolution.im2col import im2col
from minicnn.kernels.geometry import pair, transposed_geometry

if TYPE_CHECKING:
    from rich.text import Text

Source = tuple[tuple[int, int, int], tuple[int, int]]
"""An input pixel (c, i, j), and the tap (p, q) through which it is seen."""


@dataclass(frozen=True, eq=False)
class TransposedConvolution(WithGeometry):
    """A conv_transpose2d on given numbers; its geometry is that of the convolution which it transposes."""

    @property
    def channels(self) -> range:
        """The input channels that are spread over the output pixel's channel: those of its group."""
        C, OG = self.arrays["weight"].array.shape[:2]
        CG = C // self.options["groups"]
        group = self.at[1] // OG
        return range(group * CG, (group + 1) * CG)

    @property
    def output_in_group(self) -> int:
        """The output pixel's channel as the weight counts it."""
        return self.at[1] % self.arrays["weight"].array.shape[1]

    def sources(self) -> list[Source]:
        """The input pixels that reach the output pixel, and through which tap."""
        found = self.seen_by(*self.at[2:])
        return [((c, *pixel), tap) for c in self.channels for pixel, tap in found]

    @property
    def pixel(self) -> tuple[int, int, int]:
        """The input pixel (c, i, j) that is looked at: the first that reaches the output pixel, or the first of all."""
        sources = self.sources()
        return sources[0][0] if sources else (self.channels.start, 0, 0)

    @property
    def taps(self) -> tuple[range, range]:
        """The rows and columns of the output over which that input pixel is spread; some may be cut off."""
        _, i, j = self.pixel
        return taps_of(self.geometry.height, i), taps_of(self.geometry.width, j)

    def spread(self) -> np.ndarray:
        """What that input pixel alone adds to the output: (N, O, OH, OW)."""
        arrays = {name: np.zeros_like(one.array) for name, one in self.arrays.items()}
        place = (self.at[0], *self.pixel)
        arrays["input"][place] = self.arrays["input"].array[place]
        arrays["weight"] = self.arrays["weight"].array
        return run(self.op, arrays, self.options, np.zeros_like(self.results["output"].array))["output"]

    def collected(self) -> list[tuple[tuple[int, int, int], tuple[int, int]]]:
        """What that input pixel's gradient is the sum of: output pixels (o, i, j), and through which tap (p, q)."""
        OG = self.arrays["weight"].array.shape[1]
        first = self.at[1] // OG * OG
        rows, columns = self.taps
        H, W = self.geometry.input_size
        return [
            ((o, row, column), (p, q))
            for o in range(first, first + OG)
            for p, row in enumerate(rows)
            for q, column in enumerate(columns)
            if 0 <= row < H and 0 <= column < W
        ]

    def gradient_windows(self) -> np.ndarray:
        """The windows of the output channel's gradient that input pixels see: (N, H, W, KH, KW)."""
        g = self.results["grad_output"].array[:, self.at[1]]
        return im2col(np.ascontiguousarray(g[..., None]), self.geometry)[..., 0]

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.transposed import sections

        return sections(self, width)


def conv_transpose2d(
    x: Any,
    weight: Any = None,
    bias: Any = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    output_padding: int | tuple[int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int] = 1,
    *,
    at: Sequence[int] | None = None,
    grad_output: Any = None,
    seed: int = 0,
) -> TransposedConvolution:
    """What a transposed convolution does on these numbers; see `minicnn.nn.functional.conv_transpose2d`.

    Args:
        x: (N, C, H, W), (C, H, W) or (H, W): an array, a Tensor, nested lists; computed in float64.
        weight: (C, O/groups, KH, KW); small whole numbers for 3×3 taps and one output a group if None.
        bias: (O,) or None.
        stride, padding, output_padding, groups, dilation: those of the function.
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
    weight = drawn("weight", (C, 1, 3, 3), seed) if weight is None else weight
    weight = four_dimensional(weight, "weight", "(C, O/groups, KH, KW)")
    arrays = {"input": images, "weight": weight} | ({} if bias is None else {"bias": given(bias, "bias")})
    options: dict[str, Any] = {
        "stride": pair(stride, "stride", 1),
        "padding": pair(padding, "padding", 0),
        "output_padding": pair(output_padding, "output_padding", 0),
        "groups": groups,
        "dilation": pair(dilation, "dilation", 1),
    }
    sizes = [options[name] for name in ("stride", "padding", "output_padding", "dilation")]
    geometry = transposed_geometry((H, W), weight.array.shape[2:], *sizes)
    refuse_large("the patch matrix", N, H, W, *weight.array.shape[1:], groups)
    refuse_large("the output", N, *geometry.input_size, weight.array.shape[1] * groups)
    results = results_of("conv_transpose2d", arrays, options, grad_output, seed)
    place = position(at, results["output"].array.shape)
    return TransposedConvolution("conv_transpose2d", arrays, options, place, results, geometry)
