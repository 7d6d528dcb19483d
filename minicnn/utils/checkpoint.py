"""Less memory for more time: a part of a network whose values are computed again in the backward instead of kept."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minicnn.autograd import Variable, enable_grad, is_grad_enabled
from minicnn.autograd.arrivals import place
from minicnn.autograd.graph import FREED, Node
from minicnn.autograd.recorded import run_recorded, standing_for
from minicnn.autograd.walk import run_backward
from minicnn.random import default_generator

__all__ = ["checkpoint", "checkpoint_sequential"]


class Recomputed:
    """The place in the graph of a checkpointed function's results: its backward runs the function again."""

    hands_over = False

    @staticmethod
    def pull_back(node: Any, gradients: list) -> tuple:
        """Gradients with respect to everything outside that the function used.

        Raises:
            RuntimeError: where a walk passed here already, or the function computes something else than before.
        """
        if node.saved is None:
            raise RuntimeError(FREED)
        call: Call = node.call
        with call.former_random_state():
            outputs, sources = call.run()
        outputs = [output for output in outputs if output._requires_grad]
        if call.checks and [(o._array.shape, o._array.dtype) for o in outputs] != node.outputs:
            raise RuntimeError(
                f"checkpoint: the function computed {[tuple(o._array.shape) for o in outputs]} in the backward and "
                f"{[shape for shape, _ in node.outputs]} in the forward"
            )
        targets = [standing_for(edge) for edge in sources]
        found = run_backward(outputs, gradients, targets=targets, since=call.first_number)
        by_edge = dict(zip([call.outside(edge) for edge in sources], found, strict=True))
        return tuple([by_edge.get(edge) for edge in node.edges])

    @staticmethod
    def backward_recorded(ctx: Any, *gradients: Any) -> tuple:
        """As `pull_back`, on Tensors; the function runs on the arguments themselves, with their places in the graph."""
        call: Call = ctx.call
        with call.former_random_state():
            outputs, _ = call.run(apart=False)
        outputs = [output for output in outputs if output._requires_grad]
        targets = [standing_for(edge) for edge in ctx.edges]
        return tuple(run_recorded(outputs, gradients, True, targets, call.first_number))


class Call:
    """A function with its arguments, that can be run more than once.

    Attributes:
        checks: whether another run must give results of the same shapes.
        first_number: the number of the first node that the last run may have made.
    """

    def __init__(self, function: Callable, arguments: tuple, named: dict, keeps_random: bool, checks: bool) -> None:
        self.function, self.checks = function, checks
        self.tensors: list[Variable] = []
        self.arguments = _mapped((arguments, named), self._remember)
        self.inside: list[Variable] = []
        self.random_state = copy.deepcopy(default_generator.numpy.bit_generator.state) if keeps_random else None
        self.first_number = 0
        self.result: Any = None

    def _remember(self, tensor: Variable) -> Variable:
        tensor._catch_up()
        self.tensors.append(tensor)
        return tensor

    def run(self, apart: bool = True) -> tuple[list[Variable], list[tuple]]:
        """Run the function, recorded, on its arguments, which are cut off from the graph where they are to be `apart`.

        Returns: the Tensors among its results, and the edges of the graph that lead out of it.
        """
        self.inside = []
        arguments, named = _mapped(self.arguments, self._cut_off) if apart else self.arguments
        self.first_number = next(Node._numbers)
        with enable_grad():
            self.result = self.function(*arguments, **named)
        outputs: list[Variable] = []
        _mapped(self.result, outputs.append)
        return outputs, _edges_out_of([place(o) for o in outputs if o._requires_grad], self.first_number)

    def _cut_off(self, tensor: Variable) -> Variable:
        leaf = tensor.detach()  # type: ignore[attr-defined]
        leaf._requires_grad = tensor._requires_grad
        self.inside.append(leaf)
        return leaf

    def outside(self, edge: tuple) -> tuple:
        """The edge as it is outside of the function, where its arguments have places in the graph."""
        for leaf, tensor in zip(self.inside, self.tensors, strict=True):
            if edge[0] is leaf:
                return (tensor._node or tensor, tensor._output)
        return edge

    @contextlib.contextmanager
    def former_random_state(self) -> Iterator[None]:
        """Let random numbers be those of the forward."""
        if self.random_state is None:
            yield
            return
        generator = default_generator.numpy.bit_generator
        before = generator.state
        generator.state = copy.deepcopy(self.random_state)
        try:
            yield
        finally:
            generator.state = before


def checkpoint(
    function: Callable,
    *arguments: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    **named: Any,
) -> Any:
    """`function(*arguments, **named)`, whose intermediate values are not kept for the backward but computed again.

    Args:
        function: what to compute. Tensors in nested lists, tuples and dictionaries are found among its arguments and
            results; it may use others, parameters above all.
        use_reentrant: which of PyTorch's two ways to take; gradients reach the same tensors either way.
        preserve_rng_state: draw the same random numbers again.
        determinism_check: `"default"` to compare the shapes and dtypes of both runs, `"none"` not to.

    Returns: what the function returns.

    Raises:
        ValueError: for another `determinism_check`.
        RuntimeError: in the backward, where the second run gives something else.
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check must be 'default' or 'none', got {determinism_check!r}")
    if not is_grad_enabled():
        return function(*arguments, **named)
    call = Call(function, arguments, named, preserve_rng_state, determinism_check == "default")
    _, sources = call.run()
    result, call.result = call.result, None
    node = Node(Recomputed, [call.outside(edge) for edge in sources])
    node.saved = tuple(tensor._array for tensor in call.tensors)
    node.watch(call.tensors)
    node.call = call  # type: ignore[attr-defined]
    kept: list[Variable] = []

    def fresh(output: Variable) -> Variable:
        if not output._requires_grad:
            return output
        kept.append(Variable._computed(output._array))
        return kept[-1]

    result = _mapped(result, fresh)
    node.join(kept)
    return result


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True
) -> Any:
    """A chain of functions in segments, all but the last of which are checkpointed.

    Args:
        functions: a `Sequential`, or a list of functions.
        segments: how many parts.
        input: what the first function gets.
        use_reentrant, preserve_rng_state: see `checkpoint`.

    Returns: what the last function returns.
    """
    chain = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(chain) // segments
    for start in range(0, size * (segments - 1), size):
        part = chain[start : start + size]
        input = checkpoint(_in_turn(part), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _in_turn(chain[size * (segments - 1) :])(input)


def _in_turn(functions: Sequence[Callable]) -> Callable:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run


def _mapped(value: Any, function: Callable[[Variable], Any]) -> Any:
    """Nested tuples, lists and dictionaries with `function` applied to the Tensors in them."""
    if isinstance(value, Variable):
        return function(value)
    if isinstance(value, dict):
        return {key: _mapped(part, function) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_mapped(part, function) for part in value])
    return type(value)(_mapped(part, function) for part in value) if type(value) in (tuple, list) else value


def _edges_out_of(starts: list[tuple], first_number: int) -> list[tuple]:
    """The edges that lead from a part of the graph to leaves, and to nodes that were made before `first_number`."""
    found: dict[tuple, None] = {}
    seen: set[Any] = set()
    waiting = list(starts)
    while waiting:
        edge = waiting.pop()
        target = edge[0]
        if not isinstance(target, Node) or target.number < first_number:
            found[edge] = None
        elif target not in seen:
            seen.add(target)
            waiting += [below for below in target.edges if below is not None]
    return list(found)
