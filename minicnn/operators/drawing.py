"""Random numbers drawn according to tensors, and tensors filled with them in place.

What is drawn depends on nothing: gradients with respect to the tensors that say how to draw, or that were there
before, are 0, as in PyTorch.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import float32, float64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.integers import integer_argument
from minicnn.operators.operands import array_of, check_broadcast
from minicnn.operators.out import deliver
from minicnn.random import Generator, numpy_generator


class Drawn(Operator):
    """Values that don't depend on the tensors beside them."""

    @staticmethod
    def forward(ctx: Any, values: np.ndarray, *sources: np.ndarray) -> np.ndarray:
        ctx.shapes = [source.shape for source in sources]
        return values

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return None, *[np.zeros(shape, g.dtype) for shape in ctx.shapes]


def integers_of(dtype: np.dtype) -> tuple[int, int]:
    """The least and the largest integer of `dtype`."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def check_between(name: str, low: int, end: int, dtype: np.dtype) -> None:
    """Raise where there is no integer from `low` up to but without `end`, or one that `dtype` or int64 can't hold."""
    if low >= end:
        raise ShapeError(f"{name} needs its first bound below the other, got {low} and {end}")
    least, most = integers_of(dtype)
    if low < least or end - 1 > most or low < -(2**63) or end > 2**63:
        raise RuntimeError(f"{name} can't draw {dtype} from {low} to {end - 1}")


def _check_floating(name: str, *arrays: np.ndarray) -> None:
    for array in arrays:
        if array.dtype.kind != "f":
            raise DtypeError(f"{name} needs floating-point tensors, got {array.dtype}")


def _standard_normal(shape: tuple[int, ...], generator: Generator | None, dtype: np.dtype) -> np.ndarray:
    wanted = dtype if dtype in (float32, float64) else float32
    return np.asarray(numpy_generator(generator).standard_normal(shape, wanted))


def normal(mean: Any, std: Any, size: Any, generator: Generator | None, dtype: np.dtype | None) -> Any:
    """Draws from normal distributions; see `minicnn.normal`."""
    tensors = [one for one in (mean, std) if isinstance(array_of(one), np.ndarray)]
    if bool(tensors) == (size is not None):
        raise TypeError("normal needs a size beside two numbers, and none beside a Tensor")
    arrays = [array_of(tensor) for tensor in tensors]
    _check_floating("normal", *arrays)
    if not (np.asarray(array_of(std)) >= 0).all() and not np.isnan(np.asarray(array_of(std), float)).any():
        raise ShapeError("normal needs std >= 0")
    if tensors:
        check_broadcast(*[array.shape for array in arrays])
        size, dtype = np.broadcast_shapes(*[array.shape for array in arrays]), dtype or arrays[0].dtype
    wanted = dtype or float32
    if wanted.kind != "f":
        raise DtypeError(f"normal draws floating-point numbers, got dtype {wanted}")
    with np.errstate(all="ignore"):
        values = _standard_normal(size, generator, wanted) * array_of(std) + array_of(mean)
    return Drawn.apply(np.asarray(values, wanted), *tensors)


def bernoulli(input: Any, p: Any = None, *, generator: Generator | None = None, out: Any = None) -> Any:
    """1 with the probabilities in `input`, 0 otherwise.

    Args:
        input: probabilities, floating point; where `p` is given, only its shape and dtype count.
        p: one probability for all elements.
        generator: where the numbers come from; the default one unless given.
        out: a Tensor for the result.

    Returns: zeros and ones in the shape and dtype of `input`.

    Raises:
        DtypeError: for integers.
        ShapeError: for a probability outside of [0, 1].
    """
    array = array_argument(input, "bernoulli")
    values = _bernoulli(array.shape, array if p is None else p, generator).astype(array.dtype)
    return deliver(Drawn.apply(values, input), out)


def _bernoulli(shape: tuple[int, ...], p: Any, generator: Generator | None) -> np.ndarray:
    probabilities = array_of(p)
    if isinstance(probabilities, np.ndarray):
        _check_floating("bernoulli", probabilities)
        if np.broadcast_shapes(probabilities.shape, shape) != shape:
            raise ShapeError(f"bernoulli_ can't expand p of shape {probabilities.shape} to {shape}")
    values = np.asarray(probabilities)
    if not ((values >= 0) & (values <= 1)).all():
        raise ShapeError(f"bernoulli needs probabilities in [0, 1], got {p}")
    return np.asarray(numpy_generator(generator).random(shape)) < probabilities


