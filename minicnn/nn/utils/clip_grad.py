"""What is done to gradients between `backward` and the optimizer's step."""

import types
import warnings
from collections.abc import Iterable

import numpy as np

from minicnn import kernels
from minicnn.creation import from_numpy
from minicnn.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]


def _gradients(parameters: Tensors) -> list[Tensor]:
    """The gradients that there are."""
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif isinstance(parameters, types.GeneratorType):
        parameters = list(parameters)
        if not parameters:
            warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all Tensors as if they were one vector.

    Args:
        tensors: Tensors, or one.
        norm_type: p of the p-norm; `float("inf")` is the largest absolute value.
        error_if_nonfinite: raise where the norm is NaN or infinite.
        foreach: how PyTorch computes it; all values mean the same.

    Returns: a 0-dimensional Tensor.

    Raises:
        RuntimeError: for a norm that is not finite, if asked to; for an infinite or negative `norm_type` where a Tensor
            has no elements, of which there is no largest or smallest.
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    total = _norm([tensor._array for tensor in listed], float(norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite norm "
            "anyway, set `error_if_nonfinite=False`"
        )
    return from_numpy(np.asarray(total))


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients, in place, by min(1, max_norm / (total_norm + 1e-6)).

    Args:
        parameters: Tensors, or one, whose `.grad` counts where it isn't None.
        max_norm: what the norm shall be at most.
        total_norm: what it is.
        foreach: how PyTorch computes it; all values mean the same.
    """
    _scale(_gradients(parameters), max_norm, total_norm)


def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    total = total_norm._array
    number = total.dtype.type
    with np.errstate(all="ignore"):  # a norm that is not finite makes the gradients NaN, as in PyTorch
        scale = np.minimum(number(max_norm) / (total + number(1e-6)), number(1))
        if scale != 1:
            for gradient in gradients:
                gradient._array *= scale.astype(gradient._array.dtype)
                gradient._bump()


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, by min(1, max_norm / (norm + 1e-6)).

    Args:
        parameters: Tensors, or one, whose `.grad` counts where it isn't None.
        max_norm: what the norm shall be at most.
        norm_type: p of the p-norm, taken over all gradients as if they were one vector; `float("inf")` is the
            largest absolute value.
        error_if_nonfinite: raise where the norm is NaN or infinite.
        foreach: how PyTorch computes it; all values mean the same.

    Returns: the norm before scaling, a 0-dimensional Tensor.

    Raises:
        RuntimeError: as `get_total_norm`. Nothing is scaled then.
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Hold all gradients within ±clip_value, in place.

    Args:
        parameters: Tensors, or one, whose `.grad` counts where it isn't None.
        clip_value: the largest absolute value.
        foreach: how PyTorch computes it; all values mean the same.
    """
    limit = float(clip_value)
    for gradient in _gradients(parameters):
        array = gradient._array
        np.minimum(np.maximum(array, array.dtype.type(-limit)), array.dtype.type(limit), out=array)
        gradient._bump()


def _norm(arrays: list[np.ndarray], order: float) -> np.floating:
    """The norm of the arrays' norms, which is the norm of all their elements."""
    if not arrays:
        return np.float32(0)
    if (order < 0 or order == np.inf) and not all(array.size for array in arrays):
        raise RuntimeError(f"clip_grad_norm_: a gradient without elements has no norm of norm_type {order}")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        norms = [_norm_of(array.ravel(order="K"), order) for array in arrays]
        return _norm_of(np.array(norms, np.result_type(*norms)), order)


def _norm_of(x: np.ndarray, order: float) -> np.floating:
    """The norm of a vector; NumPy's own, for order 2, carries one float32 sum through all of it."""
    return np.sqrt(kernels.sums.over(np.square(x), (0,))[()]) if order == 2 else np.linalg.norm(x, order)
