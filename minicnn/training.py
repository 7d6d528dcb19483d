"""The training loop, written once: `fit`, `evaluate`, what they recorded, and the weights with their story.

Nothing here prints. Whoever wants to watch passes callbacks.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import nn, no_grad
from minicnn.optim import Optimizer
from minicnn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from minicnn.serialization import load, read_metadata, replacing, save
from minicnn.tensor import Tensor


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
    """What happened, epoch by epoch."""

    epochs: list[Epoch] = field(default_factory=list)

    @property
    def last(self) -> Epoch:
        """The latest epoch."""
        return self.epochs[-1]


def fit(
    model: nn.Module,
    train_loader: Iterable,
    test_loader: Iterable,
    optimizer: Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
    *,
    epochs: int,
    scheduler: LRScheduler | None = None,
    on_batch: Callable[[int, int, float], Any] | None = None,
    on_epoch: Callable[[Epoch], Any] | None = None,
) -> History:
    """Train a classifier.

    Args:
        model: turns images (N, C, H, W) into scores (N, classes). It is left in the mode it came in.
        train_loader: yields pairs of images and int64 targets (N,).
        test_loader: yields the same, of images that the model never learns from.
        optimizer: changes the model's parameters.
        criterion: mean loss of scores and targets, `nn.CrossEntropyLoss()` by default.
        epochs: how many times to go through `train_loader`.
        scheduler: sets the learning rate; stepped after every epoch (`ReduceLROnPlateau` with the test loss).
        on_batch: called after every step with the epoch's number and the batch's, both from 1, and its loss.
        on_epoch: called after every epoch with its record.

    Returns: the record of all epochs.

    Raises:
        ValueError: where `epochs` is below 1 or a loader yields nothing.
        FloatingPointError: where the loss is no longer a finite number; the step that would have spoilt the
            weights is not taken.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    criterion = criterion or nn.CrossEntropyLoss()
    was_training = model.training
    history = History()
    try:
        for number in range(1, epochs + 1):
            began = time.perf_counter()
            learning_rate = optimizer.param_groups[0]["lr"]
            with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
                train = _train_epoch(model, train_loader, optimizer, criterion, number, on_batch)
            test = evaluate(model, test_loader, criterion)
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(test.loss)
            elif scheduler is not None:
                scheduler.step()
            history.epochs.append(Epoch(number, time.perf_counter() - began, learning_rate, train, test))
            if on_epoch is not None:
                on_epoch(history.last)
    finally:
        model.train(was_training)
    return history


def _train_epoch(
    model: nn.Module,
    loader: Iterable,
    optimizer: Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor],
    epoch: int,
    on_batch: Callable[[int, int, float], Any] | None,
) -> Score:
    model.train()
    tally = _Tally()
    for batch, (images, targets) in enumerate(loader, start=1):
        optimizer.zero_grad()
        scores = model(images)
        loss = criterion(scores, targets)
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"training diverged: the loss became {value} in epoch {epoch}, batch {batch}, "
                f"at learning rate {optimizer.param_groups[0]['lr']:g}; try a smaller one"
            )
        loss.backward()
        optimizer.step()
        tally.add(value, scores, targets)
        if on_batch is not None:
            on_batch(epoch, batch, value)
    return tally.score("train_loader")


