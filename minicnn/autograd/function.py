"""`Function`: a differentiable operation of one's own, on Tensors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd.graph import FREED, Node
from minicnn.autograd.mode import grad_mode, no_grad
from minicnn.autograd.operator import Operator
from minicnn.autograd.storage import share
from minicnn.autograd.variable import Variable, View, owner


class FunctionContext:
    """What the forward of a `Function` leaves for its backward, with torch's ways of saving.

    Attributes:
        needs_input_grad: for every argument of the forward, whether its gradient will be asked for.
    """

    saved: tuple | None = ()
    without_gradient: tuple = ()
    dirty: tuple = ()
    materialize: bool = True

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for the backward; read them there as `ctx.saved_tensors`.

        Raises:
            TypeError: for anything else; set that as an attribute of `ctx`.
        """
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Variable):
                raise TypeError(
                    f"save_for_backward can only save Tensors, but argument {position} is of type "
                    f"{type(tensor).__name__}"
                )
        self.saved = tensors

    @property
    def saved_tensors(self) -> tuple:
        """What `save_for_backward` kept.

        Raises:
            RuntimeError: after a walk freed it.
        """
        if self.saved is None:
            raise RuntimeError(FREED)
        return self.saved

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say in `forward` which of its results carry no gradient; integer ones never do."""
        self.without_gradient = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say in `forward` which of its arguments it changed in place; it returns them."""
        self.dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros, not None, for results that no gradient arrives for; it does at first."""
        self.materialize = value


class FunctionNode(Node):
    """A `Function` in the graph; its context is apart, since programs may set any attribute there.

    Attributes:
        context: a `FunctionContext`.
        tensor_arguments, tensor_results: which arguments and results are Tensors.
        results: how many there are.
    """

    def __init__(self, operator: Any, edges: Sequence, context: FunctionContext, arguments: tuple, results: list):
        super().__init__(operator, edges)
        self.context = context
        self.tensor_arguments = _positions_of_tensors(arguments)
        self.tensor_results = _positions_of_tensors(results)
        self.results = len(results)
        tensors = [result for result in results if isinstance(result, Variable)]
        self.saved_results = {  # position among what was saved → number of the output that it is
            position: number
            for position, saved in enumerate(context.saved or ())
            for number, result in enumerate(tensors)
            if saved is not None and saved._array is result._array
        }

    def placed(self, ctx: Any) -> tuple:
        """What was saved, results in their places of the graph."""
        return tuple(
            [
                ctx.result(self.saved_results[position], saved._array) if position in self.saved_results else saved
                for position, saved in enumerate(ctx.saved)
            ]
        )

    def name(self) -> str:
        """The function's name with "Backward" behind it."""
        return f"{self.operator.__name__}Backward"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "context" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.context, name)  # in PyTorch the node is the context

    @property
    def fills_gradients(self) -> bool:  # type: ignore[override]
        """Whether backward gets zeros for outputs that no gradient arrived for."""
        return self.context.materialize

    @property
    def saved(self) -> tuple | None:  # type: ignore[override]
        """What `save_for_backward` kept; None after a walk freed it."""
        return self.context.saved

    @saved.setter
    def saved(self, value: tuple | None) -> None:
        self.context.saved = value


