"""x[key] and x[key] = value.

A key selects in two steps. The first takes what ints, slices, None and `...` select, which is a view. The
second picks from that with index arrays and masks, which copies. PyTorch works in this order; NumPy, left
alone, lets an int beside an index array take part in the second step, and orders the axes of the result
differently.
"""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable, assign, no_grad
from minicnn.autograd.inplace import check_places
from minicnn.autograd.operator import ViewOperator, unrecorded
from minicnn.autograd.storage import (
    elementwise_strides,
    is_contiguous,
    overlap,
    promise,
    promised,
    repeats,
    row_major,
    same_places,
    with_unit_axes,
)
from minicnn.autograd.variable import owner
from minicnn.operators.accumulating import sums_by_key
from minicnn.operators.operands import OPERANDS, array_of, cast


class Take(ViewOperator):
    """What the first step selects: a view."""

    @staticmethod
    def view(x: np.ndarray, key: tuple) -> np.ndarray:
        y = x[key]
        return with_unit_axes(y, _added_axes(key, y.ndim)) if None in key else y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        grad_input = np.zeros(ctx.shape, g.dtype)
        grad_input[ctx.arguments[0]] = g
        return grad_input


class Pick(Operator):
    """What the second step picks: a copy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, *key: Any) -> np.ndarray:
        ctx.saved, ctx.shape = key, x.shape
        return np.asarray(x[key])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return sums_by_key(ctx.shape, ctx.saved, g), *[None] * len(ctx.saved)  # an element picked twice gets both

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.asarray(x[ctx.saved])


class Put(Operator):
    """x with what `basic`, then `advanced`, selects of it replaced by value."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: np.ndarray, basic: tuple, *advanced: Any) -> np.ndarray:
        ctx.basic, ctx.saved, ctx.indices = basic, advanced, len(advanced)
        in_one_place = ctx.out is not None and repeats(x)
        ctx.once = tuple([slice(None if stride else 1) for stride in x.strides]) if in_one_place else None
        y = x.copy() if ctx.out is None else ctx.out
        y[basic][advanced or ...] = value
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        advanced = ctx.saved[: ctx.indices]
        by_value = g[ctx.basic][advanced or ...]
        by_x = shown = g.copy()
        if ctx.once is not None:  # elements in one place are one: they change together, and the first has the gradient
            by_x = np.zeros_like(g)
            by_x[ctx.once] = g[ctx.once]
            shown = np.broadcast_to(by_x[ctx.once], g.shape)
            shown.flags.writeable = True
        shown[ctx.basic][advanced or ...] = 0
        return by_x, by_value, None, *[None] * len(advanced)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        if ctx.once is not None:
            raise RuntimeError(unrecorded(ctx))
        advanced = ctx.saved[: ctx.indices]
        inside = np.zeros(g.shape, bool)
        inside[ctx.basic][advanced or ...] = True
        key = tuple([Variable._computed(k) if isinstance(k, np.ndarray) else k for k in advanced])
        by_value = g[ctx.basic][key or ...]
        return g.masked_fill(Variable._computed(inside), 0), by_value, None, *[None] * len(advanced)


def index(input: Any, key: Any) -> Any:
    """x[key]: a view where `key` consists of ints, slices, None and `...`, a copy otherwise.

    Raises:
        IndexError: for an index out of range, too many, or of a type that can't be one.
        ValueError: for slices with a step below 1.
    """
    basic, advanced = split(key, array_of(input).ndim)
    try:
        result = Take.apply(input, basic)
    except IndexError as error:
        raise _reworded(error, array_of(input).ndim, basic) from None
    if advanced is None:
        return result
    picked = Pick.apply(result, *advanced)
    _keep_order(picked, result, advanced)
    return picked


