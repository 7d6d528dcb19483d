"""What differentiation needs to know of a tensor: its array, its memory, its place in the graph."""

import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.autograd.mode import enable_grad, grad_mode
from minicnn.dtypes import check_array

ROW_MAJOR: Any = object()
"""The layout of a tensor alone on its memory that promises row-major order; see `minicnn.autograd.storage`."""


UNFOLLOWED = (
    "this view was created in no_grad mode, by a Function, or as one of several at once, so changes in place can't be "
    "followed through it"
)

REPLACEMENT = 2**32
"""What a count of changes in place grows by where the whole array is replaced, `x.data = y`."""


class Owned(NamedTuple):
    """An array that owned a tensor's memory before it was laid anew."""

    array: "weakref.ref[np.ndarray]"


class Replaced(NamedTuple):
    """A tensor's array before it was replaced.

    Attributes:
        array: the former one.
        node: the node whose output the tensor is, if any; that one needs the former array still.
        now: what has taken its place.
    """

    array: "weakref.ref[np.ndarray]"
    node: Any
    now: np.ndarray


class View(NamedTuple):
    """How a tensor came to show another one's memory.

    Attributes:
        root: the tensor whose memory it is.
        steps: the operations that lead from `root` to the view, each with its further arguments; None where
            gradients aren't led through them.
        node: the root's place in the graph when the view's own place was determined.
        alone: whether the tensor was reshaped in place, so that `root` is nobody else's.
    """

    root: "Variable"
    steps: tuple | None
    node: Any
    alone: bool = False


class _OldSpelling(type):
    """Lets `Variable(tensor)` make a Tensor, as old programs write it; the subclasses are made as usual."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return _old_variable(*arguments, **named) if cls is Variable else super().__call__(*arguments, **named)


class Variable(metaclass=_OldSpelling):
    """An array that may have a place in a graph: all that differentiation needs to know of a `Tensor`.

    `_memory` is one list shared by every tensor that shows the same memory: how often it was changed in place, the
    identity of the array that owned it at the last change, then the arrays that were in its place before (`Owned`,
    `Replaced`). A backward that would read values changed since its forward notices by it.

    `_layout` tells what order of the elements is promised; see `minicnn.autograd.storage`. An array that an operation
    computed promises row-major order.

    Args:
        array: NumPy array of numbers, shared and not copied; use `minicnn.tensor` to build from lists or to
            copy.
        requires_grad: whether gradients with respect to this tensor are wanted; floating point only.

    Raises:
        TypeError: where `array` isn't a NumPy array of real numbers.
        RuntimeError: where a gradient is asked for of a tensor that isn't floating point.
    """

    __slots__ = ("__weakref__", "_array", "_grad", "_layout", "_memory", "_node", "_output", "_requires_grad", "_view")

    _hooks: Any = None
    """Hooks that see a leaf's gradient; those of other tensors lie on their node."""
    _hooks_after: Any = None
    """Hooks called after a leaf's gradient was accumulated."""
    _computed: "Callable[[np.ndarray], Variable]"  # makes what operations return; minicnn.tensor sets it

    def __init__(self, array: np.ndarray, requires_grad: bool = False) -> None:
        if type(array) is not np.ndarray:
            array = _plain_array(array)
        check_array(array)
        self._array = array
        self._memory: list = [0, 0]
        self._layout: Any = ROW_MAJOR
        self._node: Any = None
        self._output = 0
        self._requires_grad = False
        self._grad: Any = None
        self._view: View | None = None
        if requires_grad:
            self._require_grad()

    def _require_grad(self) -> None:
        if self._array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating-point dtype can require gradients, this one is {self._array.dtype}"
            )
        self._requires_grad = True

    def _bump(self) -> None:
        """Count an in-place change."""
        self._memory[0] += 1
        self._memory[1] = id(owner(self._array))

    def _catch_up(self) -> None:
        """Get a new place in the graph where an in-place change gave one to the tensor this is a view of.

        Raises:
            RuntimeError: where it isn't known how this view was made, and operations are being recorded.
        """
        view = self._view
        if view is None:
            return
        if view.root._view is not None:  # it has taken another shape in place, and is a view itself since
            view = self._view = view._replace(root=view.root._view.root)
        if view.node is view.root._node:
            return
        if view.steps is None:
            if grad_mode.enabled:
                raise RuntimeError(f"{UNFOLLOWED}; its base or another view of it has been modified in place")
            return
        tensor = view.root
        with enable_grad():
            for operator, arguments in view.steps:
                tensor = operator.apply(tensor, *arguments)
        self._move_to(tensor)
        self._view = view._replace(node=view.root._node)

    def _move_to(self, other: "Variable") -> None:
        """Take the place in the graph that `other` has; a gradient that was to be kept is kept there."""
        node, output = self._node, self._output
        kept = node is not None and node.retains(self)
        if kept:
            del node.retained[output]
        self._node, self._output, self._requires_grad = other._node, other._output, other._requires_grad
        if kept and self._node is not None:
            self._node.retain(self)


def _old_variable(data: Any = None, requires_grad: bool = False, volatile: Any = False) -> Variable:
    """The same memory as `data`, outside the graph; `volatile` has no effect, as in PyTorch."""
    if volatile:
        warnings.warn(
            "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
            UserWarning,
            stacklevel=3,
        )
    if data is None:
        data = Variable._computed(np.empty(0, np.float32))
    if not isinstance(data, Variable):
        raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
    result: Any = data.data  # type: ignore[attr-defined]
    if requires_grad:
        result._require_grad()
    return result


def _plain_array(array: Any) -> np.ndarray:
    """A subclass of ndarray, or a NumPy number, as an ndarray."""
    if not isinstance(array, (np.ndarray, np.generic)):
        raise TypeError(f"Tensor wraps a NumPy array, got {type(array).__name__}; use minicnn.tensor(...)")
    return np.asarray(array)


def owner(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory which `array` shows."""
    base = array.base
    return base if type(base) is np.ndarray else array
