"""What makes the steps of a training: an optimizer, its settings, and how the learning rate moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import typer


class Habits(NamedTuple):
    """An optimizer's class, and its settings unless told otherwise.

    Attributes:
        name: of the class, in minicnn.optim and in torch.optim.
        lr: learning rate.
        weight_decay: what AdamW is for; the others do without.
    """

    name: str
    lr: float
    weight_decay: float = 0.0


OPTIMIZERS = {"adam": Habits("Adam", 0.004), "sgd": Habits("SGD", 0.05), "adamw": Habits("AdamW", 0.004, 0.01)}
MOMENTUM = 0.9

SCHEDULES = {
    "cosine": "it falls along a cosine, epoch by epoch, to nothing after the last",
    "onecycle": "it rises from a 25th for three tenths of the steps, and falls, step by step, to almost nothing",
    "constant": "it stays",
}
"""What a learning rate can do."""


@dataclass(frozen=True)
class Recipe:
    """What makes the steps.

    Attributes:
        optimizer: a name in `OPTIMIZERS`.
        schedule: a name in `SCHEDULES`.
        settings: of the optimizer, under the names of its arguments.
    """

    optimizer: str
    schedule: str
    settings: dict[str, Any]

    @classmethod
    def of(
        cls,
        optimizer: str,
        schedule: str,
        lr: float | None,
        weight_decay: float | None,
        momentum: float | None,
        nesterov: bool,
    ) -> "Recipe":
        """A recipe from the command line's options; None is what the optimizer is used to.

        Raises:
            typer.BadParameter: for options that don't go together.
        """
        habits = OPTIMIZERS[optimizer]
        settings: dict[str, Any] = {
            "lr": habits.lr if lr is None else lr,
            "weight_decay": habits.weight_decay if weight_decay is None else weight_decay,
        }
        if optimizer == "sgd":
            settings |= {"momentum": MOMENTUM if momentum is None else momentum, "nesterov": nesterov}
            if nesterov and not settings["momentum"]:
                raise typer.BadParameter("without a momentum there is no Nesterov's", param_hint="'--nesterov'")
        elif momentum is not None:
            raise typer.BadParameter("only sgd has a momentum", param_hint="'--momentum'")
        elif nesterov:
            raise typer.BadParameter("only sgd has Nesterov's momentum", param_hint="'--nesterov'")
        return cls(optimizer, schedule, settings)

    def __str__(self) -> str:
        """`sgd, lr 0.05, momentum 0.9, nesterov, cosine schedule`, without what is off."""
        settings = [name if value is True else f"{name} {value:g}" for name, value in self.settings.items() if value]
        return ", ".join([self.optimizer, *settings, f"{self.schedule} schedule"])

    def prepare(
        self, optim: ModuleType, parameters: Iterable, epochs: int, steps_per_epoch: int, **options: Any
    ) -> tuple[Any, Any, bool]:
        """The optimizer and the scheduler.

        Args:
            optim: minicnn.optim, or torch.optim.
            parameters: what to learn.
            epochs, steps_per_epoch: how long.
            options: more of the optimizer's arguments.

        Returns: the optimizer, the scheduler (None for a constant rate), and whether to step it after every batch
            instead of after every epoch.
        """
        optimizer = getattr(optim, OPTIMIZERS[self.optimizer].name)(parameters, **self.settings, **options)
        if self.schedule == "constant":
            return optimizer, None, False
        if self.schedule == "cosine":
            return optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs), False
        # A momentum that was asked for stays as it is.
        cycle = optim.lr_scheduler.OneCycleLR(
            optimizer, self.settings["lr"], epochs * steps_per_epoch, cycle_momentum=False
        )
        return optimizer, cycle, True
