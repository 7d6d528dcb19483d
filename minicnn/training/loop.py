"""The loop itself: learning from the training images, epoch by epoch, and scoring on others."""

import math
import os
import time
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minicnn import nn, no_grad
from minicnn.nn.modes import evaluating
from minicnn.optim import Optimizer
from minicnn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from minicnn.random import get_rng_state, set_rng_state
from minicnn.serialization import save
from minicnn.tensor import Tensor
from minicnn.training.finite import first_not_finite
from minicnn.training.history import Epoch, History, Score
from minicnn.training.snapshot import load_snapshot, save_snapshot


class StoppedError(Exception):
    """A training was asked to stop, and did so after a batch.

    Attributes:
        epoch, batch: the last one that it finished, both from 1.
    """

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__(f"stopped after batch {batch} of epoch {epoch}")
        self.epoch, self.batch = epoch, batch


def fit(
    model: nn.Module,
    train_loader: Iterable,
    valid_loader: Iterable,
    loss: Callable[[Tensor, Tensor], Tensor] | None,
    optimizer: Optimizer,
    epochs: int,
    *,
    scheduler: LRScheduler | None = None,
    scheduler_per_batch: bool = False,
    on_batch: Callable[[int, int, float], Any] | None = None,
    on_epoch: Callable[[Epoch], Any] | None = None,
    callbacks: Sequence["Callback"] = (),
    save_best: str | os.PathLike[str] | Callable[[Epoch], Any] | None = None,
    patience: int | None = None,
    keep_going: bool = False,
    snapshot: str | os.PathLike[str] | None = None,
    snapshot_every: int | None = None,
    about: Any = None,
    resume: Any = False,
    stop: Callable[[], bool] | None = None,
) -> History:
    """Train a classifier.

    Args:
        model: turns images (N, C, H, W) into scores (N, classes). It is left in the mode it came in.
        train_loader: yields pairs of images and int64 targets (N,).
        valid_loader: yields the same, of images that the model never learns from.
        loss: mean loss of scores and targets; None for `nn.CrossEntropyLoss()`.
        optimizer: changes the model's parameters.
        epochs: how many times to go through `train_loader`.
        scheduler: sets the learning rate; stepped after every epoch (`ReduceLROnPlateau` with the test loss).
        scheduler_per_batch: step it after every batch instead, as `OneCycleLR` wants it.
        on_batch: called after every step with the epoch's number and the batch's, both from 1, and its loss.
        on_epoch: called after every epoch with its record.
        callbacks: whatever else wants to know; see `Callback`.
        save_best: where the weights go after every epoch whose test accuracy is the best so far, of equal ones that
            with the least test loss; or what to call with its record.
        patience: end after so many epochs without a better one.
        keep_going: leave out the steps of batches whose loss isn't finite, instead of raising.
        snapshot: where the state of the training goes, so that it can go on from there.
        snapshot_every: after how many steps; after every epoch if None.
        about: what else to keep in the snapshot.
        resume: go on from the snapshot if True, or from what `load_snapshot` gave for it. Model, loaders, optimizer,
            scheduler and number of threads must be made as they were; then the result is that of a training that was
            never interrupted, to the bit.
        stop: asked after every batch; where it is true a last snapshot is written and `StoppedError` raised.

    Returns: the record of all epochs and steps.

    Raises:
        TypeError: where there is no optimizer in its place.
        ValueError: where `epochs` or `patience` is below 1, a loader yields nothing, or `ReduceLROnPlateau` is to be
            stepped per batch.
        FloatingPointError: where the loss is no longer a finite number; the step that would have spoilt the
            weights is not taken, and the first layer that is to blame named.
        StoppedError: where `stop` asked for it.
        FileNotFoundError, ValueError: where there is no snapshot to go on from, or it is damaged or of another model.
    """
    if not isinstance(optimizer, Optimizer) or isinstance(loss, Optimizer):
        raise TypeError(f"fit takes a loss, or None, and then an optimizer, got {type(loss)} and {type(optimizer)}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1 epoch, got {patience}")
    if scheduler_per_batch and (scheduler is None or isinstance(scheduler, ReduceLROnPlateau)):
        raise ValueError(f"scheduler_per_batch needs a scheduler that looks at no test loss, got {scheduler}")
    run = _Run(model, optimizer, scheduler, scheduler_per_batch, loss or nn.CrossEntropyLoss(), keep_going)
    run.snapshot, run.every, run.about, run.stop = snapshot, snapshot_every, about, stop or (lambda: False)
    watching = [*callbacks, _Calling(on_batch, on_epoch)]
    if resume is not False:
        run.restore(resume)
    for callback in watching:
        callback.on_begin(run.history)
    was_training = model.training
    try:
        while len(run.history.epochs) < epochs and not run.waited_too_long(patience):
            began = time.perf_counter()
            with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
                train = run.train_epoch(train_loader, watching)
            test = evaluate(model, valid_loader, run.loss)
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(test.loss)
            elif scheduler is not None and not scheduler_per_batch:
                scheduler.step()
            epoch = Epoch(len(run.history.epochs) + 1, time.perf_counter() - began, run.rate, train, test)
            run.history.epochs.append(epoch)
            run.begin_epoch()
            if run.is_best(test) and save_best is not None:
                save_best(epoch) if callable(save_best) else save(model.state_dict(), save_best)
            for callback in watching:
                callback.on_epoch(epoch)
            if not snapshot_every:
                run.keep()
    finally:
        model.train(was_training)
    for callback in watching:
        callback.on_end(run.history)
    return run.history


