"""Changes in place: a tensor's values are replaced, and with them its place in the graph.

The new values are computed as if by an ordinary operation on the old ones, then written over them. Where the
tensor is a view, its root takes part: the root's new place is "the old root with one part replaced", and every view
of it finds its own new place from there the next time it is used.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd.graph import Node
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.operator import Former, Operator
from minicnn.autograd.variable import Variable, View, owner
from minicnn.dtypes import can_cast

_UNFOLLOWED = (
    "a view was created in no_grad mode, or by a Function, and is being modified in place with grad mode "
    "enabled; the gradient can't be followed to what it is a view of"
)


class Write(Operator):
    """The root of a view with the view's part replaced by `value`; the values are in the memory already."""

    @staticmethod
    def forward(ctx: Any, root: np.ndarray, value: np.ndarray, steps: tuple) -> np.ndarray:
        ctx.root, ctx.steps = root, steps
        return root

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        by_root = np.empty_like(ctx.root, dtype=grad_output.dtype)  # in its memory order, so that steps are views
        by_root[...] = grad_output
        part = by_root
        for operator, arguments in ctx.steps:
            part = operator.forward(Node(operator, (None,)), part, *arguments)
        if owner(part) is not by_root:
            raise RuntimeError("can't follow an in-place change of a view of memory laid out like this; clone it")
        by_value = part.copy()
        part[...] = 0
        return by_root, by_value, None


def assign(tensor: Variable, compute: Callable[[Variable], Variable]) -> None:
    """Replace the values of `tensor` by `compute(tensor)`, inside the graph where one is being recorded.

    Args:
        tensor: what to change.
        compute: gives the new values, of the same shape, from a stand-in for the old ones.

    Raises:
        RuntimeError: on a leaf that requires a gradient, or a view of one; on a view whose making wasn't
            recorded; where the result has another shape, or a dtype of a higher category.
    """
    tensor._catch_up()
    view = tensor._view
    if grad_mode.enabled:
        _check_root(tensor)
    former = Former(tensor)
    root = former if view is None else Former(view.root)
    after = compute(former)
    _check_fits(tensor, after)
    if after._array is not tensor._array:
        np.copyto(tensor._array, after._array, casting="unsafe")
    tensor._bump()
    if not after._requires_grad:
        return
    if view is None:
        _move(tensor, after)
    else:
        _move(view.root, Write.apply(root, after, view.steps))
        tensor._view = View(view.root, view.steps, None)
        tensor._catch_up()


def _check_root(tensor: Variable) -> None:
    """Raise where the memory belongs to a tensor whose gradient an in-place change would falsify."""
    root = tensor if tensor._view is None else tensor._view.root
    if tensor._view is not None and tensor._view.steps is None and root._requires_grad:
        raise RuntimeError(_UNFOLLOWED)
    if tensor._requires_grad and root._requires_grad and root._node is None:
        what = "a leaf Variable" if root is tensor else "a view of a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")


def _check_fits(tensor: Variable, after: Variable) -> None:
    expected, received = tensor._array, after._array
    if received.shape != expected.shape:
        raise RuntimeError(
            f"output with shape {expected.shape} doesn't match the broadcast shape {received.shape} of an "
            "in-place operation"
        )
    if not can_cast(received.dtype, expected.dtype):
        raise RuntimeError(f"result type {received.dtype} can't be cast to the desired output type {expected.dtype}")
    if not expected.flags.writeable:
        raise RuntimeError(
            "in-place operation on an expanded tensor, or on read-only memory; clone() the tensor before it"
        )
    if after._requires_grad and tensor._view is not None and tensor._view.steps is None:
        raise RuntimeError(_UNFOLLOWED)


def _move(tensor: Variable, after: Variable) -> None:
    """Give `tensor` the place in the graph that `after` has."""
    kept = tensor._node is not None and tensor._node.retains(tensor)
    if kept:
        del tensor._node.retained[tensor._output]
    tensor._node, tensor._output, tensor._requires_grad = after._node, after._output, True
    if kept:
        tensor._node.retain(tensor)
