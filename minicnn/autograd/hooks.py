"""Hooks of tensors and nodes: functions of a program's own that see gradients on their way and may replace them."""

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd.mode import no_grad
from minicnn.autograd.names import listed_inputs
from minicnn.autograd.variable import Variable


class RemovableHandle:
    """What registering a hook returns: `remove()`, or the end of a `with` block, takes the hook away again.

    Attributes:
        id: the hook's key among its siblings; unique in the process.
    """

    _numbers = itertools.count()

    def __init__(self, hooks: OrderedDict) -> None:
        self.id = next(RemovableHandle._numbers)
        self._hooks = weakref.ref(hooks)

    def remove(self) -> None:
        """Take the hook away; once gone, nothing happens."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def register(hooks: OrderedDict, entry: Any, prepend: bool = False) -> RemovableHandle:
    """Put `entry` after all the hooks, or before them, and return its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = entry
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def shown(hooks: OrderedDict, gradient: np.ndarray) -> np.ndarray:
    """The gradient that goes on after a tensor's hooks, each of which sees it and may return another.

    They see a copy, which they may keep or change.

    Raises:
        TypeError: where a hook returns something that is no Tensor.
        RuntimeError: where it returns a gradient of another shape or dtype.
    """
    with no_grad():
        return seen_by(hooks, Variable._computed(gradient.copy()))._array.copy()


def seen_by(hooks: OrderedDict, gradient: Variable) -> Variable:
    """As `shown`, for a gradient that is a Tensor, which the hooks see itself."""
    current = gradient
    for hook in [*hooks.values()]:
        returned = hook(current)
        if returned is None:
            continue
        if not isinstance(returned, Variable):
            raise TypeError(f"expected Variable, but hook returned {type(returned).__name__!r}")
        name = getattr(hook, "__name__", type(hook).__name__)
        if returned._array.shape != gradient._array.shape:
            raise RuntimeError(
                f"hook {name!r} has changed the size of value, from {gradient._array.shape} to {returned._array.shape}"
            )
        if returned._array.dtype != gradient._array.dtype:
            raise RuntimeError(
                f"hook {name!r} has changed the type of value, from {gradient._array.dtype} to {returned._array.dtype}"
            )
        current = returned
    return current


class NodeHooks:
    """All hooks of one node.

    Attributes:
        tensors: output number → the hooks of the tensor that is this output.
        before: hooks that see the gradients with respect to the outputs before the node's backward.
        after: hooks that see both those and the gradients with respect to the inputs after it.
    """

    def __init__(self) -> None:
        self.tensors: dict[int, OrderedDict] = {}
        self.before: OrderedDict = OrderedDict()
        self.after: OrderedDict = OrderedDict()

    def of_output(self, number: int) -> OrderedDict:
        """The hooks of one output."""
        return self.tensors.setdefault(number, OrderedDict())

    def show(self, gradients: list, by: Callable = shown) -> None:
        """Let the tensors' hooks see, and replace, the gradients with respect to the outputs."""
        for number, hooks in self.tensors.items():
            if hooks and gradients[number] is not None:
                gradients[number] = by(hooks, gradients[number])

    def run(self, node: Any, gradients: list, retain_graph: bool) -> tuple:
        """The gradients with respect to the node's arguments, with the hooks before and after its backward."""

        def run(node: Any, grad_outputs: tuple) -> list:
            arrays = [_array(gradient).copy() for gradient in grad_outputs]
            return [*map(_tensor, node.run(arrays, retain_graph))]

        return tuple([_array(result) for result in self.around(node, [*map(_tensor, gradients)], run)])

    def around(self, node: Any, gradients: list, run: Callable) -> list:
        """What `run(node, gradients)` gives, Tensors from Tensors, with the hooks before and after it."""
        grad_outputs = tuple(gradients)
        for hook in [*self.before.values()]:
            grad_outputs = _replaced(hook(grad_outputs), grad_outputs)
        results = [*run(node, grad_outputs)]
        results += [None] * (len(node.edges) - len(results))  # options have no gradients
        if self.after and results:
            places = listed_inputs(node)
            grad_inputs = tuple([results[place] for place in places])
            for hook in [*self.after.values()]:
                grad_inputs = _replaced(hook(grad_inputs, grad_outputs), grad_inputs)
            for place, gradient in zip(places, grad_inputs, strict=True):
                results[place] = gradient
        return results


def _tensor(array: np.ndarray | None) -> Any:
    return None if array is None else Variable._computed(np.array(array))


def _array(tensor: Any) -> Any:
    return tensor._array if isinstance(tensor, Variable) else tensor


def _replaced(returned: Any, gradients: tuple) -> tuple:
    """What a node's hook returned in place of `gradients`, or these where it returned None."""
    if returned is None:
        return gradients
    several = returned if isinstance(returned, tuple) else (returned,)
    if len(several) != len(gradients):
        raise RuntimeError(f"a hook returned {len(several)} gradients in place of {len(gradients)}")
    return several


def check_callable(hook: Callable) -> None:
    """Raise TypeError for a hook that can't be called."""
    if not callable(hook):
        raise TypeError(f"a hook must be callable, got {type(hook).__name__}")
