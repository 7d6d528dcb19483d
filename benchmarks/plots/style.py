"""Habits that all pictures share; the colours are minicnn.palette's."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minicnn.palette import GRID, INK, THEIRS, THEIRS_LIGHT
from minicnn.serialization import replacing


def figure(title: str, width: float, height: float) -> Any:
    """An empty figure.

    Args:
        title: above it.
        width, height: in inches.
    """
    from matplotlib.figure import Figure

    result = Figure(figsize=(width, height), layout="constrained")
    result.get_layout_engine().set(w_pad=0.15, h_pad=0.1, wspace=0.04)
    result.suptitle(title, color=INK, weight="bold", fontsize=13)
    return result


def tidy(axes: Any, title: str, grid: str = "both") -> None:
    """No box, a pale grid behind the data, a title on the left."""
    axes.set_title(title, loc="left", color=INK, fontsize=10.5)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(THEIRS_LIGHT)
    axes.tick_params(colors=INK, labelsize=9, which="both", length=0)


def save(picture: Any, environment: Mapping[str, str], path: Path) -> None:
    """Write a figure, the environment below it in small print; whole or not at all.

    Args:
        picture: the figure.
        environment: as `machine.describe` gives it.
        path: where to; its suffix says in which format.
    """
    text = "; ".join(f"{name} {value}" for name, value in environment.items())
    width = int(picture.get_figwidth() * 15)
    picture.supxlabel("\n".join(textwrap.wrap(text, width)), fontsize=7, color=THEIRS, x=0.01, ha="left")
    with replacing(path) as file:
        picture.savefig(file, format=path.suffix[1:].lower(), dpi=150)
