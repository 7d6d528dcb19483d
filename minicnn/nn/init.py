"""Initial values for parameters: the distributions of `torch.nn.init`, drawn in place.

Every function changes its tensor in place, outside any graph, and returns it. `generator` names the stream
of random numbers to draw from, `minicnn.random`'s default one if None. The values depend on the stream, the
shape and the dtype, never on the order of the elements in memory.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import no_grad
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor

_UNIT_GAIN = (
    *("linear", "conv1d", "conv2d", "conv3d"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"),
)

DRAWN_AT_ONCE = 2**16
"""Numbers drawn in one go: 256 KiB of float32."""
LEAST_ROWS = 16
"""Rows drawn in one go at least: a cache line of each column."""


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much a layer's weights should be larger on account of the nonlinearity behind it.

    Args:
        nonlinearity: a name in `nn.functional`: 1 for "linear", "conv2d" and its kin, and "sigmoid"; 5/3 for
            "tanh"; √2 for "relu"; √(2 / (1 + slope²)) for "leaky_relu"; 3/4 for "selu".
        param: the negative slope of "leaky_relu"; None means 0.01.

    Raises:
        ValueError: for another name, or a slope that is no number.
    """
    if nonlinearity in _UNIT_GAIN:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _checked(tensor: Tensor) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor must be a Tensor, got {type(tensor).__name__}")
    return tensor


def _fill(tensor: Tensor, values: np.ndarray) -> Tensor:
    tensor._array[...] = values
    tensor._bump()
    return tensor


def _sampling_dtype(tensor: Tensor) -> np.dtype:
    if not _checked(tensor).is_floating_point():
        raise TypeError(f"tensor must be of floating-point dtype, got {tensor.dtype}")
    return np.dtype(np.float64 if tensor.dtype == np.float64 else np.float32)


