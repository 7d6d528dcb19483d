"""Averages of a model's weights over time: equally weighted (SWA), exponential (EMA), or one's own.

Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.
"""

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from minicnn.autograd import no_grad
from minicnn.creation import tensor
from minicnn.dtypes import int64
from minicnn.nn.layers.normalization import _BatchNorm
from minicnn.nn.module import Module
from minicnn.optim.lr_scheduler.base import LRScheduler, for_each
from minicnn.optim.optimizer import Optimizer
from minicnn.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
"""The new average, of the average so far, a model's tensor, and the number of models averaged so far."""
ListAverage = Callable[[list[Tensor], list[Tensor], Any], None]
"""Changes averages, a list, in place."""


def _checked_decay(decay: float) -> float:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")
    return decay


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: decay · average + (1 − decay) · present.

    Raises:
        ValueError: for a decay outside 0 … 1.
    """
    _checked_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean of all models: average + (present − average) / (number + 1)."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> ListAverage:
    """`get_ema_avg_fn` for lists of tensors, changed in place."""
    _checked_decay(decay)
    return _moving(lambda num_averaged: 1 - decay)


def get_swa_multi_avg_fn() -> ListAverage:
    """`get_swa_avg_fn` for lists of tensors, changed in place."""
    return _moving(lambda num_averaged: 1 / (num_averaged + 1))


def _moving(part: Callable[[Any], Any]) -> ListAverage:
    """Moves every average towards the present tensor, by the part of the way that the number of models decides."""

    @no_grad()
    def update(averaged_param_list: list[Tensor], current_param_list: list[Tensor], num_averaged: Any) -> None:
        weight = float(part(num_averaged))
        for averaged, current in zip(averaged_param_list, current_param_list, strict=True):
            averaged.copy_(averaged + weight * (current - averaged))

    return update


class AveragedModel(Module):
    """A copy of a model whose parameters become averages: `update_parameters(model)` takes in the present ones.

    Args:
        model: what to copy.
        device: "cpu".
        avg_fn: the average of one tensor; equally weighted if None.
        multi_avg_fn: the average of lists of tensors, instead.
        use_buffers: average the buffers too; else they are copied.

    Attributes:
        module: the copy.
        n_averaged: how many models were taken in, int64.

    Raises:
        AssertionError: for both `avg_fn` and `multi_avg_fn`.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: ListAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model makes of its arguments."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` into the average; the first ones are copied."""
        averaged = [one.detach() for one in self._tensors(self.module)]
        current = [one.detach() for one in self._tensors(model)]
        if self.n_averaged.item() == 0:
            for target, source in zip(averaged, current, strict=True):
                target.copy_(source)
        elif self.multi_avg_fn is not None:
            for positions in _by_dtype(averaged):
                self.multi_avg_fn([averaged[i] for i in positions], [current[i] for i in positions], self.n_averaged)
        else:
            average = self.avg_fn or get_swa_avg_fn()
            for target, source in zip(averaged, current, strict=True):
                target.copy_(average(target, source, self.n_averaged))
        if not self.use_buffers:
            for target, source in zip(self.module.buffers(), model.buffers(), strict=True):
                target.detach().copy_(source.detach())
        self.n_averaged += 1

    def _tensors(self, model: Module) -> Iterable[Tensor]:
        return chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()


def _by_dtype(tensors: list[Tensor]) -> Iterable[list[int]]:
    """The positions of the tensors of each dtype."""
    groups: dict[Any, list[int]] = {}
    for position, one in enumerate(tensors):
        groups.setdefault(one.dtype, []).append(position)
    return groups.values()


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch norm layers anew, as means over the batches of `loader`.

    Args:
        loader: gives batches of inputs, or lists and tuples that begin with them.
        model: is run on each, in training mode.
        device: "cpu".
    """
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    for batch in loader:
        inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Takes the learning rates to fixed ones, and keeps them there.

    Args:
        optimizer: whose learning rates to set.
        swa_lr: the fixed rate, or one for each group.
        anneal_epochs: in how many steps to get there.
        anneal_strategy: "cos" or "linear".
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: for an unknown strategy, a number of steps that isn't one, or a list that doesn't fit the groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, for_each(optimizer.param_groups, "swa_lr", swa_lr), strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            rate, goal = group["lr"], group["swa_lr"]
            first = goal if before == 1 else (rate - before * goal) / (1 - before)
            rates.append(goal * now + first * (1 - now))
        return rates

    def _part(self, step: int) -> float:
        """The part of the way to the fixed rates that is behind after `step` steps."""
        part = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * part)) / 2 if self._anneal_strategy == "cos" else part
