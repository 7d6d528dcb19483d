"""`LRScheduler`: counts steps, sets the rates that a subclass computes, and saves itself."""

import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.optim.hooks import hooked
from minicnn.optim.optimizer import Optimizer

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)


class LRScheduler:
    """Base of all schedulers; a subclass gives `get_lr()`.

    Args:
        optimizer: whose learning rates to set.
        last_epoch: how many steps a run that is being resumed had taken; −1 to begin.

    Attributes:
        last_epoch: the number of steps taken.
        base_lrs: the learning rate each group began with.

    Raises:
        TypeError: where `optimizer` is none.
        KeyError: when resuming, for a group without "initial_lr".
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler "
                    "with last_epoch >= 0"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The learning rate of each group for the step `last_epoch`, from the present ones."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as last set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step, after the optimizer's.

        Args:
            epoch: go to this step instead, by the closed form of the schedule where it has one. Deprecated in PyTorch,
                which warns too.
        """
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "hooked"):
                warnings.warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                    "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                    stacklevel=2,
                )
            elif not self.optimizer._opt_called:
                warnings.warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in "
                    "the opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this "
                    "will result in skipping the first value of the learning rate schedule.",
                    stacklevel=2,
                )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates for the next step, or for step `epoch`."""
        with self._computing():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = getattr(self, "_get_closed_form_lr", self.get_lr)()
        self._set(rates)

    def _set(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = self._present()

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """While `get_lr` is called to set rates, and not by a program that wants to see them."""
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=3
            )

    def _present(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        """The present rates, times `factor`."""
        return [rate * factor for rate in self._present()]

    def state_dict(self) -> dict[str, Any]:
        """All attributes save the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave; the optimizer's own state has to be loaded too."""
        self.__dict__.update(state_dict)


class _LRScheduler(LRScheduler):
    """`LRScheduler` under its former name."""


def _watch(optimizer: Optimizer) -> None:
    """See to it that the optimizer notes calls of its step, from now on."""
    if not hasattr(optimizer.step, "hooked"):
        own = optimizer.step  # put there by the program, on this optimizer alone
        noted = hooked(lambda _, *args, **kwargs: own(*args, **kwargs))
        optimizer.step = types.MethodType(noted, optimizer)  # type: ignore[method-assign]
    if not optimizer._watched:
        optimizer._watched, optimizer._opt_called = True, False


def checked(optimizer: Any) -> Optimizer:
    """`optimizer`, where it is one.

    Raises:
        TypeError: where it is none.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def for_each(groups: list, name: str, value: Any) -> list:
    """One value for every group, from a list of them or a single one.

    Raises:
        ValueError: for a list of another length.
    """
    if not isinstance(value, (list, tuple)):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {len(groups)}."
        )
    return list(value)


def has_beta1(optimizer: Optimizer) -> bool:
    """Whether what an optimizer has for momentum is beta1.

    Raises:
        ValueError: where it has neither.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    return "betas" in optimizer.defaults


def set_momentum(group: dict[str, Any], momentum: float, use_beta1: bool) -> None:
    """Set the momentum of a group, or its beta1."""
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def begin_momentum(groups: list[dict[str, Any]], highest: Any, lowest: Any, use_beta1: bool) -> None:
    """Start every group at its highest momentum, and note both ends in the group."""
    for group, most, least in zip(groups, highest, lowest, strict=True):
        group["max_momentum"], group["base_momentum"] = most, least
        set_momentum(group, most, use_beta1)


def saved_function(function: Callable | None) -> Any:
    """What a state dict holds of a function: the attributes of a callable object, None of a plain function."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return function.__dict__.copy()
