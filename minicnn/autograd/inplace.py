"""Changes in place: a tensor's values are replaced, and with them its place in the graph.

The new values are computed as if by an ordinary operation on the old ones, then written over them. Where the
tensor is a view, its root takes part: the root's new place is "the old root with one part replaced", and every view
of it finds its own new place from there the next time it is used.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd.mode import enable_grad, grad_mode
from minicnn.autograd.operator import Former, Operator, watchers
from minicnn.autograd.storage import elementwise_strides, empty_strided, overlap, promised, repeats, replay, share
from minicnn.autograd.variable import REPLACEMENT, ROW_MAJOR, UNFOLLOWED, Replaced, Variable, View
from minicnn.dtypes import can_cast


class Write(Operator):
    """The root of a view with the view's part replaced by `value`; the values are in the memory already."""

    @staticmethod
    def forward(ctx: Any, root: np.ndarray, value: np.ndarray, steps: tuple, strides: tuple[int, ...]) -> np.ndarray:
        ctx.steps, ctx.shape = steps, root.shape
        ctx.strides = elementwise_strides(root.shape, [(root.shape, strides)])  # the same order, without gaps
        return root

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        by_root = empty_strided(ctx.shape, ctx.strides, grad_output.dtype)  # so that steps are views
        by_root[...] = grad_output
        part = replay(ctx.steps, by_root)
        by_value = part.copy()
        part[...] = 0
        return by_root, by_value

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        by_value = g
        for operator, arguments in ctx.steps:
            by_value = operator.apply(by_value, *arguments)
        inside = np.zeros(ctx.shape, bool)
        replay(ctx.steps, inside)[...] = True
        return g.masked_fill(Variable._computed(inside), 0), by_value


def assign(tensor: Variable, compute: Callable[[Variable], Variable], *operands: Any, repeated: bool = False) -> None:
    """Replace the values of `tensor` by `compute(tensor)`, inside the graph where one is being recorded.

    Args:
        tensor: what to change.
        compute: gives the new values, of the same shape, from a stand-in for the old ones.
        operands: what else `compute` reads.
        repeated: whether several elements of `tensor` may lie in one place, as in an expanded one.

    Raises:
        RuntimeError: on a leaf that requires a gradient, or a view of one; on a view whose making wasn't
            recorded; where the result has another shape, or a dtype of a higher category; where elements of `tensor`
            lie in one place, or in that of another element of an operand.
    """
    tensor._catch_up()
    view = tensor._view
    if grad_mode.enabled:
        _check_root(tensor)
    check_places(tensor, *operands, repeated=repeated)
    hooked = tensor._node is not None and tensor._node.hooks is not None
    if view is not None and view.steps is not None and not view.alone and hooked:
        tensor._view = View(view.root, view.steps, None)  # a new place, whose gradient those hooks don't see
        tensor._catch_up()
    for watch in watchers:
        watch(tensor, None)
    former = Former(tensor)
    root = former if view is None else Former(view.root)
    after = compute(former)
    _check_fits(tensor, after)
    if after._array is not tensor._array:
        np.copyto(tensor._array, after._array, casting="unsafe")
        if after._node is not None:
            after._node.adopt(after._array, tensor)
    tensor._bump()
    for watch in watchers:
        watch(tensor, after)
    if not after._requires_grad:
        return
    if view is None:
        tensor._move_to(after)
    else:
        view.root._move_to(Write.apply(root, after, view.steps, promised(view.root)[1]))
        tensor._view = view._replace(node=None)
        tensor._catch_up()


def check_places(tensor: Variable, *operands: Any, repeated: bool = False) -> None:
    """Raise RuntimeError where elements of `tensor`, about to be written to, lie in one place, unless `repeated` allows
    it, or in that of another element of an operand."""
    if not repeated and repeats(tensor._array):
        raise RuntimeError(
            f"unsupported operation: more than one element of the written-to tensor of shape {tensor._array.shape} "
            "refers to a single memory location; clone() it before the operation"
        )
    for operand in operands:
        if isinstance(operand, Variable) and overlap(tensor, operand):
            raise RuntimeError(
                f"unsupported operation: some elements of the operand of shape {operand._array.shape} and the "
                f"written-to tensor of shape {tensor._array.shape} refer to a single memory location; clone() it"
            )


def check_writeable(array: np.ndarray) -> None:
    """Raise RuntimeError where an array that is about to be changed lies in read-only memory."""
    if not array.flags.writeable:
        raise RuntimeError("in-place operation on read-only memory; clone() the tensor before it")


def _check_root(tensor: Variable) -> None:
    """Raise where the memory belongs to a tensor whose gradient an in-place change would falsify."""
    root = tensor if tensor._view is None else tensor._view.root
    if tensor._view is not None and tensor._view.steps is None and root._requires_grad:
        raise RuntimeError(f"{UNFOLLOWED}; it is being modified in place with grad mode enabled")
    if tensor._requires_grad and root._node is None:
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
    check_writeable(expected)
    if after._requires_grad and tensor._view is not None and tensor._view.steps is None:
        raise RuntimeError(f"{UNFOLLOWED}; it is being modified in place with grad mode enabled")


def replace(tensor: Variable, other: Variable) -> None:
    """Let `tensor` show the memory of `other` from now on; graphs that saved it as an argument see the new values."""
    memory, array = tensor._memory, other._array
    formers = [former for former in memory[2:] if former.array() is not None]
    memory[2:] = [former._replace(now=array) if type(former) is Replaced else former for former in formers]
    memory.append(Replaced(weakref.ref(tensor._array), tensor._node, array))
    memory[0] += REPLACEMENT
    tensor._array = array
    share(other, tensor)


def reshape_in_place(tensor: Variable, compute: Callable[[Variable], Variable]) -> None:
    """Let `tensor` be `compute(tensor)`, a view of it, from now on: its memory under another shape.

    Views of the tensor stay what they were: the tensor becomes a view itself, of a stand-in that keeps its former shape
    and its place in the graph, and the others find that one when they are used next.

    Args:
        tensor: what takes another shape.
        compute: gives a view of what it is called with.

    Raises:
        RuntimeError: on a leaf that requires a gradient, or a view of one.
    """
    tensor._catch_up()
    if grad_mode.enabled:
        _check_root(tensor)
    alone = tensor._view is None or tensor._view.alone
    with enable_grad():  # so that the steps are known
        after = compute(tensor if tensor._view is not None else _stand_in(tensor))
    tensor._array, layout = after._array, after._layout
    tensor._view = None if after._view is None else after._view._replace(alone=alone)
    if layout is None or layout is ROW_MAJOR:
        tensor._layout = layout
    else:
        layout.storage.admit(tensor, layout.steps)
    tensor._bump()
    if grad_mode.enabled:
        tensor._move_to(after)


def _stand_in(tensor: Variable) -> Variable:
    """A tensor of the same memory in the same place of the graph."""
    result = Variable._computed(tensor._array)
    result._memory = tensor._memory
    share(tensor, result)
    result._node, result._output, result._requires_grad = tensor._node, tensor._output, tensor._requires_grad
    return result
