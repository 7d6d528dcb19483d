"""Adam and AdamW."""

from collections.abc import Iterable
from typing import Any

from minicnn import kernels
from minicnn.optim import fused
from minicnn.optim.optimizer import Optimizer, check_options, number
from minicnn.tensor import Tensor


class Adam(Optimizer):
    """Steps of a size that the gradients' recent mean and mean square decide.

    g = gradient + weight_decay · p
    m = beta1 · m + (1 − beta1) · g
    v = beta2 · v + (1 − beta2) · g²
    p = p − lr · (m / (1 − beta1ᵗ)) / (√(v / (1 − beta2ᵗ)) + eps) in step t = 1, 2, ...

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        betas: beta1 and beta2, both floats.
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        amsgrad: take the largest v so far instead of v: Reddi et al., "On the convergence of Adam and
            beyond", 2018.
        foreach, fused: make no difference: a step always covers all parameters in one pass over memory.
        maximize: whether to ascend.
        capturable, differentiable: True is refused.
        decoupled_weight_decay: shrink p by lr · weight_decay · p instead of adding to the gradient, as
            `AdamW` does.

    Raises:
        ValueError: for a number out of its range, or `betas` that are not two floats.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
        RuntimeError: for both `foreach` and `fused`.
    """

    _moments = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        if not (isinstance(betas[0], float) and isinstance(betas[1], float)):
            raise ValueError(f"betas must be both floats, got {betas}")
        defaults = {
            "lr": lr,
            "betas": (betas[0], betas[1]),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any]) -> None:
        learned = [parameter for parameter in group["params"] if parameter.grad is not None]
        self._fused.run(kernels.optimizers.ADAM, [self._update_of(parameter, group) for parameter in learned])

    def _update_of(self, parameter: Tensor, group: dict[str, Any]) -> tuple:
        """Count a step of `parameter`; its hyperparameters and state as `Fused.run` takes them."""
        state = self.state[parameter]
        if not state:
            state["step"] = number(0.0)
            state["exp_avg"] = fused.zeros_like(parameter)
            state["exp_avg_sq"] = fused.zeros_like(parameter)
        amsgrad = bool(group["amsgrad"])
        if amsgrad and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = fused.zeros_like(parameter)
        state["step"]._array += 1
        step = state["step"].item()
        beta1, beta2 = group["betas"]
        rate, decay = float(group["lr"]), float(group["weight_decay"])
        decoupled = group["decoupled_weight_decay"]
        hyperparameters = (
            0.0 if decoupled else decay,
            -1.0 if group["maximize"] else 1.0,
            -rate / (1 - beta1**step),
            1 - beta1,
            float(1 - beta1 < 0.5),
            float(beta2),
            1 - beta2,
            (1 - beta2**step) ** 0.5,
            float(group["eps"]),
            1 - rate * decay if decoupled else 1.0,
            float(amsgrad),
        )
        moments = self._moments if amsgrad else self._moments[:2]
        return hyperparameters, parameter, tuple([state[moment] for moment in moments])


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself, by lr · weight_decay · p before every step.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. Arguments and errors as for `Adam`.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
