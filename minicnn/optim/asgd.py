"""Averaged stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise
from minicnn.optim.optimizer import check_options, number
from minicnn.tensor import Tensor


class ASGD(Elementwise):
    """Gradient descent that also keeps the average of the parameters, in `state[p]["ax"]`.

    g = gradient + weight_decay · p
    p = (1 − lambd · η) · p − η · g
    ax = ax + μ · (p − ax), and ax = p as long as μ = 1
    η = lr / (1 + lambd · lr · t)^alpha, and μ = 1 / max(1, t − t0), after step t = 1, 2, ...

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        lambd: the decay.
        alpha: the power by which η sinks.
        t0: the step after which averaging begins.
        weight_decay: the factor of the L2 penalty.
        foreach: makes no difference.
        maximize: whether to ascend.
        differentiable, capturable: True is refused.

    Raises:
        ValueError: for a negative `lr` or `weight_decay`.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("ax",)

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        super()._begin(state, parameter, group)
        state["eta"] = number(group["lr"])
        state["mu"] = number(1.0)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        average, eta, mu = state["ax"], state["eta"], state["mu"]
        rate, decay = group["lr"], group["lambd"]
        p *= 1 - decay * eta.item()
        p -= eta.item() * g
        if mu.item() == 1:
            average[...] = p
        else:
            average += (p - average) * mu.item()
        eta[...] = rate / (1 + decay * rate * step) ** group["alpha"]
        mu[...] = 1 / max(1, step - group["t0"])
