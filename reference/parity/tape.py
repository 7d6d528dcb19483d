"""What every layer of a minicnn network was asked and answered, and a PyTorch network that answers the same."""

import contextlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

import minicnn
from minicnn.autograd import Function
from reference.parity.networks import Batch, leaves

LOSS = "loss"
"""What the cross entropy behind the network is called."""


@dataclass(eq=False)
class Call:
    """One call of a layer.

    Attributes:
        layer: its name.
        number: 1 for the layer's first call, 2 for its second.
        x, y: its input and its output.
        rest: its further arguments.
        grad_output, grad_input: the gradients by y and by x, zeros where none came by.
    """

    layer: str
    number: int
    x: np.ndarray
    rest: tuple[np.ndarray, ...]
    y: Any = None
    grad_output: Any = None
    grad_input: Any = None


class _Watched(Function):
    """A copy of a tensor, whose gradient is shown to `note` on its way back."""

    @staticmethod
    def forward(ctx: Any, tensor: Any, note: Callable) -> Any:
        ctx.note = note
        return tensor.clone()  # no view, because the layer may work in place

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> tuple:
        ctx.note(gradient.numpy().copy())
        return gradient, None


def record(ours: Any, batch: Batch) -> list[Call]:
    """Run a batch through a minicnn network and cross entropy, and back; returns all calls of layers, in order."""
    calls: list[Call] = []
    numbers: Counter[str] = Counter()

    def before(name: str, module: Any, arguments: tuple) -> tuple:
        x, *rest = arguments
        numbers[name] += 1
        call = Call(name, numbers[name], x.detach().numpy().copy(), tuple(tensor.numpy() for tensor in rest))
        calls.append(call)
        return _Watched.apply(x, partial(setattr, call, "grad_input")), *rest

    def after(module: Any, arguments: tuple, result: Any) -> Any:
        call = calls[-1]  # layers don't call each other
        call.y = result.detach().numpy()
        return _Watched.apply(result, partial(setattr, call, "grad_output"))

    criterion = minicnn.nn.CrossEntropyLoss()
    images, labels = batch
    with contextlib.ExitStack() as hooks:
        for name, module in (*leaves(ours), (LOSS, criterion)):
            hooks.enter_context(module.register_forward_pre_hook(partial(before, name)))
            hooks.enter_context(module.register_forward_hook(after))
        criterion(ours(minicnn.tensor(images).requires_grad_()), minicnn.tensor(labels)).backward()
    for call in calls:
        call.grad_output = np.zeros_like(call.y) if call.grad_output is None else call.grad_output
        call.grad_input = np.zeros_like(call.x) if call.grad_input is None else call.grad_input
    return calls


class _Replayed(torch.autograd.Function):
    """A layer that answers what was recorded, and shows what arrives there to `compare`."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, call: Call, compare: Callable) -> torch.Tensor:
        ctx.call, ctx.compare = call, compare
        compare(call, "input", call.x, x.detach().numpy())
        return torch.from_numpy(call.y.astype(np.float64))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        ctx.compare(ctx.call, "gradient by output", ctx.call.grad_output, gradient.numpy())
        return torch.from_numpy(ctx.call.grad_input.astype(np.float64)), None, None


def replay(theirs: Any, calls: list[Call], batch: Batch, compare: Callable) -> None:
    """Run a PyTorch network's own `forward` in float64, and back, with layers that answer as minicnn's did.

    Args:
        theirs: the network.
        calls: what `record` gave.
        batch: what it was given.
        compare: is called with a call, "input" or "gradient by output", what minicnn had there, and what the twin has.

    Raises:
        ValueError: where a layer is called more or less often than it was in minicnn.
    """
    waiting = deque(calls)

    def answer(name: str, x: Any, *rest: Any) -> Any:
        call = next((call for call in waiting if call.layer == name), None)
        if call is None:
            raise ValueError(f"PyTorch calls {name} more often than minicnn does")
        waiting.remove(call)
        return _Replayed.apply(x, call, compare)

    criterion = torch.nn.CrossEntropyLoss()
    images, labels = (torch.from_numpy(array) for array in batch)
    layers = (*leaves(theirs), (LOSS, criterion))
    try:
        for name, module in layers:
            module.forward = partial(answer, name)
        criterion(theirs(images.double().requires_grad_()), labels).backward()
    finally:
        for _, module in layers:
            module.__dict__.pop("forward", None)
    if waiting:
        raise ValueError(f"PyTorch calls {waiting[0].layer} less often than minicnn does")
