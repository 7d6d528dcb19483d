"""conv2d and its transpose."""

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.kernels.geometry import Geometry, exact, integer
from minicnn.kernels.memory import channels_first, channels_last, row_major
from minicnn.nn.functional.geometry import convolution_geometry, transposed_geometry
from minicnn.nn.functional.images import batched, image_shape
from minicnn.operators.operands import array_of, described

if TYPE_CHECKING:
    from minicnn.kernels.convolution.schedule import Schedule


def _apart(image: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The channels-last `image` of x in memory of its own."""
    return row_major(image) if np.may_share_memory(image, x) else image


class Conv2d(Operator):
    """y = x ∗ weight + bias"""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray | None,
        geometry: Geometry,
        groups: int,
        algorithm: "str | Schedule",
    ) -> np.ndarray:
        image = channels_last(x)
        ctx.geometry, ctx.groups, ctx.asked = geometry, groups, algorithm
        ctx.algorithm = kernels.convolution.select(algorithm, geometry, x.shape[1], len(weight), groups, x.dtype)
        ctx.freezes = not geometry.is_lopsided  # otherwise PyTorch pads a copy
        ctx.saved = image if ctx.freezes else _apart(image, x), weight
        scheduled = () if isinstance(algorithm, str) else (algorithm,)
        return channels_first(ctx.algorithm.forward(image, weight, bias, geometry, *scheduled))

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, weight = ctx.saved
        g = channels_last(grad_output)
        by_x = by_weight = by_bias = None
        needs_x, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        if needs_x:
            by_x = channels_first(ctx.algorithm.grad_input(g, weight, ctx.geometry, ctx.groups))
        if needs_weight and needs_bias:
            by_weight, by_bias = kernels.convolution.grad_parameters(ctx.algorithm, x, g, ctx.geometry, ctx.groups)
        elif needs_weight:
            by_weight = ctx.algorithm.grad_weight(x, g, ctx.geometry, ctx.groups)
        elif needs_bias:
            by_bias = kernels.sums.over(g, (0, 1, 2))
        return by_x, by_weight, by_bias

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        image, weight = ctx.saved
        needs_x, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        options = ctx.geometry, ctx.groups, ctx.asked
        by_x = by_weight = None
        if needs_x:
            by_x = ConvTranspose2d.apply(g, ctx.argument(1, weight), None, *options)
        if needs_weight:
            by_weight = Conv2dWeight.apply(ctx.argument(0, channels_first(image)), g, *options)
        return by_x, by_weight, g.sum((0, 2, 3)) if needs_bias else None


class Conv2dWeight(Operator):
    """The gradient with respect to the weight of a convolution, as an operation on x and the gradient of the output."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int, algorithm: str
    ) -> np.ndarray:
        image, g = channels_last(x), channels_last(grad_output)
        ctx.saved, ctx.geometry, ctx.groups, ctx.asked = (image, g), geometry, groups, algorithm
        ctx.algorithm = kernels.convolution.select(algorithm, geometry, x.shape[1], g.shape[3], groups, x.dtype)
        return ctx.algorithm.grad_weight(image, g, geometry, groups)

    @staticmethod
    def backward(ctx: Any, grad_weight: np.ndarray) -> tuple:
        (x, g), v = ctx.saved, np.ascontiguousarray(grad_weight)
        needs_x, needs_g, *_ = ctx.needs_input_grad
        by_x = channels_first(ctx.algorithm.grad_input(g, v, ctx.geometry, ctx.groups)) if needs_x else None
        by_g = channels_first(ctx.algorithm.forward(x, v, None, ctx.geometry)) if needs_g else None
        return by_x, by_g

    @staticmethod
    def backward_recorded(ctx: Any, grad_weight: Any) -> tuple:
        x, g = [ctx.argument(position, channels_first(ctx.saved[position])) for position in (0, 1)]
        return (
            ConvTranspose2d.apply(g, grad_weight, None, ctx.geometry, ctx.groups, ctx.asked),
            Conv2d.apply(x, grad_weight, None, ctx.geometry, ctx.groups, ctx.asked),
            *[None] * 3,
        )