def poisson(input: Any, generator: Generator | None = None) -> Any:
    """Draws from Poisson distributions of these means.

    Raises:
        DtypeError: for integers.
        ShapeError: for means that are negative, NaN, or too large for 64 bits.
    """
    array = array_argument(input, "poisson")
    _check_floating("poisson", array)
    if not (array >= 0).all() or (array > 9e18).any():
        raise ShapeError("poisson needs means that are >= 0 and at most 9e18")
    return Drawn.apply(np.asarray(numpy_generator(generator).poisson(array)).astype(array.dtype), input)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Any:
    """Indices drawn with the probabilities in each row.

    Args:
        input: (n,) or (rows, n), floating point and not negative; rows needn't add up to 1.
        num_samples: how many from each row.
        replacement: whether an index may be drawn several times.
        generator: where the numbers come from; the default one unless given.
        out: a Tensor for the result.

    Returns: (num_samples,) or (rows, num_samples), int64.

    Raises:
        ShapeError: for other shapes, more samples than there are without replacement, fewer than 1, or probabilities
            that are negative, infinite, NaN or all 0.
        DtypeError: for integers.
    """
    array, count = array_argument(input, "multinomial"), integer_argument(num_samples, "multinomial", "num_samples")
    if array.ndim not in (1, 2):
        raise ShapeError(f"multinomial needs 1 or 2 dimensions, got shape {array.shape}")
    _check_floating("multinomial", array)
    if count < 1 or (not replacement and count > array.shape[-1]):
        raise ShapeError(f"multinomial can't draw {count} samples from {array.shape[-1]}")
    weights = array.astype(np.float64).reshape(-1, array.shape[-1]) if array.size else np.zeros((len(array), 1))
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ShapeError("multinomial needs probabilities that are finite and not negative")
    if array.size and not (weights.sum(1) > 0).all():
        raise ShapeError("multinomial needs a probability above 0 in every row")
    stream = numpy_generator(generator)
    if not array.size:
        drawn = np.zeros((len(array), count), np.int64)
    elif replacement:
        ends = np.cumsum(weights, 1)
        ends /= ends[:, -1:]
        points = stream.random((len(weights), count))
        drawn = np.array([np.searchsorted(*row, "right") for row in zip(ends, points, strict=True)], np.int64)
    else:  # the largest of weight / exponential: Efraimidis and Spirakis, Weighted random sampling (2006)
        races = weights / np.maximum(stream.standard_exponential(weights.shape), np.finfo(np.float64).tiny)
        drawn = np.argsort(-races, 1, "stable")[:, :count]
    return deliver(Variable._computed(np.ascontiguousarray(drawn.reshape((*array.shape[:-1], count)))), out)


def _filler(draw: Callable) -> Callable:
    """The method that fills a tensor in place with what `draw(array, ..., stream)` gives."""

    @wraps(draw)
    def fill(self: Any, *args: Any, generator: Generator | None = None, **kwargs: Any) -> Any:
        array = self._array
        with np.errstate(all="ignore"):
            values = np.asarray(draw(array, *args, generator=generator, **kwargs))
            values = values.astype(array.dtype, copy=False)
        return self._assign(lambda former: Drawn.apply(values, former))

    fill.__qualname__ = f"Tensor.{draw.__name__}"
    return fill


@_filler
def normal_(array: np.ndarray, mean: float = 0, std: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from a normal distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a negative `std`.
    """
    _check_floating("normal_", array)
    if float(std) < 0:
        raise ShapeError(f"normal_ needs std >= 0, got {std}")
    return _standard_normal(array.shape, generator, array.dtype) * array.dtype.type(std) + array.dtype.type(mean)


@_filler
def log_normal_(array: np.ndarray, mean: float = 1, std: float = 2, *, generator: Any = None) -> Any:
    """Fill with e to the power of draws from a normal distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a `std` that isn't positive.
    """
    _check_floating("log_normal_", array)
    if not float(std) > 0:
        raise ShapeError(f"log_normal_ needs std > 0, got {std}")
    return np.exp(_standard_normal(array.shape, generator, np.dtype(float)) * float(std) + float(mean))


def _uniform(array: np.ndarray, low: float = 0, high: float = 1, *, generator: Any = None) -> Any:
    _check_floating("uniform_", array)
    low, high = float(low), float(high)
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


@_filler
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


@_filler
def bernoulli_(array: np.ndarray, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with 1 with probability `p`, a number or a Tensor that broadcasts, and 0 otherwise; returns the tensor.

    Raises:
        DtypeError: for a Tensor `p` of integers.
        ShapeError: for a probability outside of [0, 1].
    """
    return _bernoulli(array.shape, p, generator)


@_filler
def exponential_(array: np.ndarray, lambd: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from the exponential distribution of rate `lambd`, which are above 0; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a rate that isn't positive.
    """
    _check_floating("exponential_", array)
    if not float(lambd) > 0:
        raise ShapeError(f"exponential_ needs lambd > 0, got {lambd}")
    drawn = numpy_generator(generator).standard_exponential(array.shape)
    return np.maximum(drawn, np.finfo(array.dtype).tiny) / float(lambd)


@_filler
def geometric_(array: np.ndarray, p: float, *, generator: Any = None) -> Any:
    """Fill with the number of trials up to the first success, each of probability `p`; returns the tensor.

    Raises:
        DtypeError: for bools.
        ShapeError: for a probability that isn't between 0 and 1.
    """
    if array.dtype.kind == "b":
        raise DtypeError("geometric_ gives numbers, got dtype bool")
    if not 0 < float(p) < 1:
        raise ShapeError(f"geometric_ needs p between 0 and 1, got {p}")
    return numpy_generator(generator).geometric(float(p), array.shape)


@_filler
def cauchy_(array: np.ndarray, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Any:
    """Fill with draws from a Cauchy distribution; returns the tensor.

    Raises:
        DtypeError: for integers.
        ShapeError: for a `sigma` that isn't positive.
    """
    _check_floating("cauchy_", array)
    if not float(sigma) > 0:
        raise ShapeError(f"cauchy_ needs sigma > 0, got {sigma}")
    return np.asarray(numpy_generator(generator).standard_cauchy(array.shape)) * float(sigma) + float(median)
