"""What is done to gradients between `backward` and the optimizer's step."""

import types
import warnings
from collections.abc import Iterable

import numpy as np

from minicnn import kernels
from minicnn.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients, in place, by min(1, max_norm / (norm + 1e-6)).

    Args:
        parameters: Tensors, or one, whose `.grad` counts where it isn't None.
        max_norm: what the norm shall be at most.
        norm_type: p of the p-norm, taken over all gradients as if they were one vector; `float("inf")` is the
            largest absolute value.
        error_if_nonfinite: raise where the norm is NaN or infinite.

    Returns: the norm before scaling, a 0-dimensional Tensor.

    Raises:
        RuntimeError: for a norm that is not finite, if asked to; for an infinite or negative `norm_type` where a
            gradient has no elements, of which there is no largest or smallest. Nothing is scaled then.
    """
    if isinstance(parameters, Tensor):
        listed = [parameters]
    else:
        listed = list(parameters)
        if not listed and isinstance(parameters, types.GeneratorType):
            warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    gradients = [parameter.grad for parameter in listed if parameter.grad is not None]
    total = _norm([gradient._array for gradient in gradients], float(norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite norm "
            "anyway, set `error_if_nonfinite=False`"
        )
    number = total.dtype.type
    with np.errstate(all="ignore"):  # a norm that is not finite makes the gradients NaN, as in PyTorch
        scale = np.minimum(number(max_norm) / (total + number(1e-6)), number(1))
        if scale != 1:
            for gradient in gradients:
                gradient._array *= scale.astype(gradient.dtype)
                gradient._bump()
    return Tensor(np.asarray(total))


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
