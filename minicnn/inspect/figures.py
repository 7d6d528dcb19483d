"""The figures of `minicnn inspect`, each with what it says in words."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.inspect.exciting import Excitement
from minicnn.inspect.layers import Box, Map
from minicnn.inspect.mistakes import Mistakes, Wrong
from minicnn.palette import GRID, INK, OURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KERNELS = 64
CHANNELS = 16
LAYERS = 12
WRONG = 24
"""How many of each a figure shows at most."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure.

    Attributes:
        name: of its file, without a suffix.
        title: above it.
        words: what it shows, in a sentence or two.
        figure: matplotlib's.
    """

    name: str
    title: str
    words: str
    figure: "Figure"

    def png(self) -> bytes:
        """The bytes of a PNG file."""
        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=120)
        return stream.getvalue()


def kernels(name: str, weight: np.ndarray) -> Drawn:
    """The kernels of the first layer: in colours where it sees three channels, else a row of panels an input channel.

    Args:
        name: of the layer.
        weight: (O, C, KH, KW).
    """
    O, C, KH, KW = weight.shape
    shown = weight[:KERNELS]
    most = float(np.abs(shown).max()) or 1.0
    panels = (
        [(f"{o}", (kernel / (2 * most) + 0.5).transpose(1, 2, 0)) for o, kernel in enumerate(shown)]
        if C == 3
        else [(f"{o}" if C == 1 else f"{o}, {c}", shown[o, c]) for o in range(len(shown)) for c in range(min(C, 8))]
    )
    figure, axes = _grid(len(panels), 8)
    for one, (label, values) in zip(axes, panels, strict=False):
        one.imshow(values, cmap="gray", vmin=-most, vmax=most, interpolation="nearest")
        one.set_title(label, fontsize=7, color=INK, pad=2)
    colours = "in colours: grey is 0" if C == 3 else f"grey is 0, black −{most:.2g}, white {most:.2g}"
    left = f", {len(shown)} of them shown" if len(shown) < O else ""
    return Drawn("kernels", "First-layer kernels", f"{name}: {O} kernels of {C}×{KH}×{KW}{left}; {colours}.", figure)


def maps(found: Sequence[Map]) -> Drawn:
    """What the layers make of the image: a row a layer, its first channels."""
    shown = _spread(found, LAYERS)
    figure = _figure(9, 0.85 * len(shown))
    parts = figure.subfigures(len(shown), 1, squeeze=False).ravel()
    for part, layer in zip(parts, shown, strict=True):
        C, H, W = layer.values.shape
        title = f"{layer.name} ({layer.kind}): {C} {'map' if C == 1 else 'maps'} of {H}×{W}"
        part.suptitle(title, fontsize=8, color=INK, x=0.005, ha="left", parse_math=False)
        for channel, axes in enumerate(part.subplots(1, CHANNELS)):
            bare(axes)
            if channel < len(layer.values):
                axes.imshow(layer.values[channel], cmap="gray", interpolation="nearest")
    left = f"{len(shown)} of {len(found)} layers and at most" if len(shown) < len(found) else "Of each layer at most"
    words = f"{left} {CHANNELS} channels; in each map black is its least and white its largest number."
    return Drawn("feature-maps", "Feature maps, layer by layer", words, figure)


def fields(found: Sequence[Map], picture: np.ndarray) -> Drawn:
    """The receptive field of the cell in each map's middle, drawn on the image.

    Args:
        found: the maps.
        picture: (H, W) or (H, W, 3), for the eye.
    """
    shown = _spread(found, LAYERS)
    figure, axes = _grid(len(shown), 4, 2.1)
    for one, layer in zip(axes, shown, strict=False):
        i, j = layer.values.shape[1] // 2, layer.values.shape[2] // 2
        image(one, picture, (layer.box(i, j),))
        rows, columns = layer.field
        one.set_title(f"{layer.name}[{i}, {j}] sees {rows}×{columns}", fontsize=8, color=INK, pad=3, parse_math=False)
    words = "The frame holds every pixel that the cell in the middle of a layer's map depends on; padding is not drawn."
    return Drawn("receptive-fields", "Receptive fields", words, figure)


def looks(picture: np.ndarray, salient: np.ndarray, heat: np.ndarray, label: str, probability: float) -> Drawn:
    """The image, its saliency for a class, and Grad-CAM over the image."""
    figure = _figure(9, 3.3)
    given, slopes, cam = figure.subplots(1, 3)
    for axes, title in ((given, "the image"), (slopes, "saliency"), (cam, "Grad-CAM")):
        image(axes, picture)
        axes.set_title(title, fontsize=10, color=INK)
    slopes.imshow(salient, cmap="gray", interpolation="nearest")
    cam.imshow(heat, cmap="inferno", alpha=0.6, interpolation="bilinear")
    words = (
        f"For the class {label} ({probability:.1%}). Saliency: bright where a small change of a pixel changes the "
        "class's score most. Grad-CAM: bright where the last convolution's maps speak for the class."
    )
    return Drawn("where-it-looks", "Where the network looks", words, figure)


def exciting(layer: str, found: Mapping[int, Sequence[Excitement]], pictures: Mapping[int, np.ndarray]) -> Drawn:
    """For each unit the pictures that excite it most, framed where they do.

    Args:
        layer: its name.
        found: as from `excite`.
        pictures: for the eye, by index.
    """
    columns = max(max((len(best) for best in found.values()), default=1), 1)
    figure = _figure(9, 1.25 * len(found) + 0.2)
    rows = figure.subplots(len(found), columns, squeeze=False)
    for row, (unit, best) in zip(rows, found.items(), strict=True):
        for axes in row:
            bare(axes)
        for axes, one in zip(row, best, strict=False):
            image(axes, pictures[one.index], (one.box,))
            axes.set_title(f"{one.value:.3g}", fontsize=7, color=INK, pad=2)
        row[0].set_ylabel(f"unit {unit}", fontsize=8, color=INK)
    words = f"A row a unit of {layer}, its largest value above each picture; the frame is what the cell with it sees."
    return Drawn("exciting", "The pictures that excite a unit most", words, figure)


def confusion(found: Mistakes, classes: Sequence[str]) -> Drawn:
    """The confusion matrix, counts in the cells where they fit."""
    count = len(classes)
    side = min(max(0.5 * count + 1.8, 4), 14)
    figure = _figure(side, side)
    axes = figure.subplots()
    shares = found.confusion / np.maximum(found.confusion.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    axes.set_xticks(range(count), classes, rotation=90, fontsize=8, color=INK, parse_math=False)
    axes.set_yticks(range(count), classes, fontsize=8, color=INK, parse_math=False)
    axes.set_xlabel("taken for", color=INK)
    axes.set_ylabel("is", color=INK)
    axes.spines[:].set_color(GRID)
    axes.tick_params(length=0)
    if count <= 30:
        for i, j in np.argwhere(found.confusion):
            colour = "white" if shares[i, j] > 0.5 else (INK if i == j else OURS)
            axes.text(j, i, f"{found.confusion[i, j]}", ha="center", va="center", fontsize=7, color=colour)
    right, total = int(np.trace(found.confusion)), int(found.confusion.sum())
    words = f"{right:,} of {total:,} test images recognised ({found.accuracy:.2%}). Shaded by the share of the row."
    return Drawn("confusion", "Confusion matrix", words, figure)


def wrong(found: Mistakes, classes: Sequence[str], pictures: Mapping[int, np.ndarray]) -> Drawn | None:
    """The most confidently wrong test images; None where there are none."""
    shown: list[Wrong] = found.wrong[:WRONG]
    if not shown:
        return None
    figure, axes = _grid(len(shown), 6, 1.55)
    for one, mistake in zip(axes, shown, strict=False):
        image(one, pictures[mistake.index])
        one.set_title(
            f"{classes[mistake.label]}, taken for\n{classes[mistake.taken_for]} ({mistake.probability:.1%})",
            fontsize=7,
            color=INK,
            pad=3,
            parse_math=False,
        )
    words = (
        f"{len(shown)} of {len(found.wrong)} mistakes, the surest first, with the probability that the network gave."
    )
    return Drawn("wrong", "Most confidently wrong", words, figure)


def _spread(found: Sequence[Map], most: int) -> Sequence[Map]:
    """At most so many layers, evenly among all, the first and the last with them."""
    if len(found) <= most:
        return found
    return [found[round(i)] for i in np.linspace(0, len(found) - 1, most)]


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, max(height, 1.0)), layout="constrained")


def _grid(count: int, columns: int, inch: float = 1.1) -> tuple["Figure", list[Any]]:
    """A figure of so many panels, in rows of so many."""
    rows = max(math.ceil(count / columns), 1)
    figure = _figure(9 if columns * inch > 6 else columns * inch, rows * inch + 0.25 * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for one in axes:
        bare(one)
    for one in axes[count:]:
        one.set_visible(False)
    return figure, axes


def image(axes: Any, picture: np.ndarray, boxes: Sequence[Box] = ()) -> None:
    """A picture for the eye, (H, W) or (H, W, 3) from 0 to 1, with frames."""
    from matplotlib.patches import Rectangle

    bare(axes)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest" if max(picture.shape) < 100 else None)
    for top, left, bottom, right in boxes:
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, color=OURS, lw=1.5))


def bare(axes: Any) -> None:
    """Axes without anything of their own."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