def _keep_order(picked: Variable, source: Any, key: tuple) -> None:
    """Promise what was picked the order that PyTorch gives it: that of the axes without an index, then the index's."""
    if not isinstance(source, Variable) or is_contiguous(source):
        return
    strides, kept, covered, axis = promised(source)[1], [], [], 0
    for part in key:
        array = array_of(part)
        if isinstance(part, slice):
            kept.append(strides[axis])
            axis += 1
        else:
            covered.append(len(kept))
            axis += array.ndim if array.dtype == bool else 1
    kept += strides[axis:]
    wide = picked._array.ndim - len(kept)
    place = covered[0] if len(set(covered)) == 1 else 0  # of the index's axes: in front, where slices lie between
    index = row_major(picked._array.shape[place : place + wide])
    rest = [0] * (len(kept) - place)
    shape = picked._array.shape
    operands = [(*kept[:place], *[0] * wide, *kept[place:]), (*[0] * place, *index, *rest)]
    promise(picked, elementwise_strides(shape, [(shape, steps) for steps in operands]))


def _reworded(error: IndexError, ndim: int, basic: tuple) -> IndexError:
    """NumPy's complaint about a key in PyTorch's words."""
    parts = [part for part in basic if part is not None and part is not Ellipsis]
    if not ndim and len(parts) == 1 and not isinstance(parts[0], slice):
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
        )
    if not ndim and len(parts) == 1:
        return IndexError("slice() cannot be applied to a 0-dim tensor.")
    if len(parts) > ndim:
        return IndexError(f"too many indices for tensor of dimension {ndim}")
    return IndexError(str(error).replace("axis", "dimension"))


def put(input: Variable, key: Any, value: Any) -> None:
    """x[key] = value, in place.

    Raises:
        IndexError, ValueError: as `index`; ValueError also where the value's shape doesn't fit.
        RuntimeError: for values of another dtype beside index arrays; where the value lies in the memory written to.
    """
    basic, advanced = split(key, input._array.ndim)
    dtype = input._array.dtype
    if advanced is not None and not _takes_dtype(array_of(value), dtype, advanced):
        raise RuntimeError(f"index arrays and masks assign values of the tensor's dtype {dtype}")
    number = not isinstance(value, OPERANDS[:2])
    value = cast(value, dtype)
    try:
        target = input._array[basic]
    except IndexError as error:
        raise _reworded(error, input._array.ndim, basic) from None
    if advanced is not None:
        target = target[tuple(map(array_of, advanced))]
    shape = array_of(value).shape
    while len(shape) > target.ndim and shape[0] == 1:  # leading axes of size 1 don't count
        value, shape = value.reshape(shape[1:]), shape[1:]
    if np.broadcast_shapes(shape, target.shape) != target.shape:
        raise ValueError(f"a value of shape {shape} doesn't fit the selected part of shape {target.shape}")
    if advanced is not None or not number:  # one number may go to elements that share their memory
        _check_places(input, basic, advanced, value)
    assign(input, lambda x: Put.apply(x, value, basic, *(advanced or ())), repeated=True)


def _check_places(input: Variable, basic: tuple, advanced: tuple | None, value: Variable) -> None:
    """Raise RuntimeError where values and indices lie in the memory that they change."""
    if advanced is None:
        counts = isinstance(value, Variable) and value._array.ndim > 0  # a single number may lie anywhere
        if repeats(input._array) or (counts and owner(value._array) is owner(input._array)):
            with no_grad():
                target = Take.apply(input, basic)
                wide = _widened(value, target._array.shape) if counts else value
                if not counts or not same_places(wide, target):  # onto itself nothing is copied
                    check_places(target, *[wide] * counts)
        return
    read = [part for part in (value, *advanced) if isinstance(part, Variable)]
    if _fills_a_mask(value, advanced):
        read = [part for part in read if part is not value]
    for part in read:
        if part._array is input._array or overlap(input, part):
            raise RuntimeError(
                f"unsupported operation: some elements of the written-to tensor of shape {input._array.shape} and of "
                f"the value or index of shape {part._array.shape} refer to a single memory location; clone() it"
            )


def _widened(value: Variable, shape: tuple[int, ...]) -> Any:
    """`value` as PyTorch expands it to `shape`: its leading axes of size 1 don't count, unless it has that shape."""
    sizes = value._array.shape
    if sizes == shape:
        return value
    counted = next((sizes[i:] for i in range(len(sizes)) if sizes[i] != 1), ())
    return value.reshape(counted).expand(shape)  # type: ignore[attr-defined]


