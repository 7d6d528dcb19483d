"""One dimension: a sequence (N, C, L) is an image of a single row, (N, C, 1, L)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.autograd import Operator, is_grad_enabled
from minicnn.errors import ShapeError
from minicnn.nn.functional import convolution, pooling
from minicnn.operators.arguments import array_argument
from minicnn.operators.operands import array_of
from minicnn.operators.shape import squeeze, unsqueeze
from minicnn.operators.tracing import Traceable


class OnlyRow(Traceable, Operator):
    """The only row of images that nobody else holds: not a view, as far as programs are concerned."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x[..., 0, :]

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g[..., None, :]


def _image(x: Any, name: str, argument: str = "input", ndims: tuple[int, ...] = (2, 3)) -> Any:
    """A sequence as an image of one row.

    Raises:
        TypeError: for what is no array.
        RuntimeError: for another number of dimensions.
    """
    array = array_argument(x, name)
    if array.ndim not in ndims:
        shapes = "(N, C, L) or (C, L)" if argument == "input" else "3 dimensions"
        raise ShapeError(f"{name} needs {argument} of shape {shapes}, got {tuple(array.shape)}")
    return unsqueeze(x, -2)


def _sequence(result: Any, view: bool = True) -> Any:
    """What an operation made of an image of one row, as a sequence; of a tuple, each.

    Args:
        result: one or several Tensors (…, 1, L).
        view: whether the sequence is a view, as those of PyTorch's poolings are.
    """
    if isinstance(result, tuple):
        return tuple(_sequence(one, view) for one in result)
    return squeeze(result, -2) if view else OnlyRow.apply(result)


def _single(value: Any, name: str) -> Any:
    """The only size of one dimension: an int, or a tuple or list of one.

    Raises:
        RuntimeError: where there are more.
    """
    if isinstance(value, Iterable) and not isinstance(value, str) and not hasattr(value, "__index__"):
        values = tuple(value)
        if len(values) != 1:
            raise ShapeError(f"{name} must be an int or have one value, got {value!r}")
        return values[0]
    return value


def _across(value: Any, name: str, vertical: int) -> Any:
    """A size along the row, with `vertical` for that across it; None and empty tuples as they are."""
    if value is None or value == ():
        return value
    return (vertical, _single(value, name))


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    algorithm: str = "auto",
) -> Any:
    """One-dimensional convolution: y[n, o, i] = bias[o] + Σ over c, q of x[n, c, i·s − P + q·d] · weight[o, c, q].

    Args:
        input: (N, C, L) or (C, L), float32 or float64.
        weight: (O, C/groups, K), of the same dtype.
        bias: (O,) or None.
        stride, padding, dilation, groups, algorithm: as for `conv2d`, of one dimension; also "valid" and "same".

    Returns: (N, O, OL) or (O, OL), OL = ⌊(L + 2 · padding − dilation · (K − 1) − 1) / stride⌋ + 1

    Raises:
        RuntimeError: for shapes, values or dtypes that don't fit.
    """
    image, kernel = _image(input, "conv1d"), _image(weight, "conv1d", "weight", (3,))
    if array_of(input).ndim == 2:
        image = unsqueeze(image, 0)
    pad = padding if isinstance(padding, str) else _across(padding, "padding", 0)
    sizes = _across(stride, "stride", 1), pad, _across(dilation, "dilation", 1)
    y = _sequence(convolution.conv2d(image, kernel, bias, *sizes, groups, algorithm=algorithm), view=False)
    return y if array_of(input).ndim == 3 else squeeze(y, 0)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv1d`.

    Args:
        input: (N, C, L) or (C, L), float32 or float64.
        weight: (C, O/groups, K), of the same dtype.
        bias: (O,) or None.
        stride, padding, output_padding, groups, dilation: as for `conv_transpose2d`, of one dimension.

    Returns: (N, O, OL) or (O, OL), OL = (L − 1) · stride − 2 · padding + dilation · (K − 1) + output_padding + 1

    Raises:
        RuntimeError: for shapes, values or dtypes that don't fit.
    """
    image, kernel = _image(input, "conv_transpose1d"), _image(weight, "conv_transpose1d", "weight", (3,))
    if array_of(input).ndim == 2:
        image = unsqueeze(image, 0)
    sizes = _across(stride, "stride", 1), _across(padding, "padding", 0), _across(output_padding, "output_padding", 0)
    y = convolution.conv_transpose2d(image, kernel, bias, *sizes, groups, _across(dilation, "dilation", 1))
    y = _sequence(y, view=False)
    return y if array_of(input).ndim == 3 else squeeze(y, 0)


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window of a sequence; arguments as for `max_pool2d`, of one dimension.

    Returns: (N, C, OL) or (C, OL); with `return_indices` a pair with the int64 positions.
    """
    sizes = _across(kernel_size, "kernel_size", 1), _across(stride, "stride", 1)
    more = _across(padding, "padding", 0), _across(dilation, "dilation", 1)
    result = pooling.max_pool2d(_image(input, "max_pool1d"), *sizes, *more, ceil_mode, return_indices)
    recorded = is_grad_enabled() and getattr(input, "requires_grad", False)
    return _sequence(result, view=return_indices or recorded)


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window of a sequence; arguments as for `avg_pool2d`, of one dimension.

    Returns: (N, C, OL) or (C, OL)
    """
    sizes = _across(kernel_size, "kernel_size", 1), _across(stride, "stride", 1), _across(padding, "padding", 0)
    return _sequence(pooling.avg_pool2d(_image(input, "avg_pool1d"), *sizes, ceil_mode, count_include_pad))


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide a sequence (N, C, L) or (C, L) into `output_size` parts."""
    size = (1, _single(output_size, "output_size"))
    return _sequence(pooling.adaptive_avg_pool2d(_image(input, "adaptive_avg_pool1d"), size))


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of windows that divide a sequence (N, C, L) or (C, L) into `output_size` parts.

    Returns: (N, C, output_size) or (C, output_size); with `return_indices` a pair with the int64 positions.
    """
    size = (1, _single(output_size, "output_size"))
    return _sequence(pooling.adaptive_max_pool2d(_image(input, "adaptive_max_pool1d"), size, return_indices))


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Values put back where `max_pool1d(..., return_indices=True)` found them, zeros elsewhere.

    Args:
        input: (N, C, L) or (C, L), float32 or float64.
        indices: int64, of the same shape.
        kernel_size, stride, padding: those of the pooling.
        output_size: the wanted length, alone or as the end of a whole shape.

    Returns: (N, C, OL) or (C, OL)
    """
    if output_size is not None:
        sizes = tuple(output_size)
        if len(sizes) not in (1, 3):
            raise ValueError(f"output_size must have 1 or 3 elements, got {output_size!r}")
        output_size = (1, sizes[-1])
    sizes = _across(kernel_size, "kernel_size", 1), _across(stride, "stride", 1), _across(padding, "padding", 0)
    image, places = _image(input, "max_unpool1d"), _image(indices, "max_unpool1d", "indices", (2, 3))
    return _sequence(pooling.max_unpool2d(image, places, *sizes, output_size))


def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ over each window of x^p)^(1/p) of a sequence (N, C, L) or (C, L), p being `norm_type`; see `lp_pool2d`."""
    size = _single(kernel_size, "kernel_size")
    mean = avg_pool1d(input**norm_type, size, stride, 0, ceil_mode)
    return pooling.root_of_windows(mean, size, norm_type)
