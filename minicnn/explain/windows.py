"""What explanations of windowed operations have in common: where the windows lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.explain.explanation import Explanation
from minicnn.kernels.convolution.im2col import col2im
from minicnn.kernels.geometry import Axis, Geometry


@dataclass(frozen=True, eq=False)
class WithGeometry(Explanation):
    """An operation that looks through windows at images: at its input, or for a transposed convolution at its output.

    Attributes:
        geometry: where the windows lie.
    """

    geometry: Geometry

    def windows_of_pixels(self) -> np.ndarray:
        """In how many windows each pixel of the image is: (H, W)."""
        ones = np.ones((1, *self.geometry.output_size, *self.geometry.kernel, 1))
        return col2im(ones, self.geometry)[0, :, :, 0].astype(np.int64)

    def seen_by(self, row: int, column: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """The positions (i, j) whose windows see a pixel of the image, and through which tap (p, q)."""
        rows, columns = passing(self.geometry.height, row), passing(self.geometry.width, column)
        return [((i, j), (p, q)) for i, p in rows for j, q in columns]

    def _plain_options(self) -> dict[str, Any]:
        return super()._plain_options() | padding_of(self.geometry, self.options["padding"])


@dataclass(frozen=True, eq=False)
class Windowed(WithGeometry):
    """An operation whose output pixels look at the input through windows."""

    @property
    def pixel(self) -> tuple[int, int]:
        """The row and column of the output pixel."""
        *_, i, j = self.at
        return i, j

    @property
    def taps(self) -> tuple[range, range]:
        """The rows and the columns of the input that the window looks at; outside the image where there is padding."""
        i, j = self.pixel
        return taps_of(self.geometry.height, i), taps_of(self.geometry.width, j)

    def inside(self) -> np.ndarray:
        """Which taps of the window are in the image, not in its padding: (KH, KW)."""
        H, W = self.geometry.input_size
        rows, columns = (np.array(one) for one in self.taps)
        return np.logical_and.outer((rows >= 0) & (rows < H), (columns >= 0) & (columns < W))


def taps_of(axis: Axis, position: int) -> range:
    """The pixels along an axis that an output position sees."""
    first = axis.origin(position)
    return range(first, first + axis.extent, axis.dilation)


def passing(axis: Axis, pixel: int) -> list[tuple[int, int]]:
    """The output positions whose windows see a pixel, and through which tap."""
    found = ((i, pixel - axis.origin(i)) for i in range(axis.output))
    return [(i, far // axis.dilation) for i, far in found if 0 <= far < axis.extent and far % axis.dilation == 0]


def padding_of(geometry: Geometry, given: Any) -> dict[str, Any]:
    """Padding as the state has it: pixels above and below, left and right; and as it was given."""
    padding = [[axis.before, axis.after] for axis in (geometry.height, geometry.width)]
    return {"padding": padding, "padding_given": list(given) if isinstance(given, tuple) else given}
