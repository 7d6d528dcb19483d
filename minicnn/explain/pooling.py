"""max_pool2d and avg_pool2d explained: the taps that count, ties, and where gradients go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.explain.given import Given, refuse_large
from minicnn.explain.images import image, position
from minicnn.explain.results import results_of
from minicnn.explain.windows import Windowed
from minicnn.kernels.geometry import Geometry, pair, pooling_geometry

if TYPE_CHECKING:
    from rich.text import Text


@dataclass(frozen=True, eq=False)
class Pooling(Windowed):
    """A pooling of given numbers."""

    @property
    def channel(self) -> np.ndarray:
        """The image and channel that the output pixel sees: (H, W)."""
        return self.arrays["input"].array[self.at[:2]]

    def counted(self) -> dict[tuple[int, int], float]:
        """The pixels of the window that are in the image, row by row, and their numbers."""
        rows, columns = self.taps
        places = [(rows[p], columns[q]) for p, q in np.argwhere(self.inside())]
        return {place: float(self.channel[place]) for place in places}


@dataclass(frozen=True, eq=False)
class MaxPooling(Pooling):
    """A max_pool2d; its results have "indices" too, the position of each maximum in the H·W image."""

    def winners(self) -> np.ndarray:
        """The pixel (row, column) of each maximum, in the explained image and channel: (OH, OW, 2)."""
        where = self.results["indices"].array[self.at[:2]]
        return np.stack(np.unravel_index(where, self.geometry.input_size), -1)

    @property
    def winner(self) -> tuple[int, int]:
        """The pixel that is the explained output pixel's maximum, and gets its gradient."""
        row, column = self.winners()[self.at[2:]].tolist()
        return row, column

    def ties(self) -> list[tuple[int, int]]:
        """The other pixels of the window that are as large as the maximum."""
        largest = self.results["output"].array[self.at]
        same = [
            one for one, value in self.counted().items() if value == largest or (value != value and largest != largest)
        ]
        return [one for one in same if one != self.winner]

    def times_chosen(self) -> np.ndarray:
        """Of how many windows each pixel is the maximum, in the explained image and channel: (H, W)."""
        H, W = self.geometry.input_size
        return np.bincount(self.results["indices"].array[self.at[:2]].ravel(), minlength=H * W).reshape(H, W)

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.pooling import max_sections

        return max_sections(self, width)


@dataclass(frozen=True, eq=False)
class AveragePooling(Pooling):
    """An avg_pool2d."""

    def divisors(self) -> np.ndarray:
        """What the sum of each window is divided by: (OH, OW)."""
        include, override = self.options["count_include_pad"], self.options["divisor_override"]
        return kernels.pooling.window_divisor(self.geometry, include, override)

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.pooling import average_sections

        return average_sections(self, width)


def max_pool2d(
    x: Any,
    kernel_size: int | tuple[int, int] = 2,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    *,
    at: Sequence[int] | None = None,
    grad_output: Any = None,
    seed: int = 0,
) -> MaxPooling:
    """What a max pooling does on these numbers, forward and backward; see `minicnn.nn.functional.max_pool2d`.

    Args:
        x: (N, C, H, W), (C, H, W) or (H, W): an array, a Tensor, nested lists; computed in float64.
        kernel_size, stride, padding, dilation, ceil_mode: those of the function.
        at: the output pixel that is explained, (n, c, i, j), or the last few of these; the one in the middle if None.
        grad_output: the gradient with respect to the output, of its shape; small whole numbers if None.
        seed: of the numbers that are drawn.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, an output without pixels, or no such pixel in it.
        TypeError: for what isn't numbers.
    """
    images, sizes = image(x), _sizes(kernel_size, stride, padding)
    options = sizes | {"dilation": pair(dilation, "dilation", 1), "ceil_mode": ceil_mode}
    geometry = pooling_geometry(images.array.shape[2:], **options)
    _refuse_large(images, geometry)
    results = results_of("max_pool2d", {"input": images}, options, grad_output, seed)
    place = position(at, results["output"].array.shape)
    return MaxPooling("max_pool2d", {"input": images}, options, place, results, geometry)


def avg_pool2d(
    x: Any,
    kernel_size: int | tuple[int, int] = 2,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    at: Sequence[int] | None = None,
    grad_output: Any = None,
    seed: int = 0,
) -> AveragePooling:
    """What an average pooling does on these numbers, forward and backward; see `minicnn.nn.functional.avg_pool2d`.

    Args:
        x: (N, C, H, W), (C, H, W) or (H, W): an array, a Tensor, nested lists; computed in float64.
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: those of the function.
        at: the output pixel that is explained, (n, c, i, j), or the last few of these; the one in the middle if None.
        grad_output: the gradient with respect to the output, of its shape; small whole numbers if None.
        seed: of the numbers that are drawn.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, an output without pixels, or no such pixel in it.
        TypeError: for what isn't numbers.
    """
    images, sizes = image(x), _sizes(kernel_size, stride, padding) | {"ceil_mode": ceil_mode}
    options = sizes | {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
    geometry = pooling_geometry(images.array.shape[2:], **sizes)
    _refuse_large(images, geometry)
    results = results_of("avg_pool2d", {"input": images}, options, grad_output, seed)
    place = position(at, results["output"].array.shape)
    return AveragePooling("avg_pool2d", {"input": images}, options, place, results, geometry)


def _sizes(kernel_size: Any, stride: Any, padding: Any) -> dict[str, Any]:
    kernel = pair(kernel_size, "kernel_size", 1)
    return {
        "kernel_size": kernel,
        "stride": kernel if stride is None else pair(stride, "stride", 1),
        "padding": pair(padding, "padding", 0),
    }


def _refuse_large(images: Given, geometry: Geometry) -> None:
    refuse_large("all windows together", *images.array.shape[:2], *geometry.output_size, *geometry.kernel)