def _added_axes(key: tuple, ndim: int) -> list[int]:
    """Where in the result of NumPy's x[key], of `ndim` axes, the axes stand that None in `key` adds."""
    axes, axis = [], 0
    for i, part in enumerate(key):
        if part is None:
            axes.append(axis)
        if part is Ellipsis:
            axis = ndim - sum(after is None or isinstance(after, slice) for after in key[i + 1 :])
        elif part is None or isinstance(part, slice):
            axis += 1
    return axes


def _takes_dtype(value: Any, dtype: np.dtype, advanced: tuple) -> bool:
    """Whether a value has the tensor's dtype or needn't: numbers, and the one element that fills a mask."""
    if not isinstance(value, np.ndarray) or value.dtype == dtype:
        return True
    return _fills_a_mask(value, advanced)


def _fills_a_mask(value: Any, advanced: tuple) -> bool:
    """Whether a value is the one element that fills a mask, which PyTorch does as it fills with a number."""
    arrays = [array_of(part) for part in advanced if isinstance(part, (np.ndarray, Variable))]
    return np.size(array_of(value)) == 1 and len(arrays) == 1 and arrays[0].dtype == bool


def split(key: Any, ndim: int) -> tuple[tuple, tuple | None]:
    """The keys of both steps, for NumPy but for index Tensors, whose values a backward must find unchanged.

    The second is None where the first selects everything; arrays in it are copies.

    Args:
        key: what stands in the brackets.
        ndim: of the tensor before them.

    Raises:
        IndexError: for a part that can't be an index.
        ValueError: for slices with a step below 1.
    """
    basic: list = []
    advanced: list = []
    picks = False
    for part in _parts(key):
        given = part
        if isinstance(part, Variable) and (part._array.dtype.kind not in "ib" or not part._array.ndim):
            part = part._array
        if isinstance(part, slice):
            basic.append(_slice(part))
            advanced.append(slice(None))
        elif part is None or part is Ellipsis:
            basic.append(part)
            advanced.append(slice(None) if part is None else part)
        elif _is_integer(part):
            basic.append(int(given))  # `every_number` sees that of a Tensor
        else:
            mask_or_indices = part if isinstance(part, Variable) else _index_array(part)
            array = array_of(mask_or_indices)
            covered = array.ndim if array.dtype == bool else 1
            basic += [slice(None)] * covered
            advanced.append(mask_or_indices)
            picks = True
    if picks:
        covered = ndim - sum(part is not None and part is not Ellipsis for part in basic)
        advanced = _without_ellipsis(advanced, covered)
    if Ellipsis not in basic:
        basic.append(Ellipsis)  # NumPy copies a selection without dimensions otherwise
    return tuple(basic), tuple(advanced) if picks else None


def _without_ellipsis(parts: list, covered: int) -> list:
    """`...` as the slices it stands for: for NumPy even an empty one sets index arrays apart."""
    return [s for part in parts for s in ([slice(None)] * covered if part is Ellipsis else [part])]


def _parts(key: Any) -> tuple:
    if isinstance(key, range):
        return (list(key),)
    if isinstance(key, tuple):
        return tuple([list(part) if isinstance(part, range) else part for part in key])
    if isinstance(key, list) and any(
        part is None or part is Ellipsis or isinstance(part, (list, tuple, range, slice, np.ndarray, Variable))
        for part in key
    ):
        return _parts(tuple(key))
    return (key,)


def _is_integer(part: Any) -> bool:
    if isinstance(part, np.ndarray):
        return part.ndim == 0 and part.dtype.kind in "iu"
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def _slice(part: slice) -> slice:
    bounds = [
        bound._array.item() if isinstance(bound, Variable) else bound for bound in (part.start, part.stop, part.step)
    ]
    if bounds[2] is not None and bounds[2] < 1:
        raise ValueError(f"step must be greater than zero, got {bounds[2]}")
    return slice(*bounds)


def _index_array(part: Any) -> np.ndarray:
    if not isinstance(part, (np.ndarray, list, bool, np.bool_)):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and int or bool Tensors are valid indices, "
            f"got {part!r}"
        )
    array = np.array(part, np.int64 if isinstance(part, list) and not part else None)
    if array.dtype == np.uint8:  # torch takes these for masks
        return array.astype(bool)
    if array.dtype.kind not in "ib":
        raise IndexError(f"tensors used as indices must be integer or bool, got {array.dtype}")
    return array
