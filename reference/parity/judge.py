"""`Judge` holds minicnn to PyTorch's answers; see `reference.parity` for the questions and the unit."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from minicnn.testing.bounds import C, scaled_error
from minicnn.testing.layers import ask_layer, layer_magnitude, running_magnitudes
from reference.parity.networks import Batch, leaves
from reference.parity.report import Row
from reference.parity.tape import LOSS, Call, replay

FORWARD = ("input", "output")
"""The errors of a row that come about before any gradient."""
PIECE = 2**17
"""How many numbers are compared at a time: as many as stay in a cache."""
DEVIATIONS = 6
"""By how many standard deviations the share of numbers that a dropout forgets may be off."""


@dataclass
class Running:
    """A batch normalization in float64 that sees what minicnn's sees.

    Attributes:
        layer: the PyTorch module.
        size, magnitude: A and M of the running mean and variance, (2, C).
    """

    layer: Any
    size: np.ndarray
    magnitude: np.ndarray

    def follow(self, x: np.ndarray) -> None:
        """Take the rounding of another batch into account, one that `layer` has seen already."""
        share = self.layer.momentum
        if share is None:
            share = 1 / self.layer.num_batches_tracked.item()
        self.size = (1 - share) * self.size + share * running_magnitudes(x)
        self.magnitude = (1 - share) * self.magnitude + self.size


class Judge:
    """Compares, and remembers the worst.

    Args:
        theirs: the PyTorch network; its parameters follow minicnn's.
        dtype: of both networks, float32 or float64.

    Attributes:
        rows: every call of a layer, by the layer's name and the call's number.
        allowed: how large an error may be, in units of the scaled bound.
        diverged: the first disagreement, or None.
    """

    def __init__(self, theirs: Any, dtype: Any) -> None:
        self.rows: dict[tuple[str, int], Row] = {}
        self.diverged: tuple[Row, str] | None = None
        self._theirs = theirs
        self._dtype = np.dtype(dtype)
        self.allowed = C if self._dtype == np.float32 else 2 * C
        self._layers = {**dict(leaves(theirs)), LOSS: torch.nn.CrossEntropyLoss()}
        self._running: dict[str, Running] = {}
        for name, layer in self._layers.items():
            if getattr(layer, "running_mean", None) is not None:
                statistics = torch.stack([layer.running_mean, layer.running_var]).double().abs().numpy()
                self._running[name] = Running(copy.deepcopy(layer).double(), statistics, np.zeros_like(statistics))

    def between_layers(self, calls: list[Call], batch: Batch) -> None:
        """Compare what arrives at each layer, forwards and backwards."""
        for call in calls:
            name = call.layer if call.number == 1 else f"{call.layer} ({call.number})"
            kind = type(self._layers[call.layer]).__name__
            self.rows.setdefault((call.layer, call.number), Row(name, kind, call.y.shape))

        def compare(call: Call, what: str, actual: np.ndarray, exact: np.ndarray) -> None:
            self._note(self._row(call), what, actual, exact, np.abs(exact))

        replay(self._theirs, calls, batch, compare)

    def layers(self, calls: list[Call], ours: Any) -> None:
        """Compare what each layer answers, and the gradients by its parameters, which its calls add up."""
        sums: dict[str, list[np.ndarray]] = {}
        for call in calls:
            layer, row = self._layers[call.layer], self._row(call)
            rest = (dropped(call, layer.p),) if isinstance(layer, torch.nn.Dropout) else call.rest
            questions = call.x, call.grad_output, *rest
            exact = self._exact(call.layer, questions)
            answers = [exact, layer_magnitude(layer, exact, *questions)]
            if self._dtype != np.float64:
                answers.append(ask_layer(layer, *questions, dtype=self._dtype.type))
            self._note(row, "output", call.y, *(answer.value for answer in answers))
            self._note(row, "gradient by input", call.grad_input, *(answer.gradients[0] for answer in answers))
            for position, (short, _) in enumerate(layer.named_parameters(), start=1):
                name = f"{call.layer}.{short}".removeprefix(".")
                found = [answer.gradients[position] for answer in answers]
                sums[name] = [a + b for a, b in zip(sums[name], found, strict=True)] if name in sums else found
        parameters = dict(ours.named_parameters())
        for name, gradients in sums.items():
            grad = parameters[name].grad
            gradient = np.zeros_like(gradients[0]) if grad is None else grad.numpy()
            row, short = self._owner(name)
            self._note(row, f"gradient by {short}", gradient, *gradients)

    def running_statistics(self, ours: Any) -> None:
        """Compare the running statistics after all batches so far: the error of the last counts."""
        buffers = dict(ours.named_buffers())
        for name, running in self._running.items():
            row, single = self.rows[name, 1], self._layers[name]
            for short, magnitude in zip(("running_mean", "running_var"), running.magnitude, strict=True):
                row.errors.pop(short, None)
                row.pytorch.pop(short, None)
                answers = [getattr(running.layer, short).numpy(), magnitude]
                if self._dtype != np.float64:
                    answers.append(getattr(single, short).numpy())
                self._note(row, short, buffers[f"{name}.{short}"].numpy(), *answers)
            counted = buffers[f"{name}.num_batches_tracked"].item() == running.layer.num_batches_tracked.item()
            row.errors["num_batches_tracked"] = 0.0 if counted else math.inf

    def update(self, ours: Any, lr: float) -> None:
        """Compare the parameters after a step of SGD with minicnn's gradients; PyTorch's become minicnn's."""
        twins = dict(self._theirs.named_parameters())
        for name, parameter in ours.named_parameters():
            if parameter.grad is None:
                continue
            twin, gradient, after = twins[name], parameter.grad.numpy(), parameter.detach().numpy()
            magnitude = np.abs(twin.detach().double().numpy()) + lr * np.abs(gradient.astype(np.float64))
            answers = [step(twin, gradient, lr, torch.float64), magnitude]
            if self._dtype != np.float64:
                answers.append(step(twin, gradient, lr, twin.dtype))
            row, short = self._owner(name)
            self._note(row, f"update of {short}", after, *answers)
            with torch.no_grad():
                twin.copy_(torch.from_numpy(after))

    def conclude(self) -> None:
        """After a step: was there a disagreement, and where first, in the order of the computation?"""
        rows = list(self.rows.values())
        order = [(row, what) for row in rows for what in FORWARD]
        order += [(row, what) for row in reversed(rows) for what in row.errors if what.startswith("gradient")]
        order += [(row, what) for row in rows for what in row.errors]
        wrong = ((row, what) for row, what in order if row.errors[what] > self.allowed)
        self.diverged = self.diverged or next(wrong, None)

    def _exact(self, name: str, questions: tuple) -> Any:
        running = self._running.get(name)
        if running is None:
            return ask_layer(self._layers[name], *questions)
        running.layer.load_state_dict(dict(self._layers[name].named_parameters()), strict=False)
        answer = ask_layer(running.layer, *questions)
        running.follow(questions[0])
        return answer

    def _row(self, call: Call) -> Row:
        return self.rows[call.layer, call.number]

    def _owner(self, parameter: str) -> tuple[Row, str]:
        """The row of a parameter's layer, and what the layer calls it."""
        layer, _, short = parameter.rpartition(".")
        return self.rows[layer, 1], short

    def _note(
        self, row: Row, what: str, actual: Any, exact: Any, magnitude: Any, single: np.ndarray | None = None
    ) -> None:
        for errors, value in ((row.errors, actual), (row.pytorch, single)):
            if value is not None:
                errors[what] = max(errors.get(what, 0.0), worst_error(value, exact, magnitude, self._dtype))