class Conv2dWithoutChannels(Operator):
    """Of no channels PyTorch makes a result of no channels, whatever the weight's outputs; all gradients are 0."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
        ctx.shapes = [None if array is None else array.shape for array in (x, weight, bias)]
        return np.zeros((len(x), 0, *geometry.output_size), x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        return tuple([None if shape is None else np.zeros(shape, grad_output.dtype) for shape in ctx.shapes])

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return tuple([None if shape is None else g.new_zeros(shape) for shape in ctx.shapes])


class ConvTranspose2d(Operator):
    """The gradient with respect to x of a convolution, as an operation; its own gradient is that convolution."""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray | None,
        geometry: Geometry,
        groups: int,
        algorithm: str,
    ) -> np.ndarray:
        image = channels_last(x)
        ctx.saved, ctx.freezes = (image, weight), True
        ctx.geometry, ctx.groups, ctx.asked = geometry, groups, algorithm
        ctx.algorithm = kernels.convolution.select(
            algorithm, geometry, weight.shape[1] * groups, len(weight), groups, x.dtype
        )
        y = ctx.algorithm.grad_input(image, weight, geometry, groups)
        if bias is not None:
            y += bias
        return channels_first(y)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, weight = ctx.saved
        g = channels_last(grad_output)
        by_x = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            by_x = channels_first(ctx.algorithm.forward(g, weight, None, ctx.geometry))
        if ctx.needs_input_grad[1]:
            by_weight = ctx.algorithm.grad_weight(g, x, ctx.geometry, ctx.groups)
        if ctx.needs_input_grad[2]:
            by_bias = kernels.sums.over(g, (0, 1, 2))
        return by_x, by_weight, by_bias

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        image, weight = ctx.saved
        needs_x, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        options = ctx.geometry, ctx.groups, ctx.asked
        by_x = by_weight = None
        if needs_x:
            by_x = Conv2d.apply(g, ctx.argument(1, weight), None, *options)
        if needs_weight:
            by_weight = Conv2dWeight.apply(g, ctx.argument(0, channels_first(image)), *options)
        return by_x, by_weight, g.sum((0, 2, 3)) if needs_bias else None


def _sizes(name: str, x: Any, weight: Any, bias: Any, groups: int, transposed: bool) -> tuple[tuple, tuple]:
    """(H, W) and (KH, KW), given what is `described`.

    Raises:
        TypeError: for what isn't an array of float32 or float64, or where dtypes differ.
        ValueError: for shapes that don't fit.
    """
    given = {"input": x, "weight": weight} | ({} if bias is None else {"bias": bias})
    for argument, found in given.items():
        if not isinstance(found, tuple):
            raise TypeError(f"{name} needs {argument} to be a Tensor or an ndarray, got {found}")
    shape, w = image_shape(x, name), weight[0]
    if any(dtype != x[1] for _, dtype in given.values()):
        found = ", ".join(f"{argument} {dtype}" for argument, (_, dtype) in given.items())
        raise DtypeError(f"{name} needs one dtype, got {found}")
    if len(w) != 4:
        raise ShapeError(f"{name} needs weight with 4 dimensions, got shape {w}")
    if groups < 1 or w[0] % groups:
        raise ShapeError(f"groups must be at least 1 and divide weight's first dimension, got {groups} and {w}")
    if 0 in (w if transposed else (w[0], *w[2:])):
        raise ShapeError(f"{name} needs weight without empty dimensions, got shape {w}")
    if 0 in shape[-2:] and 0 not in shape[:-2]:
        raise ShapeError(f"{name} needs pixels, unless batch or channels are empty, got input of shape {shape}")
    expected = w[0] if transposed else w[1] * groups
    if shape[-3] != expected:
        raise ShapeError(
            f"{name} with weight of shape {w} and groups={groups} needs input of {expected} channels, got shape {shape}"
        )
    outputs = w[1] * groups if transposed else w[0]
    if bias is not None and bias[0] != (outputs,):
        raise ShapeError(f"{name} needs bias of shape ({outputs},), got {bias[0]}")
    return shape[-2:], w[2:]


@functools.lru_cache(maxsize=4096)
def _geometry(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Geometry:
    """The geometry of a `conv2d` of what is `described`, once its arguments are checked."""
    return convolution_geometry(*_sizes("conv2d", x, weight, bias, groups, False), stride, padding, dilation)


def _exact_groups(groups: Any) -> int:
    try:
        return integer(groups)
    except TypeError:
        raise TypeError(f"groups must be an int, got {groups!r}") from None


def _scheduled(schedule: Any, algorithm: str) -> "Schedule":
    if not isinstance(schedule, kernels.convolution.schedule.Schedule):
        raise TypeError(f"schedule must be a Schedule or None, got {type(schedule).__name__}")
    if algorithm not in ("auto", "implicit"):
        raise ValueError(f"a schedule is for algorithm='implicit', got algorithm={algorithm!r}")
    return schedule


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    algorithm: str = "auto",
    schedule: "Schedule | None" = None,
) -> Any:
    """Two-dimensional convolution (cross-correlation, as everywhere in deep learning):

        y[n, o, i, j] = bias[o] + Σ over c, p, q of x[n, c, i·s − P + p·d, j·s − P + q·d] · weight[o, c, p, q]

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        weight: (O, C/groups, KH, KW), of the same dtype.
        bias: (O,) or None.
        stride, dilation: int or pair, at least 1.
        padding: int or pair of zeros on both sides; "valid" for none; "same" for an output as large as the
            input (stride 1 only; an odd remainder goes to the bottom and right).
        groups: into how many independent parts channels and outputs are divided.
        algorithm: "auto", or by name: "naive", "im2col", "tiled", "packed", "registers", "implicit", "grouped" (many
            small groups), "winograd" (3×3, stride 1), "fft".
        schedule: how "implicit" computes the result, instead of what `schedule_of` decides for this machine; see
            `minicnn.kernels.convolution.schedule`. Gradients are those of "implicit", by schedules of its own.

    Returns: (N, O, OH, OW) or (O, OH, OW), channels-last in memory, with
        OH = ⌊(H + 2 · padding − dilation · (KH − 1) − 1) / stride⌋ + 1; for C = 0 a result of no channels.

    Raises:
        ValueError: for shapes or values that don't fit, naming them; for a schedule that isn't legal, or another
            algorithm beside it.
        TypeError: for other or mixed dtypes.
    """
    groups = _exact_groups(groups)
    how = algorithm if schedule is None else _scheduled(schedule, algorithm)
    geometry = _geometry(
        described(input), described(weight), described(bias),
        exact(stride, "stride"), exact(padding, "padding"), exact(dilation, "dilation"), groups,
    )  # fmt: skip
    if not array_of(weight).size:
        return batched(lambda x: Conv2dWithoutChannels.apply(x, weight, bias, geometry), input, view=True)
    return batched(lambda x: Conv2d.apply(x, weight, bias, geometry, groups, how), input, view=True)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
    *,
    algorithm: str = "auto",
) -> Any:
    """Transposed convolution: the gradient with respect to x of `conv2d`, as an operation of its own.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        weight: (C, O/groups, KH, KW), of the same dtype.
        bias: (O,) or None.
        stride, padding, dilation: those of the convolution it transposes; stride and dilation below 2³¹.
        output_padding: int or pair, added to one side of the output; smaller than stride or dilation.
        groups: into how many independent parts channels and outputs are divided.
        algorithm: "auto", or by name: "naive", "im2col", "tiled", "packed", "registers", "implicit", "grouped" (many
            small groups), "winograd" (3×3, stride 1), "fft".

    Returns: (N, O, OH, OW) or (O, OH, OW), OH = (H − 1) · stride − 2 · padding + dilation · (KH − 1) +
        output_padding + 1.

    Raises:
        ValueError: for shapes or values that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    groups = _exact_groups(groups)
    sizes = _sizes("conv_transpose2d", described(input), described(weight), described(bias), groups, True)
    least = 0 if input.ndim == 4 and not len(input) else 1  # as in torch: an empty batch needs no pixels
    geometry = transposed_geometry(*sizes, stride, padding, output_padding, dilation, least)
    return batched(lambda x: ConvTranspose2d.apply(x, weight, bias, geometry, groups, algorithm), input, view=True)
