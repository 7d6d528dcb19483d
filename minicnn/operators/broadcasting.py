"""Shapes that several tensors broadcast to, grids over several axes, and what is built of them."""

import itertools
import warnings
from typing import Any

import numpy as np

from minicnn.attributes import Size
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.indexing import Pick
from minicnn.operators.joining import stack
from minicnn.operators.numbers import integer_argument, integers_argument
from minicnn.operators.operands import array_of, cast
from minicnn.operators.shape import expand, flatten, reshape


def broadcast_to(input: Any, size: Any) -> Any:
    """`input` expanded to the shape `size`, a tuple, as a view; see `expand`."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"broadcast_to needs size as a tuple of ints, got {size!r}")
    return expand(input, tuple(size))


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape to which these shapes broadcast, each a tuple or an int.

    Raises:
        ShapeError: where they don't, or for negative sizes.
    """
    listed = [integers_argument(shape, "broadcast_shapes", "shapes") for shape in shapes]
    ndim = max(map(len, listed), default=0)
    wide = [(*[1] * (ndim - len(shape)), *shape) for shape in listed]
    result = []
    for sizes in zip(*wide, strict=True):
        others = set(sizes) - {1}
        if len(others) > 1 or min(sizes) < 0:
            raise ShapeError(f"shapes {' and '.join(map(str, listed))} can't be broadcast together")
        result.append(others.pop() if others else 1)
    return Size(result)


def broadcast_tensors(*tensors: Any) -> tuple:
    """All tensors expanded to the shape to which they broadcast, as views.

    Raises:
        ShapeError: where their shapes don't broadcast together.
    """
    shape = broadcast_shapes(*[array_argument(tensor, "broadcast_tensors").shape for tensor in tensors])
    return tuple([expand(tensor, shape) for tensor in tensors])


def as_list(tensors: tuple) -> tuple:
    """What `f(a, b)` and `f([a, b])` mean alike."""
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple:
    """Coordinates of a grid: for every axis a tensor of the grid's shape that varies along that axis, as views.

    Args:
        tensors: the coordinates along each axis, of one dimension or none; a list of them is the same.
        indexing: `"ij"`: the first tensor varies along the first axis; `"xy"`: along the second. Where it isn't given
            it is "ij", with PyTorch's warning that this will change.

    Raises:
        ShapeError: for no tensors, more dimensions, or another `indexing`.
        DtypeError: for tensors of different dtypes.
    """
    listed = as_list(tensors)
    arrays = [array_argument(tensor, "meshgrid") for tensor in listed]
    if not arrays:
        raise ShapeError("meshgrid expects a non-empty list of Tensors")
    for array in arrays:
        if array.ndim > 1:
            raise ShapeError(f"meshgrid needs tensors of one dimension at most, got shape {array.shape}")
        if array.dtype != arrays[0].dtype:
            raise DtypeError(f"meshgrid needs tensors of one dtype, got {arrays[0].dtype} and {array.dtype}")
    if indexing not in (None, "ij", "xy"):
        raise ShapeError(f'meshgrid needs indexing "ij" or "xy", got {indexing!r}')
    if indexing is None and len(arrays) > 1:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.", stacklevel=2
        )
    swaps = indexing == "xy" and len(arrays) > 1
    if swaps:
        listed = (listed[1], listed[0], *listed[2:])
    shape = [array_of(tensor).size for tensor in listed]
    grids = []
    for axis, tensor in enumerate(listed):
        along = [1] * len(shape)
        along[axis] = shape[axis]
        grids.append(expand(reshape(tensor, along), shape))
    if swaps:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of an element of each tensor, as rows: (n₁ · n₂ · …, number of tensors).

    Raises:
        ShapeError: for no tensors, or one that hasn't one dimension.
        DtypeError: for tensors of different dtypes.
    """
    for tensor in tensors:
        _check_vector(tensor, "cartesian_prod")
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(grid) for grid in meshgrid(*tensors, indexing="ij")], 1)


def _check_vector(tensor: Any, name: str) -> int:
    shape = array_argument(tensor, name).shape
    if len(shape) != 1:
        raise ShapeError(f"{name} expects a 1D vector, but got shape {shape}")
    return shape[0]


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All combinations of `r` elements, as rows.

    Args:
        input: a tensor of one dimension.
        r: how many elements each has.
        with_replacement: whether an element may occur several times in one.

    Raises:
        ShapeError: for more or fewer dimensions, or a negative `r`.
    """
    size, count = _check_vector(input, "combinations"), integer_argument(r, "combinations", "r")
    if count < 0:
        raise ShapeError(f"combinations needs r >= 0, got {count}")
    if not count:
        return Variable._computed(np.empty(0, array_of(input).dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(size), count)), np.int64).reshape(-1, count)
    return Pick.apply(input, rows)


class BlockDiagonal(Operator):
    """Matrices along the diagonal of a larger one."""

    @staticmethod
    def forward(ctx: Any, *matrices: np.ndarray) -> np.ndarray:
        ends = np.cumsum([(0, 0), *[matrix.shape for matrix in matrices]], 0)
        ctx.places = [tuple(map(slice, start, end)) for start, end in itertools.pairwise(ends.tolist())]
        y = np.zeros(ends[-1], matrices[0].dtype)
        for place, matrix in zip(ctx.places, matrices, strict=True):
            y[place] = matrix
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return tuple([g[place] for place in ctx.places])

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return tuple([g[place] for place in ctx.places])


def block_diag(*tensors: Any) -> Any:
    """A matrix with these matrices along its diagonal, and zeros elsewhere.

    Args:
        tensors: of two dimensions at most; vectors are rows.

    Raises:
        ShapeError: for more dimensions.
    """
    arrays = [array_argument(tensor, "block_diag") for tensor in tensors]
    for position, array in enumerate(arrays):
        if array.ndim > 2:
            raise ShapeError(f"block_diag needs tensors of 2 dimensions at most, tensor {position} has {array.shape}")
    if not arrays:
        return Variable._computed(np.zeros((1, 0), np.float32))
    dtype = result_type(*arrays)
    shapes = [array.shape if array.ndim == 2 else (1, array.size) for array in arrays]
    return BlockDiagonal.apply(
        *[reshape(cast(tensor, dtype), shape) for tensor, shape in zip(tensors, shapes, strict=True)]
    )
