"""How elements lie in memory: as a program may rely on, and in fact.

PyTorch lays the result of an operation in row-major order, and programs rely on it: `h.view(-1)` never copies, and
what is written through it shows in `h`. minicnn lays images channels-last and weights as (KH, KW, C, O), the orders in
which its kernels read them. So a tensor has strides in fact, those of its array, and strides as promised, those that
PyTorch's tensor would have. `Variable._layout` tells how the two are related:

    None          the promise is what the array shows: user memory, and views of memory in row-major order
    ROW_MAJOR     row-major order is promised, whatever the array shows; no other tensor shows this memory
    Member        one of several tensors on a `Storage` that lies otherwise than promised

A view that the promise allows and the memory doesn't is made by laying the memory anew, as promised: `settle`. Every
tensor on it follows, since each knows the steps that lead from the storage to itself. Afterwards all are None.
"""

import functools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minicnn import kernels
from minicnn.autograd.variable import ROW_MAJOR, Owned, Variable, owner

Strides = tuple[int, ...]


class Storage:
    """Memory that several tensors show and that lies otherwise than promised.

    Args:
        array: the whole of it.
        strides: those promised, in elements.
    """

    __slots__ = ("_members", "_room", "array", "strides")

    def __init__(self, array: np.ndarray, strides: Strides) -> None:
        self.array, self.strides = array, strides
        self._members: list[weakref.ref] = []
        self._room = 8

    def admit(self, tensor: Variable, steps: tuple = ()) -> None:
        """Make `tensor`, which `steps` lead to from the whole array, a member."""
        tensor._layout = Member(self, steps)
        if len(self._members) >= self._room:
            self._members = [reference for reference in self._members if reference() is not None]
            self._room = 2 * len(self._members) + 8
        self._members.append(weakref.ref(tensor))

    def settle(self) -> None:
        """Lay the elements as promised; all members follow."""
        former, array = owner(self.array), empty_strided(self.array.shape, self.strides, self.array.dtype)
        kernels.memory.copy(array, self.array)
        versions: dict[int, list] = {}
        for reference in self._members:
            tensor = reference()
            if tensor is not None and type(tensor._layout) is Member and tensor._layout.storage is self:
                tensor._array, tensor._layout = replay(tensor._layout.steps, array), None
                versions[id(tensor._memory)] = tensor._memory
        for memory in versions.values():
            memory.append(Owned(weakref.ref(former)))


class Member(NamedTuple):
    """A tensor's place on a storage.

    Attributes:
        storage: where it lies.
        steps: the operations that lead to it from the whole array, each with its further arguments.
    """

    storage: Storage
    steps: tuple


def replay(steps: tuple, array: np.ndarray) -> np.ndarray:
    """The view of `array` that `steps` lead to."""
    for operator, arguments in steps:
        array = operator.view(array, *arguments)
    return array


def settle(tensor: Variable) -> None:
    """Let the array of `tensor` lie as promised, together with all that shares its memory."""
    layout = tensor._layout
    if layout is ROW_MAJOR and not tensor._array.flags.c_contiguous:
        former = tensor._array
        tensor._array = kernels.memory.empty(former.shape, former.dtype)
        kernels.memory.copy(tensor._array, former)
        tensor._memory.append(Owned(weakref.ref(owner(former))))
    elif layout is not None and layout is not ROW_MAJOR:
        layout.storage.settle()


def share(source: Variable, target: Variable, *step: Any) -> None:
    """Note that `target` shows the memory of `source`, all of it or, after a `step`, a view of it."""
    layout = source._layout
    if layout is ROW_MAJOR and not source._array.flags.c_contiguous:
        Storage(source._array, row_major(source._array.shape)).admit(source)
        layout = source._layout
    if layout is None or layout is ROW_MAJOR:
        target._layout = None
    else:
        layout.storage.admit(target, (*layout.steps, *step))


def stand_for(copy: Variable, original: Variable) -> None:
    """Count changes of `copy`, which a program gets instead of `original`, as changes of that."""
    copy._memory = original._memory
    original._memory.append(Owned(weakref.ref(owner(original._array))))


