"""L-BFGS."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minicnn.autograd import enable_grad, no_grad
from minicnn.creation import from_numpy
from minicnn.optim.line_search import Trial, strong_wolfe
from minicnn.optim.optimizer import Optimizer, plain_number

LEAST_CURVATURE = 1e-10
"""A change of the gradient that gives less than this, times the step, isn't remembered."""


class LBFGS(Optimizer):
    """The quasi-Newton method with a limited memory of past steps.

    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989. A step is up to
    `max_iter` iterations, so that it has to compute the loss again and again: `step(closure)`.

    Args:
        params: what to learn, in one group.
        lr: the length of a step; with a line search, of the first one tried.
        max_iter: iterations of a step.
        max_eval: evaluations of the loss in a step; None for `max_iter` · 5 // 4.
        tolerance_grad: stop when no gradient is larger.
        tolerance_change: stop when neither the parameters nor the loss change by more.
        history_size: how many steps are remembered.
        line_search_fn: None, or "strong_wolfe".
        maximize: whether to ascend.

    Raises:
        ValueError: for a negative `lr`, or several groups.
        TypeError: for a Tensor in place of a number.
        RuntimeError: by `step`, for another line search.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        maximize: bool = False,
    ) -> None:
        if not plain_number("lr", lr) >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Up to `max_iter` iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, and returns the loss.

        Returns: the loss before the step.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        with no_grad(), np.errstate(all="ignore"):
            return self._step(enable_grad()(closure))

    def _step(self, closure: Callable[[], Any]) -> Any:
        (group,) = self.param_groups
        if not group["params"]:
            return closure()
        sign = -1.0 if group["maximize"] else 1.0
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, gradient = sign * float(first_loss), self._gradient(sign)
        evaluations = 1
        state["func_evals"] += 1
        if _largest(gradient) <= group["tolerance_grad"]:
            return first_loss
        memory = _Memory(state, group["history_size"])
        direction, length, former = memory.direction, memory.length, memory.gradient
        former_loss = state.get("prev_loss")
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = -gradient
                length = min(1.0, 1.0 / float(np.abs(gradient).sum())) * group["lr"]
            else:
                memory.remember(gradient - former, direction * length)
                direction, length = memory.newton_direction(gradient), group["lr"]
            former, former_loss = gradient, loss
            slope = float(gradient @ direction)
            if slope > -group["tolerance_change"]:
                break
            tried, optimal = 0, False
            if group["line_search_fn"] is not None:
                start = Trial(0.0, loss, gradient, slope)
                most = group["max_eval"] - evaluations
                best, tried = self._search(closure, start, direction, length, most)
                loss, gradient, length = best.loss, best.gradient, best.step
                self._move(length, direction)
                optimal = _largest(gradient) <= group["tolerance_grad"]
            else:
                self._move(length, direction)
                if iteration != group["max_iter"]:
                    loss, gradient, tried = sign * float(closure()), self._gradient(sign), 1
                    optimal = _largest(gradient) <= group["tolerance_grad"]
            evaluations += tried
            state["func_evals"] += tried
            if (
                evaluations >= group["max_eval"]
                or optimal
                or _largest(direction * length) <= group["tolerance_change"]
                or abs(loss - former_loss) < group["tolerance_change"]
            ):
                break
        memory.save(state, direction, length, former)
        state["prev_loss"] = former_loss
        return first_loss

    def _search(
        self, closure: Callable[[], Any], start: Trial, direction: np.ndarray, length: float, most: int
    ) -> tuple[Trial, int]:
        (group,) = self.param_groups
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        sign = -1.0 if group["maximize"] else 1.0
        before = [parameter._array.copy() for parameter in group["params"]]

        def evaluate(step: float) -> Trial:
            self._move(step, direction)
            loss, gradient = sign * float(closure()), self._gradient(sign)
            for parameter, values in zip(group["params"], before, strict=True):
                parameter._array[...] = values
                parameter._bump()
            return Trial(step, loss, gradient, float(gradient @ direction))

        return strong_wolfe(evaluate, start, length, _largest(direction), 1e-9, most)

    def _gradient(self, sign: float) -> np.ndarray:
        """All gradients end to end, zeros for parameters without one."""
        parts = [
            (np.zeros_like(parameter._array) if parameter._grad is None else parameter._grad._array).ravel()
            for parameter in self._parameters()
        ]
        return sign * np.concatenate(parts)

    def _move(self, length: float, direction: np.ndarray) -> None:
        start = 0
        for parameter in self._parameters():
            array = parameter._array
            array += length * direction[start : start + array.size].reshape(array.shape)
            parameter._bump()
            start += array.size


class _Memory:
    """Past steps and changes of the gradient, as they lie in the optimizer's state."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.changes = [one._array for one in state.get("old_dirs") or []]
        self.steps = [one._array for one in state.get("old_stps") or []]
        self.inverses = [float(one) for one in state.get("ro") or []]
        self.scale = float(state.get("H_diag") or 1)
        self.direction, self.gradient = [
            np.empty(0) if state.get(name) is None else state[name]._array for name in ("d", "prev_flat_grad")
        ]
        self.length = float(state.get("t") or 0)

    def remember(self, change: np.ndarray, step: np.ndarray) -> None:
        """Take in a step and how the gradient changed by it, unless it curves the wrong way."""
        product = float(change @ step)
        if not product > LEAST_CURVATURE:
            return
        if len(self.changes) == self.size:
            for entries in (self.changes, self.steps, self.inverses):
                entries.pop(0)  # type: ignore[attr-defined]
        self.changes.append(change)
        self.steps.append(step)
        self.inverses.append(1.0 / product)
        self.scale = product / float(change @ change)

    def newton_direction(self, gradient: np.ndarray) -> np.ndarray:
        """−H · gradient with the estimate H of the inverse Hessian: the two loops of the paper."""
        past = list(zip(self.changes, self.steps, self.inverses, strict=True))
        q = -gradient
        weights = []
        for change, step, inverse in reversed(past):
            weight = float(step @ q) * inverse
            weights.append(weight)
            q = q - weight * change
        r = q * self.scale
        for (change, step, inverse), weight in zip(past, reversed(weights), strict=True):
            r = r + (weight - float(change @ r) * inverse) * step
        return r

    def save(self, state: dict[str, Any], direction: np.ndarray, length: float, former: np.ndarray) -> None:
        """Write everything into the state under PyTorch's names."""
        state["d"], state["prev_flat_grad"] = from_numpy(direction), from_numpy(former)
        state["t"], state["H_diag"] = length, self.scale
        state["old_dirs"] = [from_numpy(change) for change in self.changes]
        state["old_stps"] = [from_numpy(step) for step in self.steps]
        state["ro"] = [from_numpy(np.array(inverse, former.dtype)) for inverse in self.inverses]


def _largest(x: np.ndarray) -> float:
    return float(np.abs(x).max())
