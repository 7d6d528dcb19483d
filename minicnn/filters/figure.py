"""Every filter's answer to every picture, in one figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from minicnn.datasets.pictures import Picture
from minicnn.filters.applying import filter2d, gaussian_blur, sobel_magnitude
from minicnn.filters.kernels import EMBOSS, LAPLACIAN, SHARPEN, SOBEL_X, SOBEL_Y, gaussian
from minicnn.serialization import replacing

COLUMNS = 4
INK = "#2b2d42"
BRIGHT = 0.995
"""Share of the numbers that are told apart where few are large: the rest is as black or white as the last of them."""

WRITTEN = 5
"""Rows and columns of a kernel whose numbers are written below its panel, at most."""

Range = Literal["picture", "signed", "size", "stretched"]
RANGES: Mapping[Range, str] = {
    "picture": "black 0, white 1",
    "signed": "grey 0, black to −{0:.3g}, white from {0:.3g}",
    "size": "black 0, white from {0:.3g}",
    "stretched": "black {1:.3g}, white {0:.3g}",
}
"""What the shades of a panel mean."""


@dataclass(frozen=True)
class Filter:
    """A filter of the figure.

    Attributes:
        name: above its panel.
        apply: from pixels (C, H, W) to as many.
        range: how its numbers become shades.
        formula: what it computes, for below its panel.
    """

    name: str
    apply: Callable[[np.ndarray], np.ndarray]
    range: Range
    formula: str


def filters(sigma: float, kernels: Sequence[tuple[str, np.ndarray]] = ()) -> list[Filter]:
    """The filters of the textbooks, then those of the user.

    Args:
        sigma: of the Gaussian, in pixels.
        kernels: names and arrays (KH, KW).
    """
    taps = len(gaussian(sigma))
    named = [("Laplacian", LAPLACIAN), ("sharpen", SHARPEN), ("emboss", EMBOSS)]
    return [
        Filter("original", lambda pixels: pixels, "picture", ""),
        Filter(
            "Gaussian blur", lambda pixels: gaussian_blur(pixels, sigma), "picture", f"{taps}×{taps}, σ = {sigma:g} px"
        ),
        of_kernel("Sobel x", SOBEL_X),
        of_kernel("Sobel y", SOBEL_Y),
        Filter("Sobel magnitude", sobel_magnitude, "size", "√(x² + y²)"),
        *(of_kernel(name, kernel) for name, kernel in [*named, *kernels]),
    ]


def of_kernel(name: str, kernel: np.ndarray) -> Filter:
    """A filter that is one kernel."""
    return Filter(name, lambda pixels: filter2d(pixels, kernel), range_of(kernel), written(kernel))


def range_of(kernel: np.ndarray) -> Range:
    """How the numbers that a kernel gives are shown: by its sum, which is what an even grey is multiplied by."""
    total, size = float(kernel.sum()), float(np.abs(kernel).sum())
    if abs(total) <= 1e-6 * size:
        return "signed"
    return "picture" if abs(total - 1) <= 1e-6 * size else "stretched"


def written(kernel: np.ndarray) -> str:
    """A kernel's numbers, row by row, or its size where they are too many."""
    KH, KW = kernel.shape
    if max(KH, KW) > WRITTEN:
        return f"{KH}×{KW}"
    texts = [[f"{value:.3g}".replace("-", "−") for value in row] for row in kernel.tolist()]
    wide = max(len(text) for row in texts for text in row)
    return "\n".join(" ".join(text.rjust(wide) for text in row) for row in texts)


def shades(values: np.ndarray, how: Range) -> tuple[np.ndarray, str]:
    """Numbers (C, H, W) as shades from 0 to 1, and what black and white are."""
    if how == "picture":
        return values.clip(0, 1), RANGES[how]
    most = (
        float(values.max()) if how == "stretched" else float(np.quantile(np.abs(values), BRIGHT)) or float(values.max())
    )
    least = {"signed": -most, "size": 0.0, "stretched": float(values.min())}[how]
    span = most - least
    scaled = (values - least) / span if span else np.full(values.shape, 0.5 if how == "signed" else 0.0)
    return scaled.clip(0, 1), RANGES[how].format(most, least)


def draw(pictures: Sequence[Picture], chosen: Sequence[Filter], output: Path) -> None:
    """A panel for every picture and filter.

    Args:
        pictures: one below the other.
        chosen: the filters.
        output: where the figure goes, whole or not at all; its suffix says in which format.

    Raises:
        OSError: where it can't be written.
        ValueError: for a suffix that stands for no format.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = -(-len(chosen) // COLUMNS)
    heights = [rows * _height(picture) for picture in pictures]
    figure = Figure(figsize=(11, sum(heights)), layout=ConstrainedLayoutEngine(h_pad=0.08))
    parts = figure.subfigures(len(pictures), 1, height_ratios=heights, squeeze=False).ravel()
    for part, picture in zip(parts, pictures, strict=True):
        _, H, W = picture.pixels.shape
        note = f", {picture.note}" if picture.note else ""
        part.suptitle(f"{picture.name}, {W} by {H} pixels{note}", color=INK, weight="bold", parse_math=False)
        panels = part.subplots(rows, COLUMNS).ravel()
        for axes, one in zip(panels, chosen, strict=False):
            _panel(axes, picture.pixels, one)
        for axes in panels[len(chosen) :]:
            axes.set_visible(False)
    with replacing(output) as file:
        figure.savefig(file, format=format_of(output), dpi=130)


def check(output: Path) -> None:
    """Raise ValueError where no figure can be put, for its folder or its suffix."""
    format_of(output)
    if not output.parent.is_dir():
        raise ValueError(f"there is no folder {output.parent} to put {output.name} in")


def format_of(output: Path) -> str:
    """The format that a file's suffix stands for.

    Raises:
        ValueError: where it stands for none.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    formats = FigureCanvasAgg.get_supported_filetypes()
    name = output.suffix.removeprefix(".").lower()
    if name not in formats:
        raise ValueError(f"{output} has no suffix of a picture; there are {', '.join(formats)}")
    return name


def _height(picture: Picture) -> float:
    """Inches of a row of panels."""
    _, H, W = picture.pixels.shape
    return 2.5 * min(max(H / W, 0.2), 3) + 1.2


def _panel(axes: Any, pixels: np.ndarray, one: Filter) -> None:
    """One filter's answer, its name above, its numbers below."""
    seen, meaning = shades(one.apply(pixels), one.range)
    axes.imshow(
        seen[0] if len(seen) == 1 else seen.transpose(1, 2, 0),
        cmap="gray",
        vmin=0,
        vmax=1,
        interpolation="nearest" if max(seen.shape) < 100 else "antialiased",
    )
    axes.set_title(one.name, color=INK, fontsize=10, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    words = "\n".join(text for text in (one.formula, meaning) if text)
    axes.set_xlabel(words, color=INK, fontsize=7, family="monospace", parse_math=False)
