"""`Operator`: a differentiable operation, and what it records while a program computes.

Every differentiable operation is a pair of static methods, `forward(ctx, ...)` and
`backward(ctx, grad_output)`. `apply` runs the forward and, where an input asks for a gradient, leaves a
`Node` behind that remembers the pair, its context and where each gradient goes next.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd.graph import Node
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.variable import Variable, View, owner


class Context:
    """What a forward leaves for its backward.

    Attributes:
        saved: the arrays whose values the backward reads. They are kept until the walk has passed, and the
            walk refuses to go on where one of them shows an argument or a result that was changed in place
            since. Anything small may be set as an attribute instead.
        needs_input_grad: for every argument of the forward, whether its gradient will be asked for.
        out: where the forward may write its result at once, because the first argument is being changed in
            place; None otherwise. An operation may ignore it, and must where it saves its first argument.
    """

    saved: tuple | None = ()
    out: np.ndarray | None = None

    def __init__(self, needs_input_grad: Sequence[bool]) -> None:
        self.needs_input_grad = needs_input_grad

    def read(self) -> tuple:
        """What was saved.

        Raises:
            RuntimeError: after a walk freed it.
        """
        if self.saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: the values it needs were freed by the "
                "first walk. Pass retain_graph=True to the first backward to keep them."
            )
        return self.saved


class Former(Variable):
    """A tensor that is being changed in place, as it was before.

    It stands for the tensor while the new values are computed. What is saved of it is copied, since its
    memory is about to be overwritten.
    """

    __slots__ = ()

    def __init__(self, tensor: Variable) -> None:
        self._array, self._memory, self._view = tensor._array, tensor._memory, tensor._view
        self._node, self._output, self._requires_grad = tensor._node, tensor._output, tensor._requires_grad
        self._grad = None


class Operator:
    """A differentiable operation on arrays; `minicnn`'s own operations derive from it.

    A subclass defines `forward(ctx, *arguments) -> ndarray or tuple` and `backward(ctx, *grad_outputs)`,
    which returns one gradient, or None, for each argument. Arguments that are Tensors arrive as their
    arrays. A gradient may come back in the shape that its argument was broadcast to and in another
    floating-point dtype: the walk sums and converts it.
    """

    differentiable_outputs: int | None = 1
    """How many outputs, counted from the first, carry a gradient; None for all."""
    shares_memory = False
    """Whether the output may be a view of the first argument."""

    @staticmethod
    def forward(ctx: Context, *arguments: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def pull_back(cls, ctx: Any, gradients: list) -> tuple:
        """Gradients by the arguments, given those by the outputs."""
        if ctx.saved is None:
            ctx.read()
        results = cls.backward(ctx, *gradients)
        return results if type(results) is tuple else (results,)

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Run the forward on `arguments` and record it where one of them requires a gradient."""
        recording = grad_mode.enabled
        arrays, needs = [], []
        for argument in arguments:
            if isinstance(argument, Variable):
                if argument._view is not None:
                    argument._catch_up()
                arrays.append(argument._array)
                needs.append(recording and argument._requires_grad)
            else:
                arrays.append(argument)
                needs.append(False)
        ctx = Context(needs)
        first = arguments[0]
        if type(first) is Former:
            ctx.out = arrays[0]
        results = cls.forward(ctx, *arrays)
        several = type(results) is tuple
        outputs = [Variable.result_class(array) for array in results] if several else [Variable.result_class(results)]
        if ctx.out is not None and outputs[0]._array is ctx.out:
            outputs[0]._memory = first._memory
        elif cls.shares_memory and isinstance(first, Variable):
            cls._link_view(outputs[0], arguments)
        if True in needs:
            cls.record(ctx, arguments, outputs)
        return tuple(outputs) if several else outputs[0]

    @classmethod
    def _link_view(cls, output: Variable, arguments: tuple) -> None:
        """Where `output` shows the memory of the first argument, remember that, and how."""
        source, *rest = arguments
        if owner(output._array) is not owner(source._array):
            return
        output._memory = source._memory
        above = source._view
        root = source if above is None else above.root
        if grad_mode.enabled and (above is None or above.steps is not None):
            steps = (*(above.steps if above is not None else ()), (cls, tuple(rest)))
            output._view = View(root, steps, root._node)
        else:
            output._view = View(root, None, None)

    @classmethod
    def record(cls, ctx: Any, arguments: Sequence, outputs: list) -> None:
        """Leave the node that will carry gradients from `outputs` back to `arguments`."""
        edges: list[tuple[Any, int] | None] = []
        for position, argument in enumerate(arguments):
            needed = ctx.needs_input_grad[position]
            edges.append((argument._node or argument, argument._output) if needed else None)
        watched = cls._watch(ctx, arguments, outputs) if ctx.saved else ()
        outputs = outputs[: cls.differentiable_outputs]
        node = Node(cls, ctx, edges, [(o._array.shape, o._array.dtype) for o in outputs], watched)
        for number, output in enumerate(outputs):
            output._node, output._output, output._requires_grad = node, number, True

    @staticmethod
    def _watch(ctx: Any, arguments: Sequence, outputs: list) -> list:
        """The counters of every memory that may show among what is saved: see `Node.watched`."""
        watched, former = [], False
        for tensor in (*outputs, *arguments):
            if isinstance(tensor, Variable):
                former = former or type(tensor) is Former
                array, memory = tensor._array, tensor._memory
                base = array.base
                # a result written in place counts as changed once more when that is done
                count = memory[0] + 1 if array is ctx.out else memory[0]
                watched.append((memory, count, id(base if type(base) is np.ndarray else array)))  # as `owner`
        if former:
            tensors = [tensor for tensor in (*outputs, *arguments) if isinstance(tensor, Variable)]
            ctx.saved = tuple([_apart(array, tensors) for array in ctx.saved])
        return watched


def _apart(array: Any, tensors: list[Variable]) -> Any:
    """What is to be saved of a forward with these arguments and results: a copy where it shows a former value."""
    if isinstance(array, np.ndarray):
        for tensor in tensors:
            if owner(tensor._array) is owner(array):
                return array.copy(order="K") if type(tensor) is Former else array
    return array
