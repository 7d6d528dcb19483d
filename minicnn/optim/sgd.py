"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

from minicnn import kernels
from minicnn.optim import fused
from minicnn.optim.optimizer import Optimizer, plain_number


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    g = gradient + weight_decay · p
    b = momentum · b + (1 − dampening) · g, and b = g in the first step
    p = p − lr · b, or p − lr · (g + momentum · b) where `nesterov`

    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013; as in
    PyTorch, the learning rate is not part of b.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        momentum: what b keeps in a step.
        dampening: what b leaves of the gradient.
        weight_decay: the factor of the L2 penalty.
        nesterov: whether to look ahead.
        maximize: whether to ascend.
        foreach, fused: make no difference: a step always covers all parameters in one pass over memory.
        differentiable: True is refused.

    Raises:
        ValueError: for a negative number, or `nesterov` without momentum or with dampening.
        TypeError: for a Tensor in place of a number, or `differentiable`.
        RuntimeError: for both `foreach` and `fused`.
    """

    _moments = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if plain_number("lr", lr) < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if plain_number("momentum", momentum) < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if plain_number("weight_decay", weight_decay) < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": plain_number("dampening", dampening),
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any]) -> None:
        learned = [parameter for parameter in group["params"] if parameter._grad is not None]
        momentum = float(group["momentum"])
        common = (float(group["weight_decay"]), -1.0 if group["maximize"] else 1.0, -float(group["lr"]))
        if momentum == 0:
            self._fused.run(kernels.optimizers.SGD, [(common, parameter, ()) for parameter in learned])
            return
        first = (*common, 0.0, 1.0, momentum, float(group["nesterov"]))
        later = (*common, momentum, 1 - float(group["dampening"]), momentum, float(group["nesterov"]))
        begun = [parameter for parameter in learned if self.state[parameter].get("momentum_buffer") is None]
        for parameter in begun:  # one that is there twice begins twice, as in PyTorch
            self.state[parameter]["momentum_buffer"] = fused.zeros_like(parameter)
        new = set(begun)
        updates = [
            (first if parameter in new else later, parameter, (self.state[parameter]["momentum_buffer"],))
            for parameter in learned
        ]
        self._fused.run(kernels.optimizers.MOMENTUM, updates)
