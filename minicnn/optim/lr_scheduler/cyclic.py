"""Learning rates that go up and down in triangles."""

import math
from collections.abc import Callable
from typing import Any

from minicnn.optim.lr_scheduler.base import (
    LRScheduler,
    begin_momentum,
    checked,
    for_each,
    has_beta1,
    saved_function,
    set_momentum,
)
from minicnn.optim.optimizer import Optimizer

MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """Takes the learning rates up from `base_lr` to `max_lr` and down again, over and over; one step for every batch.

    Smith, "Cyclical learning rates for training neural networks", 2017.

    Args:
        optimizer: whose learning rates to set.
        base_lr: the lowest rate, or one for each group.
        max_lr: the highest rate, or one for each group.
        step_size_up: steps up.
        step_size_down: steps down; None for as many as up.
        mode: "triangular", all cycles of one height; "triangular2", each of half the height of the one before;
            "exp_range", the height in step t times gammaᵗ.
        gamma: see `mode`.
        scale_fn: gives the height's factor, instead of `mode`.
        scale_mode: what `scale_fn` is a function of: "cycle", the number of the cycle, from 1; or "iterations", of
            steps.
        cycle_momentum: whether to take the momentum (or beta1) down and up.
        base_momentum: its lowest value, or one for each group.
        max_momentum: its highest value, or one for each group.
        last_epoch: see `LRScheduler`.

    Raises:
        TypeError: where `optimizer` is none.
        ValueError: for an unknown mode, lists that don't fit the groups, or an optimizer without momentum to cycle.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        groups = checked(optimizer).param_groups
        lowest = for_each(groups, "base_lr", base_lr)
        if last_epoch == -1:
            for group, rate in zip(groups, lowest, strict=True):
                group["lr"] = rate
        self.max_lrs = for_each(groups, "max_lr", max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in MODES and scale_fn is None:
            raise ValueError(
                f"mode is invalid and scale_fn is None: mode must be one of {', '.join(MODES)}, got {mode!r}"
            )
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = has_beta1(optimizer)
            self.base_momentums = for_each(groups, "base_momentum", base_momentum)
            self.max_momentums = for_each(groups, "max_momentum", max_momentum)
            if last_epoch == -1:
                begin_momentum(groups, self.max_momentums, self.base_momentums, self.use_beta1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest

    def scale_fn(self, x: float) -> float:
        """The height's factor in cycle or step `x`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)

        def part(lowest: float, highest: float) -> float:
            return (highest - lowest) * height * self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)

        rates = [low + part(low, high) for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]
        if self.cycle_momentum:
            ends = zip(self.base_momentums, self.max_momentums, self.optimizer.param_groups, strict=True)
            for low, high, group in ends:
                set_momentum(group, high - part(low, high), self.use_beta1)
        return rates

    def state_dict(self) -> dict[str, Any]:
        """All attributes save the optimizer; of `scale_fn`, the attributes of a callable object."""
        state = super().state_dict()
        state["_scale_fn_custom"] = saved_function(self._scale_fn_custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave."""
        attributes = state_dict["_scale_fn_custom"]
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)