def evaluate(
    model: nn.Module,
    loader: Iterable,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Score:
    """Score a classifier, in evaluation mode and without recording gradients.

    Args:
        model: turns images (N, C, H, W) into scores (N, classes). It is left in the mode it came in.
        loader: yields pairs of images and int64 targets (N,).
        criterion: mean loss of scores and targets, `nn.CrossEntropyLoss()` by default.

    Returns: mean loss and accuracy, every image counting the same however the batches were cut.

    Raises:
        ValueError: where the loader yields nothing.
    """
    criterion = criterion or nn.CrossEntropyLoss()
    tally = _Tally()
    for scores, targets in _predictions(model, loader):
        tally.add(criterion(scores, targets).item(), scores, targets)
    return tally.score("loader")


def confusion_matrix(model: nn.Module, loader: Iterable, num_classes: int) -> np.ndarray:
    """Count what a classifier takes for what.

    Args:
        model: turns images (N, C, H, W) into scores (N, num_classes). It is left in the mode it came in.
        loader: yields pairs of images and int64 targets (N,).
        num_classes: how many classes there are.

    Returns: int64 counts (num_classes, num_classes): row = the true class, column = the predicted one.
    """
    counts = np.zeros((num_classes, num_classes), np.int64)
    for scores, targets in _predictions(model, loader):
        np.add.at(counts, (targets.numpy(), scores.argmax(1).numpy()), 1)
    return counts


def _predictions(model: nn.Module, loader: Iterable) -> Iterable[tuple[Tensor, Tensor]]:
    was_training = model.training
    model.eval()
    try:
        for images, targets in loader:
            with no_grad():
                scores = model(images)
            yield scores, targets
    finally:
        model.train(was_training)


class _Tally:
    """Adds batches up, each weighted by its images."""

    def __init__(self) -> None:
        self._images = self._correct = 0
        self._loss = 0.0

    def add(self, loss: float, scores: Tensor, targets: Tensor) -> None:
        images = len(targets)
        self._images += images
        self._loss += loss * images
        self._correct += int((scores.argmax(1) == targets).sum().item())

    def score(self, loader: str) -> Score:
        if not self._images:
            raise ValueError(f"{loader} yields no images")
        return Score(self._loss / self._images, self._correct / self._images)


@dataclass(frozen=True)
class Story:
    """Where weights come from: all that is needed to use them, and to train them again.

    Attributes:
        model: a name in `minicnn.models.MODELS`.
        dataset: what it was trained on.
        classes: the name of every class.
        input_shape: (C, H, W) of an image.
        mean, std: of each channel, in units of full brightness; images are normalised to (x − mean) / std.
        seed: where the random numbers started.
        threads: how many threads computed; sums depend on it in their last bits.
        settings: optimizer, learning rate, batch size and whatever else decided the outcome.
        test_accuracy: of these weights, 0 to 1.
        minicnn: the version.
    """

    model: str
    dataset: str
    classes: list[str]
    input_shape: list[int]
    mean: list[float]
    std: list[float]
    seed: int
    threads: int
    settings: dict[str, Any]
    test_accuracy: float
    minicnn: str


def save_checkpoint(model: nn.Module, path: str | os.PathLike[str], story: Story) -> None:
    """Write a model's weights and their story, with `minicnn.save`."""
    metadata = {name: json.dumps(value) for name, value in asdict(story).items()}
    save(model.state_dict(), path, metadata=metadata)


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], Story | None]:
    """Read weights and their story.

    Returns: a state dict, and the story; None for weights that came without one, such as PyTorch's.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is damaged, or isn't a dictionary of tensors; the message names it.
    """
    state = load(path)
    if not (isinstance(state, dict) and all(isinstance(value, Tensor) for value in state.values())):
        raise ValueError(f"{os.fspath(path)} holds no plain state dict of names and tensors")
    metadata = read_metadata(path)
    if "model" not in metadata:
        return state, None
    try:
        return state, _checked_story({f.name: json.loads(metadata[f.name]) for f in fields(Story)})
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} has damaged metadata ({error!r})") from error


_MOST_PIXELS = 2**24
"""No model here takes larger images; a file that claims so is damaged."""


def _checked_story(values: dict[str, Any]) -> Story:
    story = Story(**values)
    channels = story.input_shape[0]
    numbers = [*story.mean, *story.std]
    if not (
        all(isinstance(name, str) for name in (story.model, story.dataset, *story.classes))
        and len(story.input_shape) == 3
        and all(isinstance(size, int) and size > 0 for size in story.input_shape)
        and math.prod(story.input_shape) <= _MOST_PIXELS
        and len(story.mean) == len(story.std) == channels
        and all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        and all(story.std)
    ):
        raise ValueError("classes, input_shape, mean and std don't describe images")
    return story


_TRAIN, _TEST, _INK = "#8a8f98", "#d1495b", "#2b2d42"


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
    figure.suptitle(title, color=_INK, weight="bold")
    epochs = [epoch.number for epoch in history.epochs]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, color in (("train", _TRAIN), ("test", _TEST)):
            values = [getattr(getattr(epoch, part), name) for epoch in history.epochs]
            label = f"{values[-1]:.4f}" if name == "loss" else f"{values[-1]:.2%}"
            axes.plot(epochs, values, "o-", color=color, markersize=3.5, label=f"{part}, at last {label}")
        axes.set_title(name, loc="left", color=_INK)
        axes.set_xlabel("epoch", color=_INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#e6e7eb")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, labelcolor=_INK)
        if name == "loss":
            axes.set_ylim(bottom=0)
        else:
            axes.yaxis.set_major_formatter(PercentFormatter(1))
    with replacing(path) as file:
        figure.savefig(file, format=Path(path).suffix.removeprefix(".") or "png", dpi=150)
