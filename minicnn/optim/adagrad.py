"""Adagrad."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise
from minicnn.optim.fused import zeros_like
from minicnn.optim.optimizer import check_options, number
from minicnn.tensor import Tensor


class Adagrad(Elementwise):
    """Steps divided by the root of the sum of all squared gradients so far.

    g = gradient + weight_decay · p
    s = s + g²
    p = p − lr / (1 + (t − 1) · lr_decay) · g / (√s + eps) in step t = 1, 2, ...

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        lr_decay: how fast it sinks.
        weight_decay: the factor of the L2 penalty.
        initial_accumulator_value: where s begins.
        eps: keeps the division finite.
        foreach, fused: make no difference.
        maximize: whether to ascend.
        differentiable: True is refused.

    Raises:
        ValueError: for a negative number.
        TypeError: for a Tensor in place of a number, or `differentiable`.
        RuntimeError: for both `foreach` and `fused`.
    """

    _moments = ("sum",)

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(
            lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for parameter in self._parameters():
            self._begin(self.state[parameter], parameter, self.defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["step"] = number(0.0)
        state["sum"] = zeros_like(parameter)
        state["sum"]._array[...] = self.defaults["initial_accumulator_value"]

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        total = state["sum"]
        total += g * g
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        p -= rate * g / (np.sqrt(total) + group["eps"])
