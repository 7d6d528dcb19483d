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
    current = Variable._computed(gradient.copy())
    for hook in [*hooks.values()]:
        with no_grad():
            returned = hook(current)
        if returned is None:
            continue
        if not isinstance(returned, Variable):
            raise TypeError(f"expected Variable, but hook returned {type(returned).__name__!r}")
        name = getattr(hook, "__name__", type(hook).__name__)
        if returned._array.shape != gradient.shape:
            raise RuntimeError(
                f"hook {name!r} has changed the size of value, from {gradient.shape} to {returned._array.shape}"
            )
        if returned._array.dtype != gradient.dtype:
            raise RuntimeError(
                f"hook {name!r} has changed the type of value, from {gradient.dtype} to {returned._array.dtype}"
            )
        current = returned
    return current._array.copy()


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

    def show(self, gradients: list) -> None:
        """Let the tensors' hooks see, and replace, the gradients with respect to the outputs."""
        for number, hooks in self.tensors.items():
            if hooks and gradients[number] is not None:
                gradients[number] = shown(hooks, gradients[number])

    def run(self, node: Any, gradients: list, retain_graph: bool) -> tuple:
        """The gradients with respect to the node's arguments, with the hooks before and after its backward."""
        grad_outputs = tuple(map(_tensor, gradients))
        for hook in [*self.before.values()]:
            grad_outputs = _replaced(hook(grad_outputs), grad_outputs)
        results = [*node.run([_array(gradient).copy() for gradient in grad_outputs], retain_graph)]
        if self.after and results:
            places = listed_inputs(node)
            grad_inputs = tuple([_tensor(results[place]) for place in places])
            for hook in [*self.after.values()]:
                grad_inputs = _replaced(hook(grad_inputs, grad_outputs), grad_inputs)
            for place, gradient in zip(places, grad_inputs, strict=True):
                results[place] = _array(gradient)
        return tuple(results)


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
