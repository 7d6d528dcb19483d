"""Tensors of random numbers."""

from typing import Any

import numpy as np

from minicnn.creation.options import allocated, array_like, checked_shape, factory, laid
from minicnn.dtypes import check_fits, default_float, float32, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.drawing import check_between, integers_of
from minicnn.operators.drawing import normal as drawn_normal
from minicnn.operators.numbers import integer_argument, number
from minicnn.random import Generator, numpy_generator


def _floating(dtype: np.dtype) -> np.dtype:
    """`dtype`, of floating point, or DtypeError."""
    if dtype.kind != "f":
        raise DtypeError(f"random numbers are floating point, got dtype {dtype}")
    return dtype


def _fractions(name: str, shape: tuple[int, ...], generator: Generator | None, dtype: np.dtype) -> np.ndarray:
    """Draws of the method `name` of NumPy's generator, which knows float32 and float64."""
    draw = getattr(numpy_generator(generator), name)
    wanted = float32 if dtype.itemsize < 4 else dtype
    return allocated(draw, shape, wanted).astype(_floating(dtype), copy=False)


@factory
def randn(*args: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None) -> Any:
    """Draws from the normal distribution of mean 0 and variance 1: `randn(2, 3)` or `randn((2, 3))`.

    Args:
        generator: where the numbers come from; the default one unless given.

    Raises:
        DtypeError: for a dtype that isn't floating point.
        TypeError, ShapeError: for sizes that aren't ints, or negative ones.
    """
    return _fractions("standard_normal", checked_shape(args, size), generator, _floating(dtype or default_float()))


@factory
def rand(*args: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None) -> Any:
    """Draws from the uniform distribution on [0, 1); arguments and errors as for `randn`."""
    return _fractions("random", checked_shape(args, size), generator, _floating(dtype or default_float()))


@factory
def randn_like(input: Any, *, generator: Generator | None = None, memory_format: Any = None, dtype: Any = None) -> Any:
    """`randn` in the shape, dtype and memory order of `input`."""
    array = array_like(input, "randn_like")
    wanted = _floating(dtype or array.dtype)
    return laid(_fractions("standard_normal", array.shape, generator, wanted), input, memory_format)


@factory
def rand_like(input: Any, *, generator: Generator | None = None, memory_format: Any = None, dtype: Any = None) -> Any:
    """`rand` in the shape, dtype and memory order of `input`."""
    array = array_like(input, "rand_like")
    wanted = _floating(dtype or array.dtype)
    return laid(_fractions("random", array.shape, generator, wanted), input, memory_format)


@factory
def randint(
    low: Any = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None
) -> Any:
    """Integers drawn uniformly from [low, high), int64: `randint(high, size)` or `randint(low, high, size)`.

    Args:
        low, high: ints, or Tensors without dimensions that stand for one.
        size: the shape, a tuple.
        generator: where the numbers come from; the default one unless given.

    Raises:
        TypeError: without a `size`, or for bounds that aren't ints.
        ShapeError: where nothing lies between `low` and `high`.
        RuntimeError: where the dtype can't hold what lies between them.
    """
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint needs size as a tuple of ints, got {size!r}")
    return _integers(low, high, checked_shape((size,)), generator, dtype or int64)


@factory
def randint_like(
    input: Any,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    memory_format: Any = None,
    dtype: Any = None,
) -> Any:
    """`randint` in the shape, dtype and memory order of `input`: `randint_like(x, high)` or `(x, low, high)`."""
    array = array_like(input, "randint_like")
    if high is None or low is None:
        low, high = 0, low if high is None else high
    return laid(_integers(low, high, array.shape, generator, dtype or array.dtype), input, memory_format)


def _integers(low: Any, high: Any, shape: tuple, generator: Generator | None, dtype: np.dtype) -> np.ndarray:
    lowest, end = integer_argument(low, "randint", "low"), integer_argument(high, "randint", "high")
    check_fits(end, int64)
    check_between("randint", lowest, end, dtype)
    return allocated(numpy_generator(generator).integers, lowest, end, shape).astype(dtype)


@factory
def randperm(n: Any, *, generator: Generator | None = None, dtype: Any = None) -> Any:
    """The integers 0 … n − 1 in random order, int64.

    Raises:
        TypeError: for an `n` that isn't an int, or dtype bool.
        ShapeError: for a negative `n`.
        RuntimeError: for more numbers than the dtype, or the memory, can hold.
    """
    count, wanted = integer_argument(n, "randperm", "n"), dtype or int64
    if count < 0:
        raise ShapeError(f"randperm needs n >= 0, got {count}")
    if wanted.kind == "b":
        raise DtypeError("randperm gives numbers, got dtype bool")
    largest = 2 ** (np.finfo(wanted).nmant + 1) if wanted.kind == "f" else integers_of(wanted)[1]
    if count - 1 > largest or count >= 2**63:
        raise RuntimeError(f"randperm can't give {count} different numbers of {wanted}")
    return allocated(numpy_generator(generator).permutation, count).astype(wanted)


@factory
def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None
) -> Any:
    """Draws from normal distributions: `normal(mean, std)` for Tensors, `normal(0.0, 1.0, size)` for numbers.

    Args:
        mean: a floating-point Tensor, or a number.
        std: likewise; at least one of them is a Tensor unless there is a `size`. They broadcast.
        size: the shape, a tuple, where both are numbers.
        generator: where the numbers come from; the default one unless given.
        dtype: with `size` only; the default one where it isn't given. Otherwise the Tensor `mean`, else `std`, decides.

    Raises:
        TypeError: for two numbers without `size`, or a `size` beside Tensors.
        ShapeError: for a negative `std`, or shapes that don't broadcast.
        DtypeError: for Tensors of integers.
    """
    if size is None:
        return drawn_normal(mean, std, None, generator, dtype)
    shape = checked_shape((size,) if isinstance(size, (tuple, list)) else (None,))
    return drawn_normal(number(mean, "mean"), number(std, "std"), shape, generator, dtype)
