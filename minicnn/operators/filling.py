"""Tensors filled with random numbers in place: `normal_`, `uniform_`, `random_` and their kin."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minicnn.dtypes import float32, float64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.drawing import (
    Drawn,
    bernoulli_array,
    check_between,
    check_floating,
    integers_of,
    standard_normal,
)
from minicnn.operators.numbers import integer_argument, number
from minicnn.random import Generator, numpy_generator


def _filling(draw: Callable) -> Callable:
    """The method that fills a tensor in place with what `draw(array, ..., generator=)` gives."""

    @wraps(draw)
    def fill(self: Any, *args: Any, generator: Generator | None = None, **named: Any) -> Any:
        array = self._array
        with np.errstate(all="ignore"):
            values = np.asarray(draw(array, *args, generator=generator, **named)).astype(array.dtype, copy=False)
        return self._assign(lambda former: Drawn.apply(values, former))

    return fill


def _filler(draw: Callable) -> Callable:
    """As `_filling`, for a `draw` whose other arguments are floats; Tensors without dimensions may stand for them."""

    @wraps(draw)
    def call(array: np.ndarray, *args: Any, generator: Generator | None, **named: Any) -> Any:
        numbers = [float(number(value, f"an argument of {draw.__name__}")) for value in args]
        return draw(
            array, *numbers, generator=generator, **{name: float(number(value, name)) for name, value in named.items()}
        )

    return _filling(call)


@_filler
def normal_(array: np.ndarray, mean: float = 0, std: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from a normal distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a negative `std`.
    """
    check_floating("normal_", array)
    if not std >= 0:
        raise ShapeError(f"normal_ needs std >= 0, got {std}")
    return standard_normal(array.shape, generator, array.dtype) * array.dtype.type(std) + array.dtype.type(mean)


@_filler
def log_normal_(array: np.ndarray, mean: float = 1, std: float = 2, *, generator: Any = None) -> Any:
    """Fill with e to the power of draws from a normal distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a `std` that isn't positive.
    """
    check_floating("log_normal_", array)
    if not std > 0:
        raise ShapeError(f"log_normal_ needs std > 0, got {std}")
    return np.exp(standard_normal(array.shape, generator, np.dtype(float)) * std + mean)


def _uniform(array: np.ndarray, low: float = 0, high: float = 1, *, generator: Any = None) -> Any:
    check_floating("uniform_", array)
    most = float(np.finfo(array.dtype).max)
    if not (abs(low) <= most and abs(high) <= most):
        raise ShapeError(f"uniform_ needs bounds that {array.dtype} can hold, got {low} and {high}")
    if low > high or high - low > most:
        raise ShapeError(f"uniform_ needs from <= to, less than {most:.4g} apart, got {low} and {high}")
    wanted = array.dtype if array.dtype in (float32, float64) else float32
    drawn = np.asarray(numpy_generator(generator).random(array.shape, wanted))
    values = (drawn * wanted.type(high - low) + wanted.type(low)).astype(array.dtype, copy=False)
    end = array.dtype.type(high)
    return np.where(values < end, values, np.nextafter(end, array.dtype.type(low)))  # rounding may reach the end


_UNIFORM = _filler(_uniform)


def uniform_(self: Any, *bounds: float, generator: Generator | None = None, **named: float) -> Any:
    """Fill with draws from the uniform distribution on [from, to): `uniform_(from=0, to=1)`; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for bounds in the wrong order, or that the dtype can't hold.
    """
    return _UNIFORM(self, *_from_to(bounds, named, (0, 1), "uniform_"), generator=generator)


def _from_to(given: tuple, named: dict, defaults: tuple, name: str) -> list:
    """The arguments `from`, which is no name in Python, and `to`."""
    values = dict(zip(("from", "to"), given, strict=False))
    unknown = [key for key in named if key not in ("from", "to") or key in values]
    if unknown or len(given) > 2:
        raise TypeError(f"{name} takes from and to once each, got {given} and {named}")
    values.update(named)
    return [values.get(key, default) for key, default in zip(("from", "to"), defaults, strict=True)]


@_filling
def _random(array: np.ndarray, low: Any, end: Any, *, generator: Any = None) -> Any:
    dtype = array.dtype
    if end is None:
        whole = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else min(integers_of(dtype)[1], 2**63 - 1)
        end = whole + 1
    if low is None:
        low = 0
    start, stop = integer_argument(low, "random_", "from"), integer_argument(end, "random_", "to")
    check_between("random_", start, stop, dtype)
    return numpy_generator(generator).integers(start, stop - 1, array.shape, endpoint=True)


def random_(self: Any, *bounds: Any, generator: Generator | None = None, **named: Any) -> Any:
    """Fill with integers drawn uniformly: `random_()`, `random_(to)` or `random_(from, to)`, without `to`.

    Without `to` they go up to the largest that the dtype holds; floating-point ones to the largest up to which they
    hold all integers. Returns the tensor.

    Raises:
        TypeError: for bounds that aren't ints.
        ShapeError: for bounds in the wrong order.
        RuntimeError: for integers that the dtype can't hold.
    """
    if len(bounds) == 1 and not named:
        bounds = (0, *bounds)
    return _random(self, *_from_to(bounds, named, (None, None), "random_"), generator=generator)


@_filling
def bernoulli_(array: np.ndarray, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with 1 with probability `p`, a number or a Tensor that broadcasts, and 0 otherwise; returns the tensor.

    Raises:
        DtypeError: for a Tensor `p` of integers.
        ShapeError: for a probability outside of [0, 1].
    """
    return bernoulli_array(array.shape, p, generator)


@_filler
def exponential_(array: np.ndarray, lambd: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from the exponential distribution of rate `lambd`, which are above 0; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a rate that isn't positive.
    """
    check_floating("exponential_", array)
    if not lambd > 0:
        raise ShapeError(f"exponential_ needs lambd > 0, got {lambd}")
    drawn = numpy_generator(generator).standard_exponential(array.shape)
    return np.maximum(drawn, np.finfo(array.dtype).tiny) / lambd


@_filler
def geometric_(array: np.ndarray, p: float, *, generator: Any = None) -> Any:
    """Fill with the number of trials up to the first success, each of probability `p`; returns the tensor.

    Raises:
        DtypeError: for bools.
        ShapeError: for a probability that isn't between 0 and 1.
    """
    if array.dtype.kind == "b":
        raise DtypeError("geometric_ gives numbers, got dtype bool")
    if not 0 < p < 1:
        raise ShapeError(f"geometric_ needs p between 0 and 1, got {p}")
    return numpy_generator(generator).geometric(float(p), array.shape)


@_filler
def cauchy_(array: np.ndarray, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from a Cauchy distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a `sigma` that isn't positive.
    """
    check_floating("cauchy_", array)
    if not sigma > 0:
        raise ShapeError(f"cauchy_ needs sigma > 0, got {sigma}")
    return np.asarray(numpy_generator(generator).standard_cauchy(array.shape)) * sigma + median
