"""Handles of registered hooks, and the pair of identity functions that lets a hook see gradients."""

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from minicnn.autograd import Function, is_grad_enabled
from minicnn.tensor import Tensor


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


class _Watch(Function):
    """The identity, whose backward shows the gradients to `observe` and passes on what that returns."""

    @staticmethod
    def forward(ctx: Any, observe: Callable, *tensors: Tensor) -> tuple:
        ctx.observe = observe
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple:
        return None, *ctx.observe(gradients)


def _watch(values: tuple, observe: Callable) -> tuple[tuple, list[int]]:
    """`values` with its Tensors led through `_Watch`, and their positions; none where nothing is recorded."""
    positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not (is_grad_enabled() and any(values[i].requires_grad for i in positions)):
        return values, []
    watched = list(values)
    for i, tensor in zip(positions, _Watch.apply(observe, *[values[i] for i in positions]), strict=True):
        watched[i] = tensor
    return tuple(watched), positions


def _spread(gradients: Sequence, positions: list[int], size: int) -> tuple:
    """A tuple of `size`, the gradients at their positions and None elsewhere."""
    found = dict(zip(positions, gradients, strict=True))
    return tuple(found.get(i) for i in range(size))


class BackwardHooks:
    """Shows one call of a module's forward, on its way back, to the module's full backward hooks.

    The inputs and the outputs are each led through an identity function. The walk reaches that of the outputs
    first, whose gradients wait until the walk reaches that of the inputs; then the hooks see both.
    Where no input requires a gradient, they see the outputs' alone.
    """

    def __init__(self, module: Any, hooks: Sequence[Callable]) -> None:
        self._module = module
        self._hooks = hooks
        self._grad_output: tuple | None = None

    def watch_inputs(self, arguments: tuple) -> tuple:
        """The arguments to call forward with."""
        self._input_count = len(arguments)
        arguments, self._inputs = _watch(arguments, self._inputs_reached)
        return arguments

    def watch_outputs(self, result: Any) -> Any:
        """The result to give to the caller."""
        results = result if isinstance(result, tuple) else (result,)
        self._output_count = len(results)
        results, self._outputs = _watch(results, self._outputs_reached)
        return results if isinstance(result, tuple) else results[0]

    def _outputs_reached(self, gradients: tuple) -> tuple:
        self._grad_output = _spread(gradients, self._outputs, self._output_count)
        if not self._inputs:
            self._call((None,) * self._input_count)
        return gradients

    def _inputs_reached(self, gradients: tuple) -> tuple:
        if self._grad_output is None:  # the walk came from a tensor inside, around the outputs
            return gradients
        grad_input = self._call(_spread(gradients, self._inputs, self._input_count))
        return tuple(grad_input[i] for i in self._inputs)

    def _call(self, grad_input: tuple) -> tuple:
        for hook in self._hooks:
            replaced = hook(self._module, grad_input, self._grad_output)
            if replaced is None:
                continue
            replaced = replaced if isinstance(replaced, tuple) else (replaced,)
            if len(replaced) != len(grad_input):
                raise RuntimeError(
                    f"a backward hook returned {len(replaced)} gradients for {len(grad_input)} inputs"
                )
            if not self._inputs and any(gradient is not None for gradient in replaced):
                raise RuntimeError(
                    "a backward hook of a module where no input requires a gradient must return None or "
                    "None for every gradient"
                )
            grad_input = replaced
        self._grad_output = None
        return grad_input