def copied(tensor: Variable, memo: dict, make: Callable[[np.ndarray], Any]) -> Any:
    """A copy of `tensor`, on a copy of its memory that others copied under the same `memo` share.

    Args:
        tensor: what to copy.
        memo: that of `copy.deepcopy`.
        make: makes a tensor of an array.
    """
    layout, array = tensor._layout, tensor._array
    result = make(array)
    if layout is not None and layout is not ROW_MAJOR:
        key = id(layout.storage)
        if key not in memo:
            memo[key] = Storage(layout.storage.array.copy(order="K"), layout.storage.strides)
        result._array = replay(layout.steps, memo[key].array)
        memo[key].admit(result, layout.steps)
        return result
    result._layout = layout
    whole = owner(array)
    if not is_dense(whole.shape, elements(whole)):
        result._array = array.copy(order="K")
        return result
    if id(whole) not in memo:
        memo[id(whole)] = whole.copy(order="K")
    place = address(array) - address(whole)
    result._array = np.ndarray(array.shape, array.dtype, memo[id(whole)].ravel("K"), place, array.strides)
    return result


def promised(tensor: Variable) -> tuple[int, Strides]:
    """Where the first element of `tensor` is and how far apart neighbours are, in elements.

    Places are comparable among tensors of one memory alone.
    """
    layout, array = tensor._layout, tensor._array
    if layout is ROW_MAJOR and not array.flags.c_contiguous:
        return 0, row_major(array.shape)
    if layout is None or layout is ROW_MAJOR:
        return address(array) // array.itemsize, elements(array)
    if not layout.steps:
        return 0, layout.storage.strides
    pattern = np.empty(1, np.uint8)
    whole = as_strided(pattern, layout.storage.array.shape, layout.storage.strides)
    part = replay(layout.steps, whole)
    return address(part) - address(pattern), part.strides


def address(array: np.ndarray) -> int:
    """Where in memory the first element lies."""
    return array.__array_interface__["data"][0]


