"""What happened in a training: kept as numbers, drawn as a picture."""

import json
import os
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.palette import INK, OURS, THEIRS
from minicnn.serialization import replacing


class Score(NamedTuple):
    """How well a model did.

    Attributes:
        loss: the mean over the images.
        accuracy: the share of images that got their own class, 0 to 1.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One walk through the training images, and the test after it.

    Attributes:
        number: counted from 1.
        seconds: how long it took, test included.
        learning_rate: that of the first parameter group, at the epoch's beginning.
        train: means over the epoch's batches, each as it was before the step it caused.
        test: the score on the test images at the epoch's end.
    """

    number: int
    seconds: float
    learning_rate: float
    train: Score
    test: Score


@dataclass
class History:
    """What happened.

    Attributes:
        epochs: one record each.
        losses: of every step, the mean over its batch before the step it caused, in float64.
    """

    epochs: list[Epoch] = field(default_factory=list)
    losses: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def last(self) -> Epoch:
        """The latest epoch."""
        return self.epochs[-1]


LINE = 1000
"""Losses on a line of a file."""


def save_history(history: History, path: str | os.PathLike[str], about: Mapping[str, Any] | None = None) -> None:
    """Write a history as JSON, whole or not at all.

    Args:
        history: what `fit` returned.
        path: where the file goes.
        about: what else to keep in it, before the "epochs" and "losses": which training this was, say.

    Raises:
        OSError: where it can't be written.
    """
    epochs = [asdict(epoch) | {part: getattr(epoch, part)._asdict() for part in _PARTS} for epoch in history.epochs]
    head = json.dumps({**(about or {}), "epochs": epochs}, indent=1).removesuffix("\n}")
    with replacing(path) as file:
        file.write(f'{head},\n "losses": ['.encode())
        for first in range(0, len(history.losses), LINE):  # there may be many: they are never in memory as a whole
            line = json.dumps(list(history.losses[first : first + LINE]))
            file.write(f"{',' if first else ''}\n  {line[1:-1]}".encode())
        file.write(b"\n ]\n}\n")


_PARTS = ("train", "test")


def save_table(history: History, path: str | os.PathLike[str]) -> None:
    """Write a history's epochs as CSV, whole or not at all.

    Args:
        history: what `fit` returned.
        path: where the file goes.

    Raises:
        OSError: where it can't be written.
    """
    names = ["epoch", "seconds", "learning_rate", *(f"{part}_{name}" for part in _PARTS for name in Score._fields)]
    lines = [",".join(names)]
    for e in history.epochs:
        lines.append(",".join(str(value) for value in (e.number, e.seconds, e.learning_rate, *e.train, *e.test)))
    with replacing(path) as file:
        file.write("\n".join([*lines, ""]).encode())


def plot_history(history: History, path: str | os.PathLike[str], title: str = "") -> None:
    """Draw loss and accuracy over the epochs, on the training and on the test images.

    Args:
        history: what `fit` returned.
        path: where the picture goes, whole or not at all; its suffix says in which format (PNG without one).
        title: what to write above.

    Raises:
        ValueError: for an unknown suffix.
        OSError: where it can't be written.
    """
    # Without pyplot, which takes a second to import and keeps every figure alive.
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title, color=INK, weight="bold")
    epochs = [epoch.number for epoch in history.epochs]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, color in (("train", THEIRS), ("test", OURS)):
            values = [getattr(getattr(epoch, part), name) for epoch in history.epochs]
            label = f"{values[-1]:.4f}" if name == "loss" else f"{values[-1]:.2%}"
            axes.plot(epochs, values, "o-", color=color, markersize=3.5, label=f"{part}, at last {label}")
        axes.set_title(name, loc="left", color=INK)
        axes.set_xlabel("epoch", color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#e6e7eb")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, labelcolor=INK)
        if name == "loss":
            axes.set_ylim(bottom=0)
        else:
            axes.yaxis.set_major_formatter(PercentFormatter(1))
    with replacing(path) as file:
        figure.savefig(file, format=Path(path).suffix.removeprefix(".") or "png", dpi=150)