def _fill_drawn(tensor: Tensor, draw: Callable[..., Any], scale: float, shift: float, dtype: np.dtype) -> Tensor:
    """Fill `tensor` with `scale` · draws + `shift`, some rows at a time.

    Rows are drawn where the cache holds them and scaled there, and a weight whose columns lie together in memory is
    written without crossing all of it for each row. The values are those of one draw of the whole.

    Args:
        draw: a method of a NumPy generator that fills `out`.
        dtype: what to draw in.
    """
    array = tensor._array if tensor.ndim else tensor._array[np.newaxis]
    rows = max(LEAST_ROWS, DRAWN_AT_ONCE // max(1, math.prod(array.shape[1:])))
    block = np.empty((min(rows, array.shape[0]), *array.shape[1:]), dtype)
    for start in range(0, array.shape[0], rows):
        sample = block[: array.shape[0] - start]
        draw(out=sample, dtype=dtype)
        sample *= dtype.type(scale)
        sample += dtype.type(shift)
        array[start : start + rows] = sample
    tensor._bump()
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution between `a` and `b`.

    Raises:
        ValueError: where a > b, or where the dtype can't hold a, b or b − a.
        TypeError: where `tensor` is not of floating point.
    """
    dtype = _sampling_dtype(tensor)
    if not (a <= b and max(-a, b, b - a) <= float(np.finfo(dtype).max)):
        raise ValueError(f"uniform_ expects a <= b and all of a, b and b - a within {dtype}, got a={a} and b={b}")
    return _fill_drawn(tensor, numpy_generator(generator).random, b - a, a, dtype)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution of the given mean and standard deviation.

    Raises:
        ValueError: where std < 0.
        TypeError: where `tensor` is not of floating point.
    """
    dtype = _sampling_dtype(tensor)
    if not std >= 0:
        raise ValueError(f"normal_ expects std >= 0, got std={std}")
    return _fill_drawn(tensor, numpy_generator(generator).standard_normal, std, mean, dtype)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution, redrawing what falls outside [a, b].

    Where [a, b] holds little of the distribution, the draws come from the uniform distribution on [a, b],
    each accepted with a probability in proportion to the normal density: even a far tail takes few rounds.

    Args:
        tensor: what to fill.
        mean, std: of the normal distribution before truncation.
        a, b: the bounds, on the scale of the values (not in standard deviations).
        generator: the stream of random numbers.

    Raises:
        ValueError: where a > b or std <= 0.
        TypeError: where `tensor` is not of floating point.
    """
    dtype = _sampling_dtype(tensor)
    if not (a <= b and std > 0):
        raise ValueError(f"trunc_normal_ expects a <= b and std > 0, got a={a}, b={b} and std={std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    inside = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    propose = _from_normal if inside > 0.3 else _from_uniform
    stream = numpy_generator(generator)
    low, high = dtype.type(a), dtype.type(b)
    sample = np.empty(tensor._array.size, dtype)
    pending = np.arange(sample.size)
    while pending.size:
        drawn, accepted = propose(stream, pending.size, mean, std, a, b)
        sample[pending] = drawn  # rounds to the dtype, whose bounds count
        accepted &= (sample[pending] >= low) & (sample[pending] <= high)
        pending = pending[~accepted]
    return _fill(tensor, sample.reshape(tensor._array.shape))


def _from_normal(
    stream: np.random.Generator, size: int, mean: float, std: float, a: float, b: float
) -> tuple[np.ndarray, np.ndarray]:
    return stream.normal(mean, std, size), np.ones(size, bool)


def _from_uniform(
    stream: np.random.Generator, size: int, mean: float, std: float, a: float, b: float
) -> tuple[np.ndarray, np.ndarray]:
    drawn = a + (b - a) * stream.random(size)
    mode = max(a, min(mean, b))
    log_ratio = (((mode - mean) / std) ** 2 - ((drawn - mean) / std) ** 2) / 2  # log of density / peak density
    return drawn, stream.random(size) < np.exp(log_ratio)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to `val`.

    Raises:
        TypeError: where `val` is no number.
        RuntimeError: for a number that the dtype can't hold.
    """
    with no_grad():
        return _checked(tensor).fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return constant_(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Set a matrix to the identity, as far as its rows and columns go.

    Raises:
        ValueError: where `tensor` hasn't 2 dimensions.
    """
    if _checked(tensor).ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    return _fill(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Set a convolution's weight so that each group passes on its input channels, as many as it can.

    Args:
        tensor: weight of shape (O, C / groups, *kernel), with 1 to 3 kernel dimensions.
        groups: the convolution's groups.

    Raises:
        ValueError: for another number of dimensions, or where `groups` doesn't divide O.
    """
    if _checked(tensor).ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, got shape {tuple(tensor.shape)}")
    O, C, *kernel = tensor.shape
    if groups < 1 or O % groups:
        raise ValueError(f"dim 0 must be divisible by groups, got {O} and {groups}")
    centre = tuple(size // 2 for size in kernel)
    values = np.zeros(tensor.shape)
    for channel in range(O):
        passed = channel % (O // groups)
        if passed < C:
            values[(channel, passed, *centre)] = 1
    return _fill(tensor, values)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output of this weight's layer has, and how many outputs an input has.

    Args:
        tensor: weight of shape (outputs, inputs, *kernel).

    Raises:
        ValueError: for fewer than 2 dimensions.
    """
    if _checked(tensor).ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, "
            f"got shape {tuple(tensor.shape)}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution on ±gain · √(6 / (fan_in + fan_out)).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Args:
        tensor: weight of shape (outputs, inputs, *kernel).
        gain: see `calculate_gain`.
        generator: the stream of random numbers.

    Raises:
        ValueError: for fewer than 2 dimensions.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution of mean 0 and std gain · √(2 / (fan_in + fan_out)).

    Glorot and Bengio, 2010; arguments as for `xavier_uniform_`.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str, draw: Callable[[float], Tensor]) -> Tensor:
    if 0 in _checked(tensor).shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return tensor
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    fan = fan_in if mode.lower() == "fan_in" else fan_out
    return draw(calculate_gain(nonlinearity, a) / math.sqrt(fan))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the uniform distribution on ±gain · √(3 / fan).

    He et al., "Delving deep into rectifiers", 2015.

    Args:
        tensor: weight of shape (outputs, inputs, *kernel).
        a: the negative slope of the rectifier behind the layer, for "leaky_relu".
        mode: "fan_in" keeps the variance of what flows forward, "fan_out" that of the gradients.
        nonlinearity: see `calculate_gain`.
        generator: the stream of random numbers.

    Raises:
        ValueError: for fewer than 2 dimensions, or another mode or nonlinearity.
    """

    def draw(std: float) -> Tensor:
        bound = math.sqrt(3.0) * std
        return uniform_(tensor, -bound, bound, generator)

    return _kaiming(tensor, a, mode, nonlinearity, draw)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution of mean 0 and std gain / √fan.

    He et al., 2015; arguments and errors as for `kaiming_uniform_`.
    """
    return _kaiming(tensor, a, mode, nonlinearity, lambda std: normal_(tensor, 0.0, std, generator))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    The QR decomposition of a normal sample, its signs fixed so that all such matrices are equally likely
    (Mezzadri, "How to generate random matrices from the classical compact groups", 2007). Saxe et al., "Exact
    solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013.

    Args:
        tensor: of at least 2 dimensions; those behind the first count as one.
        gain: see `calculate_gain`.
        generator: the stream of random numbers.

    Raises:
        ValueError: for fewer than 2 dimensions.
    """
    dtype = _sampling_dtype(tensor)
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, got shape {tuple(tensor.shape)}")
    if 0 in tensor.shape:
        return tensor
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    sample = numpy_generator(generator).standard_normal((rows, columns), dtype=dtype)
    q, r = np.linalg.qr(sample if rows >= columns else sample.T)
    q *= np.sign(np.diag(r))
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor._array.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Draw a matrix from the normal distribution of mean 0, with as many zeros in every column, anywhere.

    Martens, "Deep learning via Hessian-free optimization", 2010.

    Args:
        tensor: of 2 dimensions.
        sparsity: the share of zeros in every column.
        std: of the other elements.
        generator: the stream of random numbers.

    Raises:
        ValueError: for another number of dimensions.
    """
    if _checked(tensor).ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0, std, generator)
    stream = numpy_generator(generator)
    for column in range(columns):
        tensor._array[stream.permutation(rows)[:zeros], column] = 0
    return tensor


def _old_name(function: Callable) -> Callable:
    """The function under its name without underscore, which warns as in PyTorch."""
    new = function.__name__

    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = new[:-1]
    call.__doc__ = f"The old name of `{new}`."
    return call


uniform, normal, constant = _old_name(uniform_), _old_name(normal_), _old_name(constant_)
eye, dirac, sparse = _old_name(eye_), _old_name(dirac_), _old_name(sparse_)
xavier_uniform, xavier_normal = _old_name(xavier_uniform_), _old_name(xavier_normal_)
kaiming_uniform, kaiming_normal = _old_name(kaiming_uniform_), _old_name(kaiming_normal_)
orthogonal = _old_name(orthogonal_)
