"""One rise and one fall, of the learning rates and, the other way, of the momentum."""

import math
from typing import Any

from minicnn.optim.lr_scheduler.base import LRScheduler, begin_momentum, checked, for_each, has_beta1, set_momentum
from minicnn.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """Takes the learning rates up to `max_lr` and down to almost nothing, the momentum the other way.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates",
    2018. One step for every batch.

    Args:
        optimizer: whose learning rates to set.
        max_lr: the highest rate, or one for each group.
        total_steps: steps of the whole cycle; None for `epochs` · `steps_per_epoch`.
        epochs, steps_per_epoch: see `total_steps`.
        pct_start: the part of the cycle that rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether to take the momentum (or beta1) down and up too.
        base_momentum: its lowest value, or one for each group.
        max_momentum: its highest value, or one for each group.
        div_factor: the first rate is max_lr / div_factor,
        final_div_factor: and the last is that / final_div_factor.
        three_phase: come down to the first rate in as many steps as it took up, and only then to the last.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: for numbers of steps that are no positive ints, a `pct_start` that is no float in [0, 1],
            an unknown strategy, lists that don't fit the groups, an optimizer without momentum to cycle; and
            by `step`, once the cycle is over.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        groups = checked(optimizer).param_groups
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        highest = for_each(groups, "max_lr", max_lr)
        if last_epoch == -1:
            for group, rate in zip(groups, highest, strict=True):
                group["initial_lr"] = rate / div_factor
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = has_beta1(optimizer)
            most = for_each(groups, "max_momentum", max_momentum)
            least = for_each(groups, "base_momentum", base_momentum)
            if last_epoch == -1:
                begin_momentum(groups, most, least, self.use_beta1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is {self.total_steps}"
            )
        phases = self._schedule_phases
        current = next((i for i, phase in enumerate(phases) if self.last_epoch <= phase["end_step"]), len(phases) - 1)
        phase = phases[current]
        start = phases[current - 1]["end_step"] if current else 0.0
        part = (self.last_epoch - start) / (phase["end_step"] - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                momentum = self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                set_momentum(group, momentum, self.use_beta1)
        return [
            self._between(group[phase["start_lr"]], group[phase["end_lr"]], part)
            for group in self.optimizer.param_groups
        ]

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start


def _total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return _positive("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    return _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
    """The phases' last steps, and the group entries that rate and momentum go between."""

    def phase(end_step: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict:
        return {
            "end_step": end_step,
            "start_lr": start_lr,
            "end_lr": end_lr,
            "start_momentum": start_momentum,
            "end_momentum": end_momentum,
        }

    top = float(pct_start * total_steps) - 1
    end = total_steps - 1
    up = phase(top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three_phase:
        return [up, phase(end, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = float(2 * pct_start * total_steps) - 2
    return [
        up,
        phase(down, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        phase(end, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    ]