def elements(array: np.ndarray) -> Strides:
    """The strides of an array in elements instead of bytes."""
    return tuple([stride // array.itemsize for stride in array.strides])


def row_major(shape: Sequence[int]) -> Strides:
    """The strides, in elements, of an array in row-major order."""
    strides, step = [0] * len(shape), 1
    for axis in reversed(range(len(shape))):
        strides[axis] = step
        step *= max(shape[axis], 1)
    return tuple(strides)


def is_row_major(shape: Sequence[int], strides: Strides) -> bool:
    """Whether elements `strides` apart lie in row-major order; axes of one element have no say."""
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != step:
            return 0 in shape
        step *= size
    return True


def is_contiguous(tensor: Variable) -> bool:
    """Whether the elements are promised in row-major order."""
    if tensor._layout is None:
        return tensor._array.flags.c_contiguous
    return tensor._layout is ROW_MAJOR or is_row_major(tensor._array.shape, promised(tensor)[1])


def empty_strided(shape: tuple[int, ...], strides: Strides, dtype: np.dtype) -> np.ndarray:
    """An array without gaps whose axes lie in the order of `strides`."""
    order, back = _memory_order(strides)
    return kernels.memory.empty(tuple([shape[axis] for axis in order]), dtype).transpose(back)


@functools.lru_cache(maxsize=4096)
def _memory_order(strides: Strides) -> tuple[list[int], list[int]]:
    """The axes, those with the largest steps first; and where each of them is in that order."""
    order = sorted(range(len(strides)), key=lambda axis: (-abs(strides[axis]), axis))
    return order, [*map(order.index, range(len(order)))]


@functools.lru_cache(maxsize=4096)
def can_view(shape: tuple[int, ...], strides: Strides, sizes: tuple[int, ...]) -> bool:
    """Whether the memory of an array can be shown under other `sizes`, in the same order and as many elements.

    Axes that are to be joined must lie one behind the other: stride[d] = size[d + 1] · stride[d + 1].
    """
    if 0 in shape:
        return True
    runs = []  # sizes of stretches of axes that lie one behind the other, the last first
    length, step = 1, None
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 1:
            continue
        if step is not None and stride != step:
            runs.append(length)
            length = 1
        length, step = length * size, stride * size
    runs.append(length)
    wanted = [size for size in reversed(sizes) if size != 1]
    for run in runs:
        taken = 1
        while wanted and taken < run:
            taken *= wanted.pop(0)
        if taken != run:
            return False
    return True


def elementwise_strides(shape: Sequence[int], operands: Iterable[tuple[Sequence[int], Strides]]) -> Strides:
    """The strides that PyTorch gives the result of an elementwise operation.

    Axes lie in the order in which the first operand that tells two of them apart has them.

    Args:
        shape: of the result.
        operands: the shape and the strides, in elements, of each operand.
    """
    n = len(shape)
    widened = []
    for sizes, strides in operands:
        own = [0 if size == 1 != shape[n - len(sizes) + i] else stride for i, (size, stride) in
               enumerate(zip(sizes, strides, strict=True))]  # fmt: skip
        widened.append([0] * (n - len(own)) + own)

    def comes_after(a: int, b: int) -> int:
        for strides in widened:
            if strides[a] and strides[b]:
                if strides[a] != strides[b]:
                    return 1 if strides[a] > strides[b] else -1
                if shape[a] > shape[b]:
                    return 1
        return 0

    order = list(reversed(range(n)))  # the axis whose neighbours are nearest first
    for i in range(1, n):
        place = i
        for j in reversed(range(i)):
            found = comes_after(order[j], order[place])
            if found < 0:
                break
            if found > 0:
                order[j], order[place] = order[place], order[j]
                place = j
    result, step = [0] * n, 1
    for axis in order:
        result[axis] = step
        step *= max(shape[axis], 1)
    return tuple(result)


def keep_strides(result: Variable, operands: Sequence[Variable]) -> None:
    """Promise for the result of an elementwise operation what PyTorch would, given its operands."""
    for operand in operands:
        if operand._layout is not ROW_MAJOR:
            break
    else:
        return
    shape, strides = result._array.shape, result._array.strides
    if all(one._layout is None and (one._array.shape, one._array.strides) == (shape, strides) for one in operands):
        result._layout = None
        return
    strides = elementwise_strides(shape, [(t._array.shape, promised(t)[1]) for t in operands])
    promise(result, strides)


def promise(result: Variable, strides: Strides) -> None:
    """Promise for a new result, without gaps, other strides than row-major ones."""
    if is_row_major(result._array.shape, strides):
        return
    if elements(result._array) == strides:
        result._layout = None
    else:
        Storage(result._array, strides).admit(result)


def overlap(a: Variable, b: Variable) -> bool:
    """Whether two tensors share some of their elements, but not one for one; False where that is too hard to tell.

    Only of tensors whose elements lie without gaps it is known which memory they take.
    """
    if a is b or owner(a._array) is not owner(b._array) or not a._array.size or not b._array.size:
        return False
    (first, strides), (other, others) = promised(a), promised(b)
    if not is_dense(a._array.shape, strides) or not is_dense(b._array.shape, others):
        return False
    end, other_end = first + a._array.size, other + b._array.size
    if (first, end) == (other, other_end):
        return strides != others
    return first < other_end and other < end


def same_places(a: Variable, b: Variable) -> bool:
    """Whether two tensors of one shape have their elements in the same places of one memory, as PyTorch tells it: by
    their strides, those of axes of size 1 included."""
    return owner(a._array) is owner(b._array) and promised(a) == promised(b)


def restrided(view: np.ndarray, shape: Sequence[int], strides: Sequence[int]) -> np.ndarray | None:
    """The memory of `view`, from its first element on, under another shape and other strides in bytes; None where the
    whole memory can't be shown as one row."""
    whole = owner(view).ravel("K")
    if whole.flags.owndata or not view.size:
        return None
    result: np.ndarray = np.ndarray(shape, view.dtype, whole, address(view) - address(whole), strides)
    result.flags.writeable = view.flags.writeable
    return result


def with_unit_axes(view: np.ndarray, axes: Iterable[int]) -> np.ndarray:
    """`view`, whose `axes` of size 1 were added, with the strides that PyTorch gives such axes: as long as all that
    follows, 1 at the end."""
    strides = list(view.strides)
    for axis in sorted(axes, reverse=True):
        inner = axis + 1 < view.ndim
        strides[axis] = view.shape[axis + 1] * strides[axis + 1] if inner else view.itemsize
    if tuple(strides) == view.strides:
        return view
    result = restrided(view, view.shape, strides)
    return view if result is None else result


def repeats(array: np.ndarray) -> bool:
    """Whether an axis of several elements shows the same place over and over, as in an expanded array."""
    if 0 not in array.strides or not array.size:
        return False
    return any(size > 1 and not stride for size, stride in zip(array.shape, array.strides, strict=True))


def is_dense(shape: Sequence[int], strides: Strides) -> bool:
    """Whether elements `strides` apart fill their memory, without gaps or overlaps, in whatever order of the axes."""
    step = 1
    for stride, size in sorted([(stride, size) for size, stride in zip(shape, strides, strict=True) if size != 1]):
        if stride != step:
            return False
        step *= size
    return True