class Callback:
    """What `fit` calls; a subclass says what to do."""

    def on_begin(self, history: History) -> Any:
        """Before the first step: the record, which grows from now on; a resumed training's has its former epochs."""

    def on_batch(self, epoch: int, batch: int, loss: float) -> Any:
        """After every step: the epoch's number and the batch's, both from 1, and the batch's loss before it."""

    def on_epoch(self, epoch: Epoch) -> Any:
        """After every epoch: its record."""

    def on_end(self, history: History) -> Any:
        """After the last epoch: the whole record."""


class _Calling(Callback):
    """A callback of two functions."""

    def __init__(self, on_batch: Callable | None, on_epoch: Callable | None) -> None:
        self._on_batch, self._on_epoch = on_batch, on_epoch

    def on_batch(self, epoch: int, batch: int, loss: float) -> None:
        if self._on_batch is not None:
            self._on_batch(epoch, batch, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        if self._on_epoch is not None:
            self._on_epoch(epoch)


class _Run:
    """A training under way: what it consists of, and where it is.

    Attributes:
        batch: how many batches of this epoch are behind it.
        random, rate: where the random numbers stood when the epoch began, so that its batches can be drawn again, and
            the learning rate then.
        best, best_epoch: the best test score, and the epoch that it belongs to.
    """

    snapshot: str | os.PathLike[str] | None
    every: int | None
    about: Any
    stop: Callable[[], bool]

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, scheduler: Any, per_batch: bool, loss: Any, keep_going: bool
    ) -> None:
        self.model, self.optimizer, self.loss, self.keep_going = model, optimizer, loss, keep_going
        self.scheduler, self.per_batch = scheduler, per_batch
        self.history, self.tally, self.batch = History(), _Tally(), 0
        self.best, self.best_epoch = Score(math.inf, -1.0), 0
        self.random, self.rate = get_rng_state(), self.learning_rate

    @property
    def learning_rate(self) -> float:
        """Of the first group of parameters."""
        return self.optimizer.param_groups[0]["lr"]

    def begin_epoch(self) -> None:
        """The next epoch has no batch behind it."""
        self.tally, self.batch, self.random, self.rate = _Tally(), 0, get_rng_state(), self.learning_rate

    def is_best(self, test: Score) -> bool:
        """Whether this epoch's score is the best; remembered if it is."""
        if (test.accuracy, -test.loss) <= (self.best.accuracy, -self.best.loss):
            return False
        self.best, self.best_epoch = test, len(self.history.epochs)
        return True

    def waited_too_long(self, patience: int | None) -> bool:
        """Whether the best epoch lies more than `patience` epochs back."""
        return patience is not None and len(self.history.epochs) - self.best_epoch >= patience

    def train_epoch(self, loader: Iterable, watching: Sequence[Callback]) -> Score:
        """The rest of an epoch."""
        self.model.train()
        epoch, batches = len(self.history.epochs) + 1, iter(loader)
        if self.batch:  # those behind are drawn again, so that the order of the others is the same
            now = get_rng_state()
            set_rng_state(self.random)
            for _ in range(self.batch):
                next(batches, None)
            set_rng_state(now)
        for images, targets in batches:
            self.batch += 1
            self._step(images, targets, epoch)
            for callback in watching:
                callback.on_batch(epoch, self.batch, self.history.losses[-1])
            stopping = self.stop()
            if stopping or (self.every and len(self.history.losses) % self.every == 0):
                self.keep()
            if stopping:
                raise StoppedError(epoch, self.batch)
        if self.batch and not self.tally.images:
            raise FloatingPointError(f"no batch of epoch {epoch} had a finite loss")
        return self.tally.score("train_loader")

    def _step(self, images: Any, targets: Any, epoch: int) -> None:
        self.optimizer.zero_grad()
        scores = self.model(images)
        loss = self.loss(scores, targets)
        value = loss.item()
        self.history.losses.append(value)
        if math.isfinite(value):
            loss.backward()
            self.optimizer.step()
            self.tally.add(value, scores, targets)
        elif not self.keep_going:
            raise FloatingPointError(
                f"training diverged: the loss became {value} in epoch {epoch}, batch {self.batch}, at learning rate "
                f"{self.learning_rate:g}; {first_not_finite(self.model, images)}. Try a smaller learning rate"
            )
        if self.scheduler is not None and self.per_batch:
            self.scheduler.step()

    def keep(self) -> None:
        """Write a snapshot, if there is a place for it.

        One whose weights aren't finite is not written: the last good one stays.
        """
        if self.snapshot is None:
            return
        weights = self.model.state_dict()
        if all(np.isfinite(x._array).all() for x in weights.values() if x._array.dtype.kind == "f"):
            save_snapshot(self._content(weights), self.snapshot)

    def _content(self, weights: Any) -> dict[str, Any]:
        tally = self.tally
        return {
            "about": self.about,
            "model": dict(weights),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "batch": self.batch,
            "rate": self.rate,
            "tally": [tally.images, tally.correct, tally.loss],
            "best": [*self.best, self.best_epoch],
            "random": [self.random, get_rng_state()],
            "epochs": [[e.number, e.seconds, e.learning_rate, *e.train, *e.test] for e in self.history.epochs],
            "losses": np.array(self.history.losses, np.float64),
        }

    def restore(self, content: Any) -> None:
        """Stand where a snapshot was written."""
        if content is True:
            if self.snapshot is None:
                raise ValueError("to resume a training takes the snapshot to go on from")
            content = load_snapshot(self.snapshot, lambda sentence: warnings.warn(sentence, stacklevel=4))
        try:
            self.model.load_state_dict(content["model"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.optimizer._opt_called = True  # before the interruption, or the schedule would miss it
            if self.scheduler is not None:
                self.scheduler.load_state_dict(content["scheduler"])
            self.batch, self.rate = content["batch"], content["rate"]
            self.tally.images, self.tally.correct, self.tally.loss = content["tally"]
            *best, self.best_epoch = content["best"]
            self.best = Score(*best)
            self.random, now = content["random"]
            self.history.epochs = [
                Epoch(number, seconds, rate, Score(*scores[:2]), Score(*scores[2:]))
                for number, seconds, rate, *scores in content["epochs"]
            ]
            self.history.losses = array("d", content["losses"].tolist())
        except (RuntimeError, LookupError, TypeError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"the snapshot {self.snapshot or ''} is of another training: {reason}") from error
        set_rng_state(now)


def evaluate(
    model: nn.Module,
    loader: Iterable,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Score:
    """Score a classifier, in evaluation mode and without recording gradients.

    Args:
        model: turns images (N, C, H, W) into scores (N, classes). It is left in the mode it came in.
        loader: yields pairs of images and int64 targets (N,).
        loss: mean loss of scores and targets, `nn.CrossEntropyLoss()` by default.

    Returns: mean loss and accuracy, every image counting the same however the batches were cut.

    Raises:
        ValueError: where the loader yields nothing.
    """
    loss = loss or nn.CrossEntropyLoss()
    tally = _Tally()
    for scores, targets in predictions(model, loader):
        tally.add(loss(scores, targets).item(), scores, targets)
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
        self.images = self.correct = 0
        self.loss = 0.0

    def add(self, loss: float, scores: Tensor, targets: Tensor) -> None:
        images = len(targets)
        self.images += images
        self.loss += loss * images
        self.correct += int((scores.argmax(1) == targets).sum().item())

    def score(self, loader: str) -> Score:
        if not self.images:
            raise ValueError(f"{loader} yields no images")
        return Score(self.loss / self.images, self.correct / self.images)
