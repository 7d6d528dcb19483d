"""Random numbers drawn according to tensors: `normal`, `bernoulli`, `poisson`, `multinomial`.

What is drawn depends on nothing continuously: gradients with respect to the tensors that say how to draw are 0, as in
PyTorch.
"""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import default_float, float32, float64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.broadcasting import broadcast_shapes
from minicnn.operators.numbers import integer_argument
from minicnn.operators.operands import array_of
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

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return None, *[g.new_zeros(shape) for shape in ctx.shapes]


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


def check_floating(name: str, *arrays: np.ndarray) -> None:
    """Raise DtypeError for arrays that aren't floating point."""
    for array in arrays:
        if array.dtype.kind != "f":
            raise DtypeError(f"{name} needs floating-point tensors, got {array.dtype}")


def standard_normal(shape: tuple[int, ...], generator: Generator | None, dtype: np.dtype) -> np.ndarray:
    """Draws from the normal distribution of mean 0 and variance 1, float32 for what is neither float32 nor float64."""
    wanted = dtype if dtype in (float32, float64) else float32
    return np.asarray(numpy_generator(generator).standard_normal(shape, wanted))


def normal(mean: Any, std: Any, size: Any, generator: Generator | None, dtype: np.dtype | None) -> Any:
    """Draws from normal distributions; see `minicnn.normal`."""
    tensors = [one for one in (mean, std) if isinstance(array_of(one), np.ndarray)]
    if bool(tensors) == (size is not None):
        raise TypeError("normal needs a size beside two numbers, and none beside a Tensor")
    arrays = [array_of(tensor) for tensor in tensors]
    check_floating("normal", *arrays)
    if not (np.asarray(array_of(std)) >= 0).all():
        raise ShapeError("normal needs std >= 0")
    if tensors:
        size, dtype = broadcast_shapes(*[array.shape for array in arrays]), dtype or arrays[0].dtype
    wanted = dtype or default_float()
    if wanted.kind != "f":
        raise DtypeError(f"normal draws floating-point numbers, got dtype {wanted}")
    with np.errstate(all="ignore"):
        values = standard_normal(size, generator, wanted) * array_of(std) + array_of(mean)
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
    values = bernoulli_array(array.shape, array if p is None else p, generator).astype(array.dtype)
    return deliver(Drawn.apply(values, input), out)


def bernoulli_array(shape: tuple[int, ...], p: Any, generator: Generator | None) -> np.ndarray:
    """Booleans that are true with the probabilities `p`, a number, a Tensor or an array that broadcasts to `shape`."""
    probabilities = array_of(p)
    if isinstance(probabilities, np.ndarray):
        check_floating("bernoulli", probabilities)
        if broadcast_shapes(probabilities.shape, shape) != shape:
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
    check_floating("poisson", array)
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
    if out is not None and array_argument(out, "multinomial").dtype != np.int64:
        raise DtypeError(f"multinomial needs out of dtype int64, got {out.dtype}")
    if array.ndim not in (1, 2):
        raise ShapeError(f"multinomial needs 1 or 2 dimensions, got shape {array.shape}")
    check_floating("multinomial", array)
    if count < 1 or not array.shape[-1] or (not replacement and count > array.shape[-1]):
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
