"""Axes in another order, and one axis as several: views."""

import warnings
from collections.abc import Callable
from typing import Any

from minicnn.autograd import Variable
from minicnn.autograd.graph import entitled
from minicnn.autograd.storage import is_contiguous
from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.indexing import Take
from minicnn.operators.numbers import integers_argument, is_integer
from minicnn.operators.shape import Contiguous, permute, reshape, transpose, view


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, as a view; the others keep their order.

    Args:
        input: any tensor.
        source: an axis or a tuple of them.
        destination: where each goes: an int where `source` is one, else a tuple as long.

    Raises:
        ShapeError: for an axis twice, or tuples of different lengths.
        IndexError: for axes out of range.
        TypeError: for anything else, or an int beside a tuple.
    """
    if is_integer(source) != is_integer(destination):
        raise TypeError(f"movedim needs source and destination alike, ints or tuples, got {source!r}, {destination!r}")
    ndim = array_argument(input, "movedim").ndim
    wanted = [
        integers_argument(dims, "movedim", name)
        for dims, name in zip((source, destination), ("source", "destination"), strict=True)
    ]
    if len(wanted[0]) != len(wanted[1]):
        raise ShapeError(f"movedim needs as many dims in source as in destination, got {wanted[0]} and {wanted[1]}")
    start, end = [[single_axis(dim, ndim) for dim in dims] for dims in wanted]
    for dims, name in ((start, "source"), (end, "destination")):
        if len(set(dims)) != len(dims):
            raise ShapeError(f"movedim: repeated dim in {name}, {dims}")
    if not ndim:
        return permute(input, ())
    taken, others = dict(zip(end, start, strict=True)), iter([axis for axis in range(ndim) if axis not in start])
    return permute(input, [taken[axis] if axis in taken else next(others) for axis in range(ndim)])


moveaxis = movedim


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Two axes swapped, as a view; see `transpose`."""
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes swapped, as a view; see `transpose`."""
    return transpose(input, dim0, dim1)


@entitled("TBackward0")
def t(input: Any) -> Any:
    """A matrix transposed, as a view; fewer dimensions stay as they are.

    Raises:
        ShapeError: for more than 2 dimensions.
    """
    shape = array_argument(input, "t").shape
    if len(shape) > 2:
        raise ShapeError(f"t() needs at most 2 dimensions, got shape {shape}")
    return permute(input, tuple(range(len(shape)))[::-1])


def reversed_axes(input: Any) -> Any:
    """`input.T`: the axes in reverse order, as a view. Other than matrices torch deprecates, and warns."""
    ndim = array_argument(input, "T").ndim
    if ndim not in (1, 2):
        warnings.warn(
            f"`x.T` of a tensor with {ndim} dimensions is deprecated in PyTorch; use `x.mT` for batches of matrices, "
            "or `x.permute` to reverse the dimensions",
            stacklevel=2,
        )
    return permute(input, tuple(range(ndim))[::-1])


def _matrices(name: str, most: int | None = None) -> Callable[[Any], Any]:
    """The function that transposes matrices, batches of them unless there are `most` dimensions."""

    def transposed(input: Any) -> Any:
        shape = array_argument(input, name).shape
        if len(shape) == 1 or (most is not None and len(shape) > most):
            raise ShapeError(
                f"{name} needs a matrix{'' if most else ' or a batch of matrices'}, got a tensor of shape {shape}"
            )
        if not shape:
            warnings.warn(f"{name} of a tensor without dimensions is deprecated in PyTorch", stacklevel=2)
            return input
        return transpose(input, -2, -1)

    transposed.__name__ = transposed.__qualname__ = name
    transposed.__doc__ = f"""`{name}`: the last two axes swapped, as a view; numbers are real, so nothing is conjugated.

    Raises:
        ShapeError: for a tensor that is no matrix{"" if most else " or batch of matrices"}.
    """
    return transposed


mT, mH, adjoint = _matrices("mT"), _matrices("mH"), _matrices("adjoint")  # noqa: N816 (torch's names)
H = _matrices("H", most=2)


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One axis as several, as a view where `view` allows.

    Args:
        input: any tensor with dimensions.
        dim: the axis.
        sizes: of the axes in its place, a tuple; one may be -1.

    Raises:
        ShapeError: for no sizes, or sizes whose product isn't the axis's size.
        IndexError: for a `dim` out of range.
    """
    shape = array_argument(input, "unflatten").shape
    axis = single_axis(dim, len(shape))
    if not isinstance(sizes, (tuple, list)):
        raise TypeError(f"unflatten needs sizes as a tuple of ints, got {sizes!r}")
    wanted = integers_argument(sizes, "unflatten", "sizes")
    if not wanted or not shape:
        raise ShapeError(f"unflatten needs a tensor with dimensions and sizes, got shape {shape} and sizes {wanted}")
    return view(input, *shape[:axis], *_filled_in(wanted, shape[axis], axis), *shape[axis + 1 :])


def _filled_in(sizes: tuple[int, ...], length: int, axis: int) -> list[int]:
    """`sizes` with -1 replaced, whose product is `length`."""
    product = 1
    for size in sizes:
        product *= 1 if size == -1 else size
    unknown = sizes.count(-1)
    fits = product == length if not unknown else unknown == 1 and product > 0 and length % product == 0
    if not fits or min(sizes) < -1:
        raise ShapeError(f"unflatten: sizes {list(sizes)} don't multiply up to the size {length} of dim {axis}")
    return [length // product if size == -1 else size for size in sizes]


def ravel(input: Any) -> Any:
    """All elements along one axis, in row-major order: a view where they lie so, else a copy."""
    tensor = input if isinstance(input, Variable) else Variable._computed(array_argument(input, "ravel"))
    return reshape(tensor if is_contiguous(tensor) else Contiguous.apply(tensor), (tensor._array.size,))


def atleast(input: Any, ndim: int, front: int) -> Any:
    """With axes of size 1 up to `ndim`: up to `front` axes in front, the others behind; itself if it has enough."""
    missing = ndim - array_argument(input, f"atleast_{ndim}d").ndim
    if missing <= 0:
        return input
    before = max(front - (ndim - missing), 0)
    return Take.apply(input, (*[None] * before, ..., *[None] * (missing - before)))
