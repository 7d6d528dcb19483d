"""A tensor's place in the graph: what asks for gradients, holds them and leaves the graph."""

import builtins
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

from minicnn.autograd import Variable, backward
from minicnn.autograd.graph import seen
from minicnn.autograd.hooks import RemovableHandle, register
from minicnn.autograd.inplace import replace
from minicnn.autograd.storage import share


class Differentiation(Variable):
    """The methods and properties of Tensor about gradients."""

    __slots__ = ()

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether gradients with respect to this tensor are computed."""
        view = self._view
        if view is not None and view.steps is not None:
            self._catch_up()
        return self._requires_grad or (view is not None and view.root._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        self._catch_up()
        if value:
            self._require_grad()
        elif self._node is not None:
            raise RuntimeError("you can only change requires_grad flags of leaf tensors; use detach()")
        else:
            self._requires_grad = False

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Set `requires_grad`; returns self."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Any:
        """The node that computed this tensor, or None for a leaf."""
        self._catch_up()
        return None if self._node is None else seen(self._node)

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no recorded operation computed this tensor."""
        self._catch_up()
        return self._node is None

    @property
    def output_nr(self) -> builtins.int:
        """Which of the outputs of `grad_fn` this tensor is."""
        return self._output

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether backward keeps `.grad` of this tensor though it isn't a leaf."""
        return self._node is not None and self._node.retains(self)

    @property
    def grad(self) -> Any:
        """The gradient that backward accumulated, of this tensor's shape and dtype; None where there is none.

        Raises, when assigned to:
            TypeError: for something that is neither a Tensor nor None.
            RuntimeError: for another shape or dtype.
        """
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Variable):
                raise TypeError(f"grad must be a Tensor or None, got {type(value).__name__}")
            if value._array.shape != self._array.shape or value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"grad must be of shape {self._array.shape} and {self._array.dtype}, got "
                    f"{value._array.shape} and {value._array.dtype}"
                )
        self._grad = value

    @property
    def data(self) -> Any:
        """The same memory outside the graph; changes through it go unnoticed by backward.

        Raises, when assigned to:
            TypeError: for something that is no Tensor.
            RuntimeError: for a dtype that can't require gradients where this tensor does.
        """
        result = Variable._computed(self._array)
        share(self, result)
        return result

    @data.setter
    def data(self, value: Variable) -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be of a floating-point dtype, not "
                f"{value._array.dtype}"
            )
        replace(self, value)

    def detach(self) -> Any:
        """The same memory outside the graph."""
        result = self.data
        result._memory = self._memory
        return result

    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Accumulate the gradient of this tensor in every leaf's `.grad`.

        Args:
            gradient: the gradient with respect to this tensor, of its shape; may be left out for a single element.
            retain_graph: keep the graph, so that it can be walked again.
            create_graph: record how, so that the gradients have gradients; the graph is kept then, too.
            inputs: accumulate in these tensors' `.grad` alone.

        Raises:
            RuntimeError: without a graph, on a second walk, without `gradient` for several elements, or
                with one of another shape.
        """
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self) -> None:
        """Keep `.grad` of this tensor too, though it isn't a leaf.

        Raises:
            RuntimeError: where it doesn't require a gradient.
        """
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None:
            self._node.retain(self)

    def detach_(self) -> Self:
        """Leave the graph; returns self.

        Raises:
            RuntimeError: for a view, which stays part of its base.
        """
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node, self._output, self._requires_grad = None, 0, False
        return self

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(gradient)` whenever the gradient with respect to this tensor has been computed.

        What the hook returns, unless None, takes the gradient's place. Hooks are called in the order in which they
        were registered.

        Returns: a handle, whose `remove()` takes the hook away.

        Raises:
            RuntimeError: where this tensor doesn't require a gradient.
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            return register(self._node._own_hooks().of_output(self._output), hook)
        if self._hooks is None:
            self._hooks = OrderedDict()
        return register(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(tensor)` whenever backward has accumulated this leaf's `.grad`.

        Returns: a handle, whose `remove()` takes the hook away.

        Raises:
            RuntimeError: where this tensor isn't a leaf that requires a gradient.
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._hooks_after is None:
            self._hooks_after = OrderedDict()
        return register(self._hooks_after, hook)