class Function(Operator):
    """Base of a differentiable operation of one's own, shaped like `torch.autograd.Function`. For instance::

        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 2 * x * grad_output

        y = Square.apply(x)

    Both methods receive and return Tensors; `backward` returns one gradient, or None, for each argument of
    `forward`. Nothing inside them is recorded. Instead of taking `ctx`, `forward` may leave it to a static
    method `setup_context(ctx, inputs, output)`. Results that are no Tensors are handed on, and `backward`
    gets None for them.
    """

    setup_context: Any = None
    differentiable_outputs = None

    def __call__(self, *arguments: Any) -> Any:
        """Refused: a Function isn't made, its `apply` is called.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Make forward and backward static "
            f"methods that take ctx first, and call {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Run `forward` and record it where a Tensor among `arguments` requires a gradient.

        Raises:
            TypeError: where `forward` returns a list; several results are a tuple.
        """
        for argument in arguments:
            if isinstance(argument, Variable):
                argument._catch_up()
        needs = tuple([isinstance(a, Variable) and a._requires_grad for a in arguments])
        ctx = FunctionContext(needs)
        with no_grad():
            if cls.setup_context is None:
                returned = cls.forward(ctx, *arguments)  # type: ignore[arg-type]
            else:
                returned = cls.forward(*arguments)
                cls.setup_context(ctx, arguments, returned)
        if isinstance(returned, list):
            raise TypeError(f"{cls.__name__}.forward must return a Tensor or a tuple, got a list")
        results = returned if isinstance(returned, tuple) else (returned,)
        _check_dirty(ctx, results, arguments)
        outputs = [
            _fresh(result, arguments) if isinstance(result, Variable) and not _is_one_of(result, ctx.dirty) else result
            for result in results
        ]
        if grad_mode.enabled and True in needs:
            cls._record(ctx, arguments, results, outputs)
        return tuple(outputs) if isinstance(returned, tuple) else outputs[0]

    @classmethod
    def _record(cls, ctx: FunctionContext, arguments: tuple, results: tuple, outputs: list) -> None:
        edges = [
            (argument._node or argument, argument._output) if needed else None
            for argument, needed in zip(arguments, ctx.needs_input_grad, strict=True)
        ]
        node = FunctionNode(cls, edges, ctx, arguments, outputs)
        node.watch([tensor for tensor in ctx.saved or () if tensor is not None])
        node.join([outputs[i] for i in node.tensor_results])
        for i in node.tensor_results:
            if outputs[i]._array.dtype.kind != "f" or _is_one_of(results[i], ctx.without_gradient):
                outputs[i]._node, outputs[i]._output, outputs[i]._requires_grad = None, 0, False

    @classmethod
    def pull_back(cls, node: Any, gradients: list) -> tuple:
        """Gradients with respect to the arguments, given those with respect to the outputs; `backward` sees them as
        Tensors.

        Raises:
            RuntimeError: where `backward` returns too many or too few gradients.
            TypeError: where it returns something that is no Tensor.
        """
        grad_outputs: list = [None] * node.results
        for position, gradient in zip(node.tensor_results, gradients, strict=True):
            grad_outputs[position] = None if gradient is None else Variable._computed(gradient)
        with no_grad():
            returned = cls.backward(node.context, *grad_outputs)
        # the function may still hold the tensors
        return tuple([None if one is None else one._array.copy() for one in cls._checked(node, returned)])

    @classmethod
    def _checked(cls, node: FunctionNode, returned: Any) -> tuple:
        """What `backward` returned, one gradient for each argument."""
        results = returned if isinstance(returned, tuple) else (returned,)
        expected = len(node.edges)
        while len(results) > expected and results[-1] is None:
            results = results[:-1]
        if len(results) != expected:
            raise RuntimeError(
                f"{cls.__name__}.backward returned an incorrect number of gradients (expected {expected}, "
                f"one for each argument of forward, got {len(results)})"
            )
        return tuple([cls._gradient(node, position, result) for position, result in enumerate(results)])

    @classmethod
    def backward_recorded(cls, ctx: Any, *grad_outputs: Any) -> tuple:
        """As `pull_back`, on Tensors with graphs of their own."""
        node = ctx.node
        given: list = [None] * node.results
        for position, gradient in zip(node.tensor_results, grad_outputs, strict=True):
            given[position] = gradient
        kept, node.context.saved = node.context.saved, node.placed(ctx)
        try:
            if getattr(cls.backward, "once", False):
                with no_grad():
                    returned = cls.backward(node.context, *given)
                several = returned if isinstance(returned, tuple) else (returned,)
                sources = [gradient for gradient in grad_outputs if gradient is not None]
                returned = tuple([None if one is None else Last.apply(one, *sources) for one in several])
            else:
                returned = cls.backward(node.context, *given)
        finally:
            node.context.saved = kept
        return cls._checked(node, returned)

    @classmethod
    def _gradient(cls, node: FunctionNode, position: int, result: Any) -> Variable | None:
        if result is None:
            return None
        if position not in node.tensor_arguments:
            raise RuntimeError(
                f"{cls.__name__}.backward returned a gradient different than None for argument {position}, "
                "which was no Tensor"
            )
        if not isinstance(result, Variable):
            raise TypeError(
                f"{cls.__name__}.backward must return Tensors or None, gradient {position} is of type "
                f"{type(result).__name__}"
            )
        return result


class InplaceFunction(Function):
    """Base of old functions that may work in place.

    Args:
        inplace: whether this one does.
    """

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


class Last(Operator):
    """A gradient that has none of its own: what a `backward` marked `once_differentiable` returns."""

    @staticmethod
    def forward(ctx: Any, gradient: np.ndarray, *sources: np.ndarray) -> np.ndarray:
        return gradient.copy()

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    backward_recorded = backward


def once_differentiable(function: Callable) -> Callable:
    """Marks a `backward` that can't be differentiated: a walk through its results, with `create_graph`, raises."""
    function.once = True  # type: ignore[attr-defined]
    return function


FunctionCtx = FunctionContext


def _is_one_of(tensor: Any, tensors: tuple) -> bool:
    return any(tensor is one for one in tensors)


def _check_dirty(ctx: FunctionContext, results: tuple, arguments: tuple) -> None:
    """Raise RuntimeError where an argument that was changed in place can't take the place in the graph of a result."""
    for tensor in ctx.dirty:
        if not _is_one_of(tensor, results):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function."
            )
        if not (grad_mode.enabled and True in ctx.needs_input_grad):
            continue
        if tensor._requires_grad and tensor._node is None:
            raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
        if tensor._view is not None:
            raise RuntimeError("a Function can't mark a view as dirty; clone() it, or change its base")


def _positions_of_tensors(values: Sequence) -> tuple[int, ...]:
    return tuple([i for i, value in enumerate(values) if isinstance(value, Variable)])


def _fresh(result: Variable, arguments: tuple) -> Variable:
    """A Tensor of `result`'s values: recording must leave those tensors alone that the user holds."""
    output = Variable._computed(result._array)
    output._memory = result._memory
    share(result, output)
    for argument in arguments:
        if isinstance(argument, Variable) and owner(argument._array) is owner(result._array):
            root = argument if argument._view is None else argument._view.root
            output._view = View(root, None, root._node)
    return output
