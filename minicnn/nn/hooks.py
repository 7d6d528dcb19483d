"""The pair of identity functions that lets a module's hook see gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Function, is_grad_enabled
from minicnn.tensor import Tensor, computed


class _Watch(Function):
    """The identity, whose backward shows the gradients to `observe` and passes on what that returns."""

    @staticmethod
    def forward(ctx: Any, observe: Callable, *tensors: Tensor) -> tuple:
        ctx.observe = observe
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple:
        return None, *ctx.observe(gradients)


class _Watched:
    """Some of a call's arguments or results: those Tensors of which gradients will come by.

    Args:
        values: the arguments or results.
        observe: is shown their gradients, one for each position in `positions`, and returns the gradients to
            go on with.

    Attributes:
        values: the same, but led through `_Watch`.
        positions: which of them are watched; none where nothing is being recorded.
    """

    def __init__(self, values: tuple, observe: Callable) -> None:
        wanted = [isinstance(v, Tensor) and v.requires_grad and is_grad_enabled() for v in values]
        self.positions = [i for i, needed in enumerate(wanted) if needed]
        self._blank = [
            computed(np.zeros_like(v._array)) if self.positions and isinstance(v, Tensor) else None for v in values
        ]
        found = list(values)
        if self.positions:
            tensors = _Watch.apply(observe, *[values[i] for i in self.positions])
            for i, tensor in zip(self.positions, tensors, strict=True):
                found[i] = tensor
        self.values = tuple(found)

    def aligned(self, gradients: Sequence) -> tuple:
        """The gradients at their positions, zeros for other Tensors and None for anything else."""
        result = list(self._blank)
        for i, gradient in zip(self.positions, gradients, strict=True):
            result[i] = gradient
        return tuple(result)


class BackwardHooks:
    """Shows one call of a module's forward, on its way back, to the module's full backward hooks and pre-hooks.

    The inputs and the outputs are each led through an identity function. The walk reaches that of the outputs
    first, whose gradients wait until the walk reaches that of the inputs; then the hooks see both.
    Where no input requires a gradient, they see the outputs' alone.
    """

    def __init__(self, module: Any, hooks: Sequence[Callable], pre_hooks: Sequence[Callable] = ()) -> None:
        self._module = module
        self._hooks = hooks
        self._pre_hooks = pre_hooks
        self._grad_output: tuple | None = None

    def watch_inputs(self, arguments: tuple) -> tuple:
        """The arguments to call forward with."""
        self._inputs = _Watched(arguments, self._inputs_reached)
        return self._inputs.values

    def watch_outputs(self, result: Any) -> Any:
        """The result to give to the caller."""
        several = isinstance(result, tuple)
        self._outputs = _Watched(result if several else (result,), self._outputs_reached)
        return self._outputs.values if several else self._outputs.values[0]

    def _outputs_reached(self, gradients: tuple) -> tuple:
        found = self._outputs.aligned(gradients)
        for hook in self._pre_hooks:
            replaced = hook(self._module, found)
            if replaced is None:
                continue
            replaced = replaced if isinstance(replaced, tuple) else (replaced,)
            if len(replaced) != len(found):
                raise RuntimeError(f"a backward pre-hook returned {len(replaced)} gradients for {len(found)} outputs")
            found = replaced
        gradients = tuple(found[i] for i in self._outputs.positions)
        self._grad_output = found
        if not self._inputs.positions:
            self._call(self._inputs.aligned(()))
        return gradients

    def _inputs_reached(self, gradients: tuple) -> tuple:
        if self._grad_output is None:  # the walk came from a tensor inside, around the outputs
            return gradients
        grad_input = self._call(self._inputs.aligned(gradients))
        return tuple(grad_input[i] for i in self._inputs.positions)

    def _call(self, grad_input: tuple) -> tuple:
        for hook in self._hooks:
            replaced = hook(self._module, grad_input, self._grad_output)
            if replaced is None:
                continue
            replaced = replaced if isinstance(replaced, tuple) else (replaced,)
            if len(replaced) != len(grad_input):
                raise RuntimeError(f"a backward hook returned {len(replaced)} gradients for {len(grad_input)} inputs")
            if not self._inputs.positions and any(gradient is not None for gradient in replaced):
                raise RuntimeError(
                    "a backward hook of a module where no input requires a gradient must return None or "
                    "None for every gradient"
                )
            grad_input = replaced
        self._grad_output = None
        return grad_input
