"""Sums and means without NaN, deviations beside their means, covariances."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.arithmetic import Divide, Multiply, Subtract
from minicnn.operators.choosing import clamp
from minicnn.operators.elementwise import sqrt
from minicnn.operators.matmul import matmul
from minicnn.operators.operands import array_of, cast
from minicnn.operators.reduction import Dimensions, mean, std, sum, var
from minicnn.operators.shape import permute, reshape, squeeze
from minicnn.operators.tracing import Traceable


class WithoutNaN(Traceable, Operator):
    """x with 0 in the place of NaN; an infinite gradient is NaN there, and x may not change, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, nan: np.ndarray) -> np.ndarray:
        ctx.kept, ctx.freezes = ~nan, True
        return np.where(nan, x.dtype.type(0), x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g * ctx.kept


def _without_nan(input: Any, name: str) -> tuple[Any, np.ndarray]:
    """The input with 0 in the place of NaN, and where NaN was."""
    nan = np.asarray(np.isnan(array_argument(input, name)))
    watched = isinstance(input, Variable) and input._requires_grad
    return (WithoutNaN.apply(input, nan) if watched or nan.any() else input), nan


@numpy_spelling
def nansum(input: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum of the elements that aren't NaN; see `sum`."""
    return sum(_without_nan(input, "nansum")[0], dim, keepdim, dtype=dtype)


@numpy_spelling
def nanmean(input: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean of the elements that aren't NaN; see `mean`.

    Raises:
        DtypeError: for integers and bools.
    """
    array = array_argument(input, "nanmean")
    if array.dtype.kind != "f":
        raise DtypeError(f"nanmean needs a floating-point tensor, got {array.dtype}")
    kept, nan = _without_nan(input, "nanmean")
    total = sum(kept, dim, keepdim, dtype=dtype)
    return Divide.call(total, cast(sum(np.asarray(~nan), dim, keepdim), array_of(total).dtype))


@numpy_spelling
def std_mean(
    input: Any,
    dim: Dimensions = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple:
    """`std` and `mean` of the same arguments."""
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_spelling
def var_mean(
    input: Any,
    dim: Dimensions = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple:
    """`var` and `mean` of the same arguments."""
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, mean(input, None if isinstance(dim, bool) else dim, keepdim)


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables, one a row, of which every column is an observation.

    Args:
        input: (V, N), (N,) or ().
        correction: what is subtracted from the number of observations.
        fweights: (N,), integers, how often each observation occurred.
        aweights: (N,), floating point, how much each counts.

    Returns: (V, V), or () for one variable.

    Raises:
        ShapeError: for more than 2 dimensions, or weights of another shape, or negative ones.
        DtypeError: for bools, or weights of another dtype.
    """
    array = array_argument(input, "cov")
    if array.ndim > 2:
        raise ShapeError(f"cov needs at most 2 dimensions, got shape {array.shape}")
    if array.dtype == bool:
        raise DtypeError("cov does not support bool tensors")
    x = reshape(input, (1, -1)) if array.ndim < 2 else input
    observations = array_of(x).shape[1]
    weights = _weights(observations, fweights, aweights)
    x = x if array.dtype.kind == "f" else Multiply.call(x, 1.0)
    if weights is None:
        centred = Subtract.call(x, mean(x, 1, keepdim=True))
        norm: Any = observations - correction
        weighted = centred
    else:
        total = sum(weights)
        centred = Subtract.call(x, Divide.call(sum(Multiply.call(x, weights), 1, keepdim=True), total))
        weighted = Multiply.call(centred, weights)
        if correction == 0:
            norm = total
        elif aweights is None:
            norm = Subtract.call(total, correction)
        else:
            norm = Subtract.call(
                total, Multiply.call(Divide.call(sum(Multiply.call(weights, aweights)), total), correction)
            )
        norm = clamp(norm, min=0)
    product = matmul(centred, permute(weighted, 1, 0))
    result = Divide.call(product, norm if weights is not None else float(max(norm, 0)))
    return squeeze(result)


def _weights(observations: int, fweights: Any, aweights: Any) -> Any:
    """The product of the weights; None without any."""
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if given is None:
            continue
        array = array_argument(given, "cov")
        if array.shape != (observations,):
            raise ShapeError(f"cov needs {name} of shape ({observations},), got {array.shape}")
        if array.dtype.kind not in kinds:
            raise DtypeError(f"cov needs {name} of another dtype than {array.dtype}")
        if array.size and array.min() < 0:
            raise ShapeError(f"cov needs {name} that aren't negative")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return Multiply.call(fweights, aweights)


def corrcoef(input: Any) -> Any:
    """The correlation coefficients of variables, one a row; see `cov`.

    Returns: (V, V), or () for one variable.
    """
    covariance = cov(input)
    if not array_of(covariance).ndim:
        return Divide.call(covariance, covariance)
    size = array_of(covariance).shape[0]
    diagonal = np.arange(size)
    deviations = sqrt(covariance[diagonal, diagonal])
    scaled = Divide.call(Divide.call(covariance, reshape(deviations, (-1, 1))), reshape(deviations, (1, -1)))
    return clamp(scaled, -1, 1)
