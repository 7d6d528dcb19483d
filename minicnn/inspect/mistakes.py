"""What a network mistakes for what, and where it was surest of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import nn
from minicnn.training.loop import predictions


@dataclass(frozen=True)
class Wrong:
    """A picture that was taken for something else.

    Attributes:
        index: of the picture.
        label: what it is.
        taken_for: what the network says.
        probability: that the network gives to it.
    """

    index: int
    label: int
    taken_for: int
    probability: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The outcome on test images.

    Attributes:
        confusion: int64 (classes, classes); row i, column j: how many pictures of class i were taken for class j.
        wrong: every mistake, the surest first; of equally sure ones the earlier first.
    """

    confusion: np.ndarray
    wrong: list[Wrong]

    @property
    def accuracy(self) -> float:
        """Share of the pictures that were recognised."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))


def mistakes(model: nn.Module, loader: Iterable[Any], classes: int) -> Mistakes:
    """Confusion matrix and mistakes of a classifier.

    Args:
        model: from images to scores (N, classes).
        loader: yields pairs of images (N, C, H, W) and int64 targets (N,).
        classes: how many there are.

    Raises:
        ValueError: for a target that is no class.
    """
    batches = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
    for scores, targets in predictions(model, loader):
        shares = scores.softmax(1).numpy()
        batches.append((np.asarray(targets, np.int64), shares.argmax(1), shares.max(1)))
    target, answer, probability = (np.concatenate([batch[i] for batch in batches]) for i in range(3))
    if target.size and not (target.min() >= 0 and target.max() < classes):
        raise ValueError(f"targets must be from 0 to {classes - 1}, got {target.min()} to {target.max()}")
    confusion = np.bincount(target * classes + answer, minlength=classes * classes).reshape(classes, classes)
    wrong = np.flatnonzero(target != answer)
    order = wrong[np.argsort(-probability[wrong], kind="stable")]
    found = [Wrong(int(i), int(target[i]), int(answer[i]), float(probability[i])) for i in order]
    return Mistakes(confusion, found)
