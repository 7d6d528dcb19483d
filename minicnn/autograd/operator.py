"""`Operator`: a differentiable operation, and what it records while a program computes.

Every differentiable operation is a pair of static methods, `forward(ctx, ...)` and
`backward(ctx, grad_output)`. `apply` makes a `Node`, runs the forward with it and, where an input asks for a gradient,
lets it join the graph.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd.graph import FREED, Node
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.storage import keep_strides, share
from minicnn.autograd.variable import Variable, View, owner


class Former(Variable):
    """A tensor that is being changed in place, as it was before.

    It stands for the tensor while the new values are computed. What is saved of it is copied, since its
    memory is about to be overwritten.
    """

    __slots__ = ("tensor_id",)

    def __init__(self, tensor: Variable) -> None:
        self._array, self._memory, self._view = tensor._array, tensor._memory, tensor._view
        self._layout = tensor._layout
        self._node, self._output, self._requires_grad = tensor._node, tensor._output, tensor._requires_grad
        self._grad = None
        self.tensor_id = id(tensor)


observers: list[Callable[[type, tuple, Any], None]] = []
"""Who is told of every operation, its arguments and its outputs; see `observed.every_operation`."""
watchers: list[Callable[[Variable, Variable | None], None]] = []
"""Who is told of a tensor before and after it is changed in place; see `observed.every_change`."""
readers: list[Callable[[Variable], None]] = []
"""Who is told of a tensor whose one element becomes a Python number; see `observed.every_number`."""


class Operator:
    """A differentiable operation on arrays; `minicnn`'s own operations derive from it.

    A subclass defines `forward(ctx, *arguments) -> ndarray or tuple` and `backward(ctx, *grad_outputs)`,
    which returns one gradient, or None, for each of the first arguments; options behind them have none. Arguments that
    are Tensors arrive as their arrays. A gradient may come back in the shape that its argument was broadcast to and in
    another floating-point dtype: the walk sums and converts it.
    """

    differentiable_outputs: int | None = 1
    """How many outputs, counted from the first, carry a gradient; None for all. Where none does, nothing is recorded,
    and where arguments are in the graph doesn't matter."""
    shares_memory = False
    """Whether the output is a view of the first argument; see `ViewOperator`."""
    elementwise = False
    """Whether elements of the output lie in memory as those of the arguments do."""
    again: Any = None
    """`again(ctx, x)`, for an operation that is linear in its first argument and gives no other a gradient: the forward
    of another x, with the choices that `ctx` remembers."""
    hands_over = False
    """Whether the backward's results are arrays that nobody else holds, so that who gets them may write over them."""

    @staticmethod
    def forward(ctx: Node, *arguments: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Node, *grad_outputs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def backward_recorded(cls, ctx: Any, *grad_outputs: Any) -> Any:
        """The backward in terms of operations: Tensors from Tensors, for gradients of gradients.

        Args:
            ctx: a `minicnn.autograd.recorded.Recorded`.
            grad_outputs: Tensors.

        Raises:
            RuntimeError: where there is none.
        """
        if cls.again is None:
            raise RuntimeError(unrecorded(ctx))
        (g,) = grad_outputs[: cls.differentiable_outputs]
        return ctx.linear(g, lambda array: cls.again(ctx, array))

    @classmethod
    def pull_back(cls, ctx: Any, gradients: list) -> tuple:
        """Gradients with respect to the arguments, given those with respect to the outputs.

        Raises:
            RuntimeError: where a walk freed what was saved.
        """
        if ctx.saved is None:
            raise RuntimeError(FREED)
        results = cls.backward(ctx, *gradients)
        return results if type(results) is tuple else (results,)

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Run the forward on `arguments` and record it where one of them requires a gradient."""
        recording, joins, follows = grad_mode.enabled and cls.differentiable_outputs != 0, False, False
        arrays: list[Any] = []
        tensors: list[Variable] = []
        edges: list[tuple[Any, int] | None] = []
        for argument in arguments:
            if isinstance(argument, Variable):
                if argument._view is not None and cls.differentiable_outputs != 0:
                    argument._catch_up()
                    follows = follows or (recording and argument._view.root._requires_grad)
                tensors.append(argument)
                arrays.append(argument._array)
                if recording and argument._requires_grad:
                    edges.append((argument._node or argument, argument._output))
                    joins = True
                    continue
            else:
                arrays.append(argument)
            edges.append(None)
        ctx = Node(cls, edges)
        first = arguments[0]
        if type(first) is Former:
            ctx.out = first._array
        results = cls.forward(ctx, *arrays)
        several = type(results) is tuple
        outputs = [*map(Variable._computed, results)] if several else [Variable._computed(results)]
        if ctx.out is not None and outputs[0]._array is ctx.out:
            outputs[0]._memory = first._memory
        elif cls.shares_memory and isinstance(first, Variable):
            cls._link_view(outputs[0], arguments)
        elif cls.elementwise:
            keep_strides(outputs[0], tensors)
        if joins or follows:
            if ctx.saved or ctx.freezes:
                ctx.known = (*map(id, arrays),)
                ctx.made = (*map(id, results),) if several else (id(results),)
                cls._watch(ctx, outputs, tensors)
            ctx.join(outputs[: cls.differentiable_outputs])
            if not joins:  # a view made in no_grad mode requires a gradient in name only
                ctx.edges = ()
        result = tuple(outputs) if several else outputs[0]
        for observe in observers:
            observe(cls, arguments, result)
        return result

    @classmethod
    def _link_view(cls, output: Variable, arguments: tuple) -> None:
        """Remember that `output` shows the memory of the first argument, and how."""
        source, *rest = arguments
        step = (cls, tuple(rest))
        output._memory = source._memory
        share(source, output, step)
        above = source._view
        root = source if above is None else above.root
        if grad_mode.enabled and (above is None or above.steps is not None):
            output._view = View(root, (*(above.steps if above is not None else ()), step), root._node)
        else:
            output._view = View(root, None, root._node)

    @staticmethod
    def _watch(ctx: Node, outputs: list[Variable], tensors: list[Variable]) -> None:
        """Note the memory of the results and arguments, which may show among what is saved."""
        ctx.watch([*outputs, *tensors])
        if ctx.freezes:
            ctx.frozen = tensors[0]._memory
        if Former in map(type, tensors):
            former = next(tensor for tensor in tensors if type(tensor) is Former)
            memory = owner(former._array)
            if any(type(tensor) is not Former and owner(tensor._array) is memory for tensor in tensors):
                return  # an operand is about to be overwritten, too: as in PyTorch, the walk will refuse to go on
            if ctx.out is not None and outputs[0]._array is ctx.out:  # counts as changed once more when that is done
                pairs = zip(ctx.memories, ctx.counts, strict=True)
                ctx.counts = tuple([count + (memory is former._memory) for memory, count in pairs])
            else:
                kept = tuple([_apart(array, memory) for array in ctx.saved or ()])
                moved = {id(array): id(copy) for array, copy in zip(ctx.saved or (), kept, strict=True)}
                ctx.known = tuple([moved.get(one, one) for one in ctx.known])
                ctx.saved = kept


class ViewOperator(Operator):
    """An operation whose result shows the memory of its first argument.

    A subclass defines `view(x, *arguments) -> ndarray`, which never copies where the strides that are promised for x
    allow it not to, and `backward`, which may read the shape of x as `ctx.shape`.
    """

    shares_memory = True

    @staticmethod
    def view(x: np.ndarray, *arguments: Any) -> np.ndarray:
        """The view of an array."""
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, *arguments: Any) -> np.ndarray:
        ctx.shape, ctx.arguments = x.shape, arguments
        return cls.view(x, *arguments)

    @classmethod
    def again(cls, ctx: Any, x: np.ndarray) -> np.ndarray:
        return cls.view(x, *ctx.arguments)


def _apart(saved: Any, memory: np.ndarray) -> Any:
    """What is saved for backward; an array is copied where it shows `memory`, which is about to be overwritten."""
    shows = isinstance(saved, np.ndarray) and owner(saved) is memory
    return saved.copy(order="K") if shows else saved


def unrecorded(node: Any) -> str:
    """What to say where an operation has no recorded backward."""
    return (
        f"the gradient of the gradient of {node.name()} is not there: minicnn has no backward of it in terms of "
        "operations. Leave create_graph out, or detach() what it computes"
    )
