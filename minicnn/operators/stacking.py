"""Tensors joined as rows, columns or layers, after `atleast_1d` to `atleast_3d` gave them the dimensions for it."""

from collections.abc import Callable, Sequence
from typing import Any

from minicnn.operators.arguments import array_argument
from minicnn.operators.axes import atleast
from minicnn.operators.broadcasting import as_list
from minicnn.operators.joining import cat, checked_tensors
from minicnn.operators.operands import array_of
from minicnn.operators.shape import reshape


def _at_least(ndim: int, front: int) -> Callable:
    """The function that gives tensors `ndim` dimensions at least, up to `front` of them in front."""

    def function(*tensors: Any) -> Any:
        listed = as_list(tensors)
        for tensor in listed:
            array_argument(tensor, f"atleast_{ndim}d")
        results = tuple([atleast(tensor, ndim, front) for tensor in listed])
        return results[0] if listed is tensors and len(results) == 1 else results

    function.__name__ = function.__qualname__ = f"atleast_{ndim}d"
    function.__doc__ = f"""Each tensor with {ndim} dimensions at least, as a view; itself where it has them.

    Args:
        tensors: Tensors, or a list of them.

    Returns: a Tensor for one, a tuple for several or a list.
    """
    return function


atleast_1d, atleast_2d, atleast_3d = _at_least(1, 1), _at_least(2, 2), _at_least(3, 2)


def _joined(tensors: Sequence, name: str, ndim: int, axis: int, out: Any) -> Any:
    """Tensors with `ndim` dimensions at least, joined along an axis."""
    listed = checked_tensors(tensors, name)
    return cat([atleast(tensor, ndim, 2) for tensor in listed], axis, out=out)


def hstack(tensors: Sequence, *, out: Any = None) -> Any:
    """Tensors side by side: joined along the second axis, or along the only one.

    Raises:
        ShapeError: for no tensors, or shapes that don't agree elsewhere.
        TypeError: for something else than a list or tuple of Tensors.
    """
    listed = [atleast(tensor, 1, 1) for tensor in checked_tensors(tensors, "hstack")]
    return cat(listed, 0 if array_of(listed[0]).ndim == 1 else 1, out=out)


def vstack(tensors: Sequence, *, out: Any = None) -> Any:
    """Tensors one below the other: joined along the first axis of at least two. Raises as `hstack`."""
    return _joined(tensors, "vstack", 2, 0, out)


row_stack = vstack


def dstack(tensors: Sequence, *, out: Any = None) -> Any:
    """Tensors one behind the other: joined along the third axis. Raises as `hstack`."""
    return _joined(tensors, "dstack", 3, 2, out)


def column_stack(tensors: Sequence, *, out: Any = None) -> Any:
    """Vectors as columns and matrices side by side. Raises as `hstack`."""
    listed = checked_tensors(tensors, "column_stack")
    columns = [reshape(t, (array_of(t).size, 1)) if array_of(t).ndim <= 1 else t for t in listed]
    return cat(columns, 1, out=out)
