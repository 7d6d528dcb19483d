"""Dropout, of elements and of channels."""

import warnings
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.errors import ShapeError
from minicnn.kernels.memory import dense, like
from minicnn.operators.activation import floating, in_place
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import Add, Multiply
from minicnn.operators.operands import array_of
from minicnn.operators.shape import squeeze, unsqueeze
from minicnn.random import numpy_generator


class Dropout(Operator):
    """x times a mask that a seed decides; the backward makes the same mask again."""

    elementwise = True
    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, p: float, seed: int) -> np.ndarray:
        y = kernels.dropout.dropout(x, seed, p)
        ctx.p, ctx.seed, ctx.model = p, seed, np.empty(0) if y.size == 0 else y
        return y

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        g = like(dense(grad_output), ctx.model) if grad_output.size else grad_output
        return kernels.dropout.dropout(g, ctx.seed, ctx.p)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return Dropout.backward(ctx, x)


def _draws(input: Any, p: float, training: bool, name: str) -> bool:
    """Whether anything is to be dropped.

    Raises:
        ValueError: for `p` outside 0 … 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return bool(training and p and array_argument(input, name).size)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each element becomes 0 with probability `p`, the others are divided by 1 − p (Srivastava, 2014).

    Args:
        input: any shape, float32 or float64; any dtype where nothing is drawn.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Returns: a Tensor of the input's shape; `input` itself outside training, or where `p` is 0 or it is empty.

    Raises:
        ValueError: for `p` outside 0 … 1.
        TypeError: for other dtypes.
    """
    if not _draws(input, p, training, "dropout"):
        return input
    if p == 1:
        return in_place(input, lambda x: Multiply.call(x, 0)) if inplace else Multiply.call(input, 0)
    floating(input, "dropout")
    seed = int(numpy_generator().integers(2**64, dtype=np.uint64))

    def apply(x: Any) -> Any:
        return Dropout.apply(x, float(p), seed)

    return in_place(input, apply) if inplace else apply(input)


ALPHA = -1.7580993408473766
"""What selu tends to far below 0, −1.0507 · 1.6733: the value of what alpha dropout drops."""


def _masked(input: Any, p: float, shape: tuple[int, ...], alpha: bool, inplace: bool, name: str) -> Any:
    """`input` with what one drawn number in `shape`, broadcast, decides dropped.

    Args:
        alpha: set what is dropped to ALPHA instead of 0, and scale all so that mean and variance stay 0 and 1.
    """
    if p == 1:
        return in_place(input, lambda x: Multiply.call(x, 0)) if inplace else Multiply.call(input, 0)
    dtype = array_of(floating(input, name)).dtype
    kept = numpy_generator().random(shape) >= p
    scale = ((ALPHA**2 * p + 1) * (1 - p)) ** -0.5 if alpha else 1 / (1 - p)
    factor = (kept * scale).astype(dtype)
    shift = (np.where(kept, 0, ALPHA * scale) - ALPHA * scale * p).astype(dtype) if alpha else None

    def compute(x: Any) -> Any:
        y = Multiply.call(x, factor)
        return y if shift is None else Add.call(y, shift)

    return in_place(input, compute) if inplace else compute(input)


def _features(shape: tuple[int, ...], batched: bool = True) -> tuple[int, ...]:
    """The shape of one number for each channel of each example.

    Raises:
        ShapeError: without a dimension of channels.
    """
    if len(shape) < 1 + batched:
        raise ShapeError(f"feature dropout needs input of at least {1 + batched} dimensions, got {tuple(shape)}")
    return (*shape[: 1 + batched], *[1] * (len(shape) - 1 - batched))


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for `selu`: what is dropped becomes −1.7581, then all is scaled so that mean and variance stay 0 and 1.

    Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    Args:
        input: any shape, float32 or float64; any dtype where nothing is drawn.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Raises:
        ValueError: for `p` outside 0 … 1.
    """
    if not _draws(input, p, training, "alpha_dropout"):
        return input
    return _masked(input, p, array_of(input).shape, True, inplace, "alpha_dropout")


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`alpha_dropout` of whole channels of an input (N, C, …)."""
    if not _draws(input, p, training, "feature_alpha_dropout"):
        return input
    return _masked(input, p, _features(array_of(input).shape), True, inplace, "feature_alpha_dropout")


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each channel becomes 0 with probability `p`, the others are divided by 1 − p (Tompson et al., 2015).

    Args:
        input: (N, C, L) or (C, L), float32 or float64.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Raises:
        ValueError: for `p` outside 0 … 1.
        ShapeError: for another number of dimensions.
    """
    draws = _draws(input, p, training, "dropout1d")
    shape = array_argument(input, "dropout1d").shape
    if len(shape) not in (2, 3):
        raise ShapeError(f"dropout1d needs input (N, C, L) or (C, L), got {tuple(shape)}")
    if draws:
        return _masked(input, p, _features(shape, len(shape) == 3), False, inplace, "dropout1d")
    return input if inplace or len(shape) == 3 else squeeze(unsqueeze(input, 0), 0)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each channel becomes 0 with probability `p`, the others are divided by 1 − p (Tompson et al., 2015).

    Args:
        input: (N, C, H, W), float32 or float64. Three dimensions count as (N, C, L), with PyTorch's warning.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Raises:
        ValueError: for `p` outside 0 … 1.
        ShapeError: for fewer than two dimensions.
    """
    draws = _draws(input, p, training, "dropout2d")
    shape = array_argument(input, "dropout2d").shape
    _warn_of_dimensions("dropout2d", len(shape), (3, 4))
    if len(shape) == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise "
            "1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C "
            "is the channel dim. This behavior will change in a future release to interpret the "
            "input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _masked(input, p, _features(shape), False, inplace, "dropout2d") if draws else input


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each channel becomes 0 with probability `p`, the others are divided by 1 − p (Tompson et al., 2015).

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), float32 or float64.
        p: the probability, 0 … 1.
        training: whether to do anything.
        inplace: replace the values of `input`.

    Raises:
        ValueError: for `p` outside 0 … 1.
        ShapeError: for no dimensions.
    """
    draws = _draws(input, p, training, "dropout3d")
    shape = array_argument(input, "dropout3d").shape
    _warn_of_dimensions("dropout3d", len(shape), (4, 5))
    if draws:
        return _masked(input, p, _features(shape, len(shape) == 5), False, inplace, "dropout3d")
    return input if inplace or len(shape) != 4 else squeeze(unsqueeze(input, 0), 0)


def _warn_of_dimensions(name: str, ndim: int, expected: tuple[int, int]) -> None:
    if ndim not in expected:
        warnings.warn(
            f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
            "release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=3,
        )
