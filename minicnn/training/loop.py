"""The loop itself: learning from the training images, epoch by epoch, and scoring on others."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn import nn, no_grad
from minicnn.nn.modes import evaluating
from minicnn.optim import Optimizer
from minicnn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from minicnn.tensor import Tensor
from minicnn.training.history import Epoch, History, Score


def fit(
    model: nn.Module,
    train_loader: Iterable,
    test_loader: Iterable,
    optimizer: Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
    *,
    epochs: int,
    scheduler: LRScheduler | None = None,
    scheduler_per_batch: bool = False,
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
        scheduler_per_batch: step it after every batch instead, as `OneCycleLR` wants it.
        on_batch: called after every step with the epoch's number and the batch's, both from 1, and its loss.
        on_epoch: called after every epoch with its record.

    Returns: the record of all epochs and steps.

    Raises:
        ValueError: where `epochs` is below 1, a loader yields nothing, or `ReduceLROnPlateau` is to be stepped
            per batch.
        FloatingPointError: where the loss is no longer a finite number; the step that would have spoilt the
            weights is not taken.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    if scheduler_per_batch and (scheduler is None or isinstance(scheduler, ReduceLROnPlateau)):
        raise ValueError(f"scheduler_per_batch needs a scheduler that looks at no test loss, got {scheduler}")
    criterion = criterion or nn.CrossEntropyLoss()
    was_training = model.training
    history = History()

    def after_batch(epoch: int, batch: int, loss: float) -> None:
        history.losses.append(loss)
        if scheduler is not None and scheduler_per_batch:
            scheduler.step()
        if on_batch is not None:
            on_batch(epoch, batch, loss)

    try:
        for number in range(1, epochs + 1):
            began = time.perf_counter()
            learning_rate = optimizer.param_groups[0]["lr"]
            with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
                train = _train_epoch(model, train_loader, optimizer, criterion, number, after_batch)
            test = evaluate(model, test_loader, criterion)
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(test.loss)
            elif scheduler is not None and not scheduler_per_batch:
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
    after_batch: Callable[[int, int, float], None],
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
        after_batch(epoch, batch, value)
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
    for scores, targets in predictions(model, loader):
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
    for scores, targets in predictions(model, loader):
        np.add.at(counts, (targets.numpy(), scores.argmax(1).numpy()), 1)
    return counts


def predictions(model: nn.Module, loader: Iterable) -> Iterator[tuple[Tensor, Tensor]]:
    """Scores (N, classes) and targets (N,) of every batch, in evaluation mode and without recording gradients."""
    with evaluating(model):
        for images, targets in loader:
            with no_grad():
                scores = model(images)
            yield scores, targets


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
