"""Normalisation of parts of each example: of instances, groups of channels, layers."""

from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.autograd.storage import is_contiguous
from minicnn.errors import DtypeError, ShapeError
from minicnn.kernels.geometry import integer
from minicnn.nn.functional.normalization import batch_norm, move_running, normalization_gradient
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of, refuse_gradient


def _arranged(x: np.ndarray) -> np.ndarray:
    """(N, C, …) as planes (N·C, P) where it lies row-major, else as pixels (N, P, C): a view where memory allows."""
    N, C, *others = x.shape
    P = prod(others)
    if P > 1 and x.flags.c_contiguous:
        return x.reshape(N * C, P)
    return kernels.memory.contiguous(x.transpose(0, *range(2, x.ndim), 1)).reshape(N, P, C)


def _like(x: np.ndarray, arranged: np.ndarray) -> np.ndarray:
    """(N, C, …) arranged as `arranged` is."""
    if arranged.ndim == 2:
        return kernels.memory.contiguous(x).reshape(arranged.shape)
    return kernels.memory.contiguous(x.transpose(0, *range(2, x.ndim), 1)).reshape(arranged.shape)


def _restored(arranged: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `_arranged`, as a view."""
    if arranged.ndim == 2:
        return arranged.reshape(shape)
    return arranged.reshape(shape[0], *shape[2:], shape[1]).transpose(0, -1, *range(1, len(shape) - 1))


class GroupNorm(Operator):
    """(x − mean) / √(var + eps) · weight + bias, mean and var over each group of channels of each example.

    `running`, unless None, is called with mean and variance of every group, (N, G). `watched` says of x and of the
    weight whether they may not be changed before the backward; of others a copy is kept, as in PyTorch.
    """

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray | None,
        bias: np.ndarray | None,
        groups: int,
        eps: float,
        running: Any,
        watched: tuple[bool, bool],
    ) -> np.ndarray:
        N, C = x.shape[:2]
        arranged = _arranged(x)
        if not watched[0] and np.may_share_memory(arranged, x):
            arranged = kernels.memory.row_major(arranged)
        factor = np.ones(C) if weight is None else weight.astype(np.float64)
        shift = np.zeros(C, x.dtype) if bias is None else np.ascontiguousarray(bias, x.dtype)
        with np.errstate(all="ignore"):
            y, mean, variance = kernels.groups.forward(arranged, factor, shift, N, groups, eps)
            if running is not None:
                running(mean, variance)
            invstd = 1 / np.sqrt(variance + eps)
        ctx.saved = arranged, mean, invstd, factor, *(a for a, w in zip((x, weight), watched, strict=True) if w)
        ctx.shape, ctx.groups, ctx.eps = x.shape, groups, eps
        return _restored(y, x.shape)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, mean, invstd, factor, *_ = ctx.saved
        g = _like(grad_output, x)
        with np.errstate(all="ignore"):
            grad_x, sums, products = kernels.groups.backward(g, x, factor, mean, invstd)
            each = np.repeat(invstd, len(factor) // invstd.shape[1], 1)
            by_weight = (products * each).sum(0).astype(g.dtype) if ctx.needs_input_grad[1] else None
            by_bias = sums.sum(0).astype(g.dtype) if ctx.needs_input_grad[2] else None
        by_x = _restored(grad_x, ctx.shape) if ctx.needs_input_grad[0] else None
        return by_x, by_weight, by_bias

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        arranged, _, _, factor, *_ = ctx.saved
        x = ctx.argument(0, _restored(arranged, ctx.shape))
        N, C, *size = ctx.shape
        wide = (N, ctx.groups, C // ctx.groups, *size)
        weight = ctx.argument(1, factor.astype(x.dtype)).reshape(1, *wide[1:3], *[1] * len(size))
        inner = [*range(2, len(wide))]
        by_x, normalized = normalization_gradient(g.reshape(wide), x.reshape(wide), weight, inner, ctx.eps)
        axes, needs = [0, *range(2, len(ctx.shape))], ctx.needs_input_grad
        by_weight = (g * normalized.reshape(ctx.shape)).sum(axes) if needs[1] else None
        return by_x.reshape(ctx.shape), by_weight, g.sum(axes) if needs[2] else None, *[None] * 4


class RowNorm(Operator):
    """Each row of the last dimensions normalised: (x − mean) / √(var + eps) · weight + bias.

    Without `centred` 0 stands for the mean, so that the root of the mean square divides.
    """

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray | None,
        bias: np.ndarray | None,
        size: int,
        eps: float,
        centred: bool,
    ) -> np.ndarray:
        rows = kernels.memory.contiguous(x).reshape(x.size // size if size else 0, size)
        watched = centred or ctx.needs_input_grad[0]  # else PyTorch keeps what it computed from x
        if not watched and np.may_share_memory(rows, x):
            rows = kernels.memory.row_major(rows)
        factor = np.ones(size, x.dtype) if weight is None else np.ascontiguousarray(weight).ravel()
        nothing = 0.0 if centred else -0.0  # −0 + −0 = −0: PyTorch adds no bias to what isn't centred
        shift = np.full(size, nothing, x.dtype) if bias is None else np.ascontiguousarray(bias).ravel()
        y, means, invstds = kernels.row_norm.forward(rows, factor, shift, eps, centred)
        if not watched and weight is not None:
            factor = factor.copy()
        ctx.saved = rows, factor, means, invstds, *((x, weight) if watched else ())
        ctx.shapes = [None if array is None else array.shape for array in (x, weight, bias)]
        ctx.centred, ctx.eps = centred, eps
        return y.reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        rows, factor, means, invstds, *_ = ctx.saved
        g = kernels.memory.contiguous(grad_output).reshape(rows.shape)
        found = kernels.row_norm.backward(g, rows, factor, means, invstds, ctx.centred)
        results = [
            gradient.astype(g.dtype, copy=False).reshape(shape) if needed else None
            for gradient, shape, needed in zip(found, ctx.shapes, ctx.needs_input_grad[:3], strict=True)
        ]
        return tuple(results)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        rows, factor, *_ = ctx.saved
        shape, weight_shape, _ = ctx.shapes
        x = ctx.argument(0, rows.reshape(shape)).reshape(rows.shape)
        weight = None if weight_shape is None else ctx.argument(1, factor.reshape(weight_shape)).reshape(-1)
        g, needs = g.reshape(rows.shape), ctx.needs_input_grad
        by_x, normalized = normalization_gradient(g, x, weight, [1], ctx.eps, ctx.centred)
        by_weight = (g * normalized).sum(0).reshape(weight_shape) if needs[1] else None
        by_bias = g.sum(0).reshape(ctx.shapes[2]) if needs[2] else None
        return by_x.reshape(shape), by_weight, by_bias


def _check_affine(name: str, x: np.ndarray, shape: tuple[int, ...], **given: Any) -> None:
    """Raise unless the given weight and bias have `shape` and the dtype of x."""
    for argument, value in given.items():
        if value is None:
            continue
        array = array_of(value)
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} needs {argument} to be a Tensor or an ndarray, got {type(value).__name__}")
        if array.shape != shape:
            raise ShapeError(
                f"{name} needs {argument} of shape {shape} for input of shape {x.shape}, got {array.shape}"
            )
        if array.dtype != x.dtype:
            raise DtypeError(f"{name} needs {argument} of the input's dtype {x.dtype}, got {array.dtype}")


def _lies_dense(x: Any) -> bool:
    """Whether PyTorch normalises x where it lies, instead of a row-major copy."""
    return not isinstance(x, Variable) or is_contiguous(x)


def _of_nothing(x: Any, weight: Any, bias: Any) -> Any:
    """An input without elements as it is, in a graph that gives weight and bias gradients of zero."""
    result = x * 1
    for value in (weight, bias):
        if value is not None and array_of(value).size:
            result = result + value.reshape(-1)[0] * 0
    return result


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """y = (x − mean) / √(var + eps) · weight + bias, with statistics over each group of channels of each example.

    Wu and He, "Group Normalization", 2018.

    Args:
        input: (N, C, …), float32 or float64.
        num_groups: into how many groups the channels are divided.
        weight, bias: (C,) or None for ones and zeros.
        eps: added to the variance.

    Returns: a Tensor of the input's shape.

    Raises:
        RuntimeError: for shapes or dtypes that don't fit.
        ValueError: for one value per group.
    """
    x = array_of(floating(input, "group_norm"))
    groups = integer(num_groups)
    if x.ndim < 2:
        raise ShapeError(f"Expected at least 2 dimensions for input tensor but received {x.ndim}")
    N, C, *others = x.shape
    if groups <= 0:
        raise ShapeError(f"Expected num groups to be greater than 0, got {groups}")
    if not C or not prod(others):
        raise ShapeError(f"group_norm needs channels and pixels, got input of shape {x.shape}")
    if N * C // groups * prod(others) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
    if C % groups:
        raise ShapeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {x.shape} "
            f"and num_groups={groups}"
        )
    _check_affine("group_norm", x, (C,), weight=weight, bias=bias)
    if not x.size:
        return _of_nothing(input, weight, bias)
    return GroupNorm.apply(input, weight, bias, groups, float(eps), None, (True, True))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """y = (x − mean) / √(var + eps) · weight + bias, with statistics over the pixels of each channel of each example.

    Ulyanov et al., "Instance Normalization", 2016.

    Args:
        input: (N, C, …), float32 or float64.
        running_mean, running_var: (C,), moved towards the batch's mean statistics; used with `use_input_stats=False`.
        weight, bias: (C,), or None for ones and zeros; of one channel a number, too.
        use_input_stats: normalise by the input's own statistics.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Returns: a Tensor of the input's shape.

    Raises:
        RuntimeError: for shapes or dtypes that don't fit, or without statistics to use.
        ValueError: for one pixel per channel.
    """
    x = array_of(floating(input, "instance_norm"))
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    pixels = prod(x.shape[2:])
    if pixels == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {tuple(x.shape)}")
    if x.ndim < 2:
        raise ShapeError(f"instance_norm needs input of shape (N, C, …), got {tuple(x.shape)}")
    if x.shape[1] == 1:  # then PyTorch takes numbers as weight and bias, too
        weight, bias = (p.reshape(1) if p is not None and array_of(p).ndim == 0 else p for p in (weight, bias))
    given = {"running_mean": running_mean, "running_var": running_var}
    if x.size or not len(x):  # images without pixels or channels are what they are, as in PyTorch
        given |= {"weight": weight, "bias": bias}
    _check_affine("instance_norm", x, (x.shape[1],), **given)
    refuse_gradient("instance_norm", running_mean=running_mean, running_var=running_var)
    if not x.size:
        return _of_nothing(input, weight, bias)

    def running(mean: np.ndarray, variance: np.ndarray) -> None:
        move_running(running_mean, mean.mean(0), momentum)
        move_running(running_var, variance.mean(0) * (pixels / (pixels - 1)), momentum)

    return GroupNorm.apply(input, weight, bias, x.shape[1], float(eps), running, (_lies_dense(input), False))


def _normalized(name: str, x: np.ndarray, normalized_shape: Any) -> tuple[int, ...]:
    try:
        shape = tuple(integer(size) for size in normalized_shape)
    except TypeError:
        raise TypeError(f"{name} needs normalized_shape as a list of ints, got {normalized_shape!r}") from None
    if not shape or x.shape[-len(shape) :] != shape:
        raise ShapeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {str(list(shape))[1:-1]}], but got "
            f"input of size{list(x.shape)}"
        )
    return shape


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """y = (x − mean) / √(var + eps) · weight + bias, with statistics over the last dimensions.

    Ba, Kiros and Hinton, "Layer Normalization", 2016.

    Args:
        input: (…, *normalized_shape), float32 or float64.
        normalized_shape: the sizes of the dimensions to normalise over.
        weight, bias: of this shape, or None for ones and zeros.
        eps: added to the variance.

    Returns: a Tensor of the input's shape.

    Raises:
        RuntimeError: for shapes or dtypes that don't fit.
    """
    return _row_norm("layer_norm", input, normalized_shape, weight, bias, float(eps), True)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """y = x / √(mean(x²) + eps) · weight, with the mean over the last dimensions.

    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Args:
        input: (…, *normalized_shape), float32 or float64.
        normalized_shape: the sizes of the dimensions to normalise over.
        weight: of this shape, or None for ones.
        eps: added to the mean square; None for the smallest step of the dtype at 1.

    Returns: a Tensor of the input's shape.

    Raises:
        RuntimeError: for shapes or dtypes that don't fit.
    """
    if eps is None:
        eps = float(np.finfo(array_of(floating(input, "rms_norm")).dtype).eps)
    return _row_norm("rms_norm", input, normalized_shape, weight, None, float(eps), False)


def _row_norm(name: str, input: Any, sizes: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    x = array_of(floating(input, name))
    shape = _normalized(name, x, sizes)
    _check_affine(name, x, shape, weight=weight, bias=bias)
    return RowNorm.apply(input, weight, bias, prod(shape), eps, centred)
