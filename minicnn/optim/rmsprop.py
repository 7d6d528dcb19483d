"""RMSprop."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise, approach, blend
from minicnn.optim.fused import zeros_like
from minicnn.optim.optimizer import check_options, number
from minicnn.tensor import Tensor


class RMSprop(Elementwise):
    """Steps in the direction of the gradient, divided by the root of its recent mean square.

    g = gradient + weight_decay · p
    v = alpha · v + (1 − alpha) · g²
    a = √v + eps, or √(v − m²) + eps with m = alpha · m + (1 − alpha) · g if `centered`
    p = p − lr · g / a, or with momentum b = momentum · b + g / a and p = p − lr · b

    Hinton, lecture 6 of "Neural networks for machine learning", 2012; centered: Graves, "Generating sequences
    with recurrent neural networks", 2013.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        alpha: what v keeps in a step.
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        momentum: what b keeps in a step.
        centered: whether to divide by an estimate of the gradient's standard deviation.
        capturable, differentiable: True is refused.
        foreach: makes no difference.
        maximize: whether to ascend.

    Raises:
        ValueError: for a negative number.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["step"] = number(0.0)
        state["square_avg"] = zeros_like(parameter)
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(parameter)
        if group["centered"]:
            state["grad_avg"] = zeros_like(parameter)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        square = state["square_avg"]
        blend(square, g, group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"]
            approach(mean, g, 1 - group["alpha"])
            average = np.sqrt(square - mean * mean)
        else:
            average = np.sqrt(square)
        average = average + group["eps"]
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += g / average
            p -= group["lr"] * buffer
        else:
            p -= group["lr"] * g / average