def worst_error(actual: Any, exact: Any, magnitude: Any, dtype: Any) -> float:
    """`scaled_error`, infinite for arrays of different shapes, and with large arrays a piece at a time."""
    if np.shape(actual) != np.shape(exact):
        return math.inf
    if np.ndim(actual) == 0 or np.size(actual) <= PIECE:
        return scaled_error(actual, exact, magnitude, dtype)
    rows = max(1, PIECE * len(actual) // np.size(actual))
    pieces = (slice(start, start + rows) for start in range(0, len(actual), rows))
    return max(scaled_error(actual[piece], exact[piece], magnitude[piece], dtype) for piece in pieces)


def dropped(call: Call, p: float) -> np.ndarray:
    """The factors that a dropout drew, 0 or 1 / (1 − p), seen in what it let through; NaN where it drew too many 0s.

    Where a number and its gradient are both 0 the factor doesn't matter.
    """
    kept = (call.y != 0) | (call.grad_input != 0)
    seen = call.x != 0
    count, deviation = seen.sum(), math.sqrt(seen.sum() * p * (1 - p))
    if abs(kept[seen].sum() - count * (1 - p)) > DEVIATIONS * deviation:
        return np.full(kept.shape, np.nan)
    return kept / (1 - p) if p < 1 else np.zeros(kept.shape)


def step(parameter: Any, gradient: np.ndarray, lr: float, dtype: Any) -> np.ndarray:
    """A parameter after a step of PyTorch's SGD in `dtype`."""
    after = parameter.detach().clone().to(dtype).requires_grad_()
    after.grad = torch.from_numpy(np.array(gradient)).to(dtype)
    torch.optim.SGD([after], lr=lr).step()
    return after.detach().numpy()
