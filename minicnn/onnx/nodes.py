"""What ONNX's operations are in minicnn: a function of the inputs, Tensors or None, and the attributes for each."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

import minicnn
from minicnn import special
from minicnn.nn import functional as F
from minicnn.tensor import Tensor

Function = Callable[..., Any]


def integers(x: Any) -> list[int]:
    """A vector of sizes or axes as ints."""
    return [int(one) for one in np.atleast_1d(x.numpy(force=True) if isinstance(x, Tensor) else x)]


def _along(count: int, op: str, **functions: Function) -> Function:
    """The function for so many axes.

    Raises:
        NotImplementedError: for a number of axes that minicnn doesn't have.
    """
    if count not in (1, 2):
        raise NotImplementedError(f"{op} along {count} axes")
    return functions["one" if count == 1 else "two"]


def _sides(pads: Sequence[int] | None, auto_pad: str, size: Any, kernel: Any, stride: Any, dilation: Any) -> list:
    """(before, after) along each axis."""
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            small, large = total // 2, total - total // 2
            found.append((small, large) if auto_pad == "SAME_UPPER" else (large, small))
        return found
    count = len(kernel)
    pads = pads or [0] * (2 * count)
    return list(zip(pads[:count], pads[count:], strict=True))


def _padded(x: Tensor, sides: list, value: float, kernel: Sequence[int] = ()) -> tuple[Tensor, list[int]]:
    """x, padded where both sides differ, or are more than half of a pooling's kernel, and what padding is left."""
    narrow = all(2 * before <= size for (before, _), size in zip(sides, kernel, strict=False))
    if narrow and all(before == after for before, after in sides):
        return x, [before for before, _ in sides]
    widths = [width for pair in reversed(sides) for width in pair]
    return F.pad(x, widths, value=value), [0] * len(sides)


def conv(x: Tensor, weight: Tensor, bias: Any = None, **a: Any) -> Tensor:
    """A convolution along one or two axes."""
    count = weight.ndim - 2
    stride, dilation = a.get("strides", [1] * count), a.get("dilations", [1] * count)
    sides = _sides(a.get("pads"), a.get("auto_pad", "NOTSET"), x.shape[2:], weight.shape[2:], stride, dilation)
    x, padding = _padded(x, sides, 0.0)
    function = _along(count, "Conv", one=F.conv1d, two=F.conv2d)
    return function(x, weight, bias, stride, padding, dilation, a.get("group", 1))


def conv_transpose(x: Tensor, weight: Tensor, bias: Any = None, **a: Any) -> Tensor:
    """A transposed convolution along one or two axes; what is padded unevenly is cut off afterwards."""
    count = weight.ndim - 2
    stride, dilation = a.get("strides", [1] * count), a.get("dilations", [1] * count)
    if a.get("auto_pad", "NOTSET") != "NOTSET" or "output_shape" in a:
        raise NotImplementedError("ConvTranspose with auto_pad or output_shape")
    pads = a.get("pads", [0] * (2 * count))
    before, after = pads[:count], pads[count:]
    function = _along(count, "ConvTranspose", one=F.conv_transpose1d, two=F.conv_transpose2d)
    options = a.get("output_padding", [0] * count), a.get("group", 1), dilation
    if before == after:
        return function(x, weight, bias, stride, before, *options)
    y = function(x, weight, bias, stride, 0, *options)
    return F.pad(y, [-width for k in reversed(range(count)) for width in (before[k], after[k])])


def max_pool(x: Tensor, *, outputs: int = 1, **a: Any) -> Any:
    """The largest of each window and, if asked for, its place, counted through all images of all channels."""
    kernel = a["kernel_shape"]
    count = len(kernel)
    stride, dilation = a.get("strides", [1] * count), a.get("dilations", [1] * count)
    sides = _sides(a.get("pads"), a.get("auto_pad", "NOTSET"), x.shape[2:], kernel, stride, dilation)
    size = x.shape[2:]
    x, padding = _padded(x, sides, -math.inf, kernel)
    moved = [before if x.shape[2:] != size else 0 for before, _ in sides]
    function = _along(count, "MaxPool", one=F.max_pool1d, two=F.max_pool2d)
    y = function(x, kernel, stride, padding, dilation, bool(a.get("ceil_mode", 0)), outputs > 1)
    if outputs == 1:
        return y
    if a.get("storage_order"):
        raise NotImplementedError("MaxPool's places in columns")
    values, flat = y
    rows = flat // x.shape[-1] - moved[0] if count == 2 else 0
    places = rows * size[-1] + flat % x.shape[-1] - moved[-1]
    images = minicnn.arange(math.prod(x.shape[:2])).reshape(*x.shape[:2], *[1] * count)
    return values, places + images * math.prod(size)


def average_pool(x: Tensor, **a: Any) -> Tensor:
    """The mean of each window."""
    kernel = a["kernel_shape"]
    count = len(kernel)
    if set(a.get("dilations", [1])) != {1}:
        raise NotImplementedError("AveragePool with dilation")
    stride, include = a.get("strides", [1] * count), bool(a.get("count_include_pad", 0))
    sides = _sides(a.get("pads"), a.get("auto_pad", "NOTSET"), x.shape[2:], kernel, stride, [1] * count)
    function = _along(count, "AveragePool", one=F.avg_pool1d, two=F.avg_pool2d)
    wide, padding = _padded(x, sides, 0.0, kernel)
    y = function(wide, kernel, stride, padding, bool(a.get("ceil_mode", 0)), include)
    if include or wide is x:
        return y
    inside, _ = _padded(minicnn.ones_like(x), sides, 0.0, kernel)  # the share of each window that is no padding
    return y / function(inside, kernel, stride, padding, bool(a.get("ceil_mode", 0)), include)


def _over_image(function: Function, x: Tensor) -> Tensor:
    """A reduction over all axes behind the channels, which stay with size 1."""
    return function(x, list(range(2, x.ndim)), True)


def gemm(x: Tensor, weight: Tensor, bias: Any = None, **a: Any) -> Tensor:
    """alpha · x @ weight + beta · bias"""
    x = x.t() if a.get("transA") else x
    alpha, beta = a.get("alpha", 1.0), a.get("beta", 1.0)
    if alpha == beta == 1 and a.get("transB") and (bias is None or bias.ndim == 1):
        return F.linear(x, weight, bias)
    y = x @ (weight.t() if a.get("transB") else weight)
    y = y if alpha == 1 else alpha * y
    return y if bias is None else y + (bias if beta == 1 else beta * bias)


def batch_norm(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, **a: Any) -> Tensor:
    """With the running statistics."""
    if a.get("training_mode"):
        raise NotImplementedError("BatchNormalization in training mode")
    return F.batch_norm(x, mean, variance, scale, bias, eps=a.get("epsilon", 1e-5))


def instance_norm(x: Tensor, scale: Tensor, bias: Tensor, **a: Any) -> Tensor:
    """Each channel of each example, be it one pixel."""
    return F.group_norm(x, x.shape[1], scale, bias, a.get("epsilon", 1e-5))


def layer_norm(x: Tensor, scale: Tensor, bias: Any = None, **a: Any) -> Tensor:
    """The last axes."""
    axis = a.get("axis", -1) % x.ndim
    return F.layer_norm(x, x.shape[axis:], scale, bias, a.get("epsilon", 1e-5))


def response_norm(x: Tensor, **a: Any) -> Tensor:
    """Neighbouring channels."""
    if a["size"] % 2 == 0:
        raise NotImplementedError("LRN over an even number of channels")
    return F.local_response_norm(x, a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0))


def clip(x: Tensor, low: Any = None, high: Any = None, **a: Any) -> Tensor:
    """x held within bounds."""
    bounds = [None if one is None else one.item() for one in (low, high)]
    return x if bounds == [None, None] else x.clamp(*bounds)


def reshape(x: Tensor, sizes: Tensor, **a: Any) -> Tensor:
    """0 keeps a size, unless `allowzero` is set."""
    wanted = integers(sizes)
    if not a.get("allowzero"):
        wanted = [x.shape[k] if size == 0 else size for k, size in enumerate(wanted)]
    return x.reshape(wanted)


def flatten(x: Tensor, **a: Any) -> Tensor:
    """Two axes: those before `axis`, and those from there on."""
    axis = a.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def squeeze(x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    """Without axes of size 1."""
    return x.squeeze() if axes is None else x.squeeze(tuple(integers(axes)))


def unsqueeze(x: Tensor, axes: Tensor, **a: Any) -> Tensor:
    """With further axes of size 1."""
    wanted = integers(axes)
    for axis in sorted(one % (x.ndim + len(wanted)) for one in wanted):
        x = x.unsqueeze(axis)
    return x


def split(x: Tensor, sizes: Any = None, *, outputs: int, **a: Any) -> Any:
    """Parts of given sizes, or of equal ones."""
    axis = a.get("axis", 0)
    each = integers(sizes) if sizes is not None else -(-x.shape[axis] // a.get("num_outputs", outputs))
    return tuple(x.split(each, axis))


def cut(x: Tensor, starts: Tensor, ends: Tensor, axes: Any = None, steps: Any = None, **a: Any) -> Tensor:
    """Slices; those that go backwards as a flip first."""
    first, last = integers(starts), integers(ends)
    which = integers(axes) if axes is not None else list(range(len(first)))
    stride = integers(steps) if steps is not None else [1] * len(first)
    for start, end, axis, step in zip(first, last, which, stride, strict=True):
        places = range(x.shape[axis])[start:end:step]
        if step > 0:
            x = x[(*[slice(None)] * (axis % x.ndim), slice(places.start, places.stop, places.step))]
        else:
            x = x.index_select(axis, minicnn.tensor(list(places), dtype=minicnn.int64))
    return x


def gather(x: Tensor, index: Tensor, **a: Any) -> Tensor:
    """The parts of x at some indices along an axis, which may count from the end."""
    axis = a.get("axis", 0) % x.ndim
    places = index.numpy(force=True)
    places = np.where(places < 0, places + x.shape[axis], places)
    picked = x.index_select(axis, minicnn.from_numpy(places.reshape(-1).astype(np.int64)))
    return picked.reshape((*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))


def gather_elements(x: Tensor, index: Tensor, **a: Any) -> Tensor:
    """The elements of x at an index along an axis."""
    axis = a.get("axis", 0)
    return x.gather(axis, minicnn.where(index < 0, index + x.shape[axis], index))


def pad(x: Tensor, pads: Tensor, value: Any = None, axes: Any = None, **a: Any) -> Tensor:
    """Widths before and behind each axis."""
    numbers = integers(pads)
    which = [axis % x.ndim for axis in integers(axes)] if axes is not None else list(range(x.ndim))
    sides = dict(zip(which, zip(numbers[: len(which)], numbers[len(which) :], strict=True), strict=True))
    first = min((axis for axis, pair in sides.items() if pair != (0, 0)), default=x.ndim)
    widths = [width for axis in reversed(range(first, x.ndim)) for width in sides.get(axis, (0, 0))]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[
        a.get("mode", "constant")
    ]
    if not widths:
        return x
    return (
        F.pad(x, widths, mode, 0.0 if value is None else value.item()) if mode == "constant" else F.pad(x, widths, mode)
    )


RESIZED = {
    ("nearest", "asymmetric"): "nearest", ("linear", "half_pixel"): "linear", ("linear", "align_corners"): "linear",
    ("linear", "pytorch_half_pixel"): "linear", ("cubic", "half_pixel"): "cubic", ("cubic", "align_corners"): "cubic",
    ("cubic", "pytorch_half_pixel"): "cubic",
}  # fmt: skip
"""What interpolation has of the ways to resize."""


def resize(x: Tensor, region: Any = None, scales: Any = None, sizes: Any = None, **a: Any) -> Tensor:
    """Interpolation, in those ways that PyTorch has.

    Raises:
        NotImplementedError: for all others.
    """
    places = a.get("coordinate_transformation_mode", "half_pixel")
    mode = RESIZED.get((a.get("mode", "nearest"), places))
    corners = places == "align_corners"
    other = [name for name in ("antialias", "axes", "exclude_outside") if a.get(name)]
    if mode == "nearest" and a.get("nearest_mode", "round_prefer_floor") != "floor":
        other.append("nearest_mode")
    if mode == "cubic" and a.get("cubic_coeff_a", -0.75) != -0.75:
        other.append("cubic_coeff_a")
    if a.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        other.append("keep_aspect_ratio_policy")
    factors = None
    if sizes is not None:
        size = integers(sizes)[2:]
    else:
        factors = [float(one) for one in scales.numpy()[2:]]
        size = [int(n * factor) for n, factor in zip(x.shape[2:], factors, strict=True)]
        if corners and any(n * factor != m for n, factor, m in zip(x.shape[2:], factors, size, strict=True)):
            other.append("scales that give no whole size")
    if mode is None or x.ndim not in (3, 4) or (places == "pytorch_half_pixel" and 1 in size):
        other.append(places)
    if other:
        raise NotImplementedError(f"Resize with mode={a.get('mode', 'nearest')} and {', '.join(other)}")
    if mode != "nearest":
        mode = "bicubic" if mode == "cubic" else "linear" if x.ndim == 3 else "bilinear"
    options = {"mode": mode} if mode == "nearest" else {"mode": mode, "align_corners": corners}
    if factors is None or corners:
        return F.interpolate(x, size, **options)
    return F.interpolate(x, scale_factor=factors, **options)


def depth_to_space(x: Tensor, **a: Any) -> Tensor:
    """Pixel shuffle, with the channels of a block first or last."""
    r = a["blocksize"]
    if a.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, r)
    N, C, H, W = x.shape
    return x.reshape(N, r, r, C // (r * r), H, W).permute(0, 3, 4, 1, 5, 2).reshape(N, C // (r * r), H * r, W * r)


def _reduce(function: Function, x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    which = integers(a["axes"]) if "axes" in a else [] if axes is None else integers(axes)
    if not which and a.get("noop_with_empty_axes"):
        return x
    return function(x, tuple(which or range(x.ndim)), bool(a.get("keepdims", 1)))


def _product(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    for axis in sorted((one % x.ndim for one in axes), reverse=True):
        x = x.prod(axis, keepdim)
    return x


def cumulative(x: Tensor, axis: Tensor, **a: Any) -> Tensor:
    """The sums up to each element, or from there on; with itself or without."""
    way = int(axis.item())
    y = x.flip(way) if a.get("reverse") else x
    y = y.cumsum(way).to(x.dtype)
    y = y.flip(way) if a.get("reverse") else y
    return y - x if a.get("exclusive") else y


def dropout(x: Tensor, ratio: Any = None, training: Any = None, **a: Any) -> Tensor:
    """x: nothing is dropped when a network is used."""
    if training is not None and training.item():
        raise NotImplementedError("Dropout in training mode")
    return x


def power(x: Tensor, exponent: Tensor, **a: Any) -> Tensor:
    """In the dtype of x."""
    return minicnn.pow(x, exponent).to(x.dtype)


def _position(function: Function, x: Tensor, **a: Any) -> Tensor:
    axis = a.get("axis", 0)
    if a.get("select_last_index"):
        return x.shape[axis] - 1 - function(x.flip(axis), axis, bool(a.get("keepdims", 1)))
    return function(x, axis, bool(a.get("keepdims", 1)))


def _softmax(function: Function, x: Tensor, **a: Any) -> Tensor:
    return function(x, a.get("axis", -1))


def _fold_left(function: Function, *several: Tensor, **a: Any) -> Tensor:
    result = several[0]
    for one in several[1:]:
        result = function(result, one)
    return result


def shape(x: Tensor, **a: Any) -> Tensor:
    """The sizes of x, or some of them."""
    return minicnn.tensor(list(x.shape)[a.get("start", 0) : a.get("end")], dtype=minicnn.int64)


def constant(**a: Any) -> Tensor:
    """A value that the node holds."""
    for name, value in a.items():
        if name == "value":
            return minicnn.from_numpy(np.array(numpy_helper.to_array(value)))
        if name in ("value_float", "value_floats"):
            return minicnn.tensor(value, dtype=minicnn.float32)
        if name in ("value_int", "value_ints"):
            return minicnn.tensor(value, dtype=minicnn.int64)
    raise NotImplementedError(f"Constant with {', '.join(a)}")


def constant_of_shape(sizes: Tensor, **a: Any) -> Tensor:
    """One value everywhere."""
    value = numpy_helper.to_array(a["value"]) if "value" in a else np.zeros(1, np.float32)
    return minicnn.from_numpy(np.full(integers(sizes), value[0], value.dtype))


def cast(x: Tensor, **a: Any) -> Tensor:
    """x in another dtype."""
    return x.to(minicnn.from_numpy(np.empty(0, helper.tensor_dtype_to_np_dtype(a["to"]))).dtype)


def expand(x: Tensor, sizes: Tensor, **a: Any) -> Tensor:
    """x broadcast against a shape."""
    return x.expand(np.broadcast_shapes(tuple(x.shape), tuple(integers(sizes))))


def gelu(x: Tensor, **a: Any) -> Tensor:
    """Exact, or by tanh."""
    return F.gelu(x, approximate=a.get("approximate", "none"))


def shrink(x: Tensor, **a: Any) -> Tensor:
    """x moved towards 0 by `bias` outside of [−lambd, lambd]; 0 inside."""
    lambd, bias = a.get("lambd", 0.5), a.get("bias", 0.0)
    zero = minicnn.zeros_like(x)
    return minicnn.where(x > lambd, x - bias, minicnn.where(x < -lambd, x + bias, zero))


def divide(x: Tensor, y: Tensor, **a: Any) -> Tensor:
    """Of integers the quotient without its fraction."""
    return x / y if x.is_floating_point() else minicnn.div(x, y, rounding_mode="trunc")


def plain(function: Function) -> Function:
    """A function of Tensors alone, whatever the attributes."""
    return lambda *inputs, **a: function(*inputs)


def attributed(function: Function, *names: str, **defaults: Any) -> Function:
    """A function of x and of attributes, in this order."""
    known = {**dict.fromkeys(names), **defaults}
    return lambda x, **a: function(x, *[a.get(name, value) for name, value in known.items()])


NODES: dict[str, Function] = {
    "Abs": plain(minicnn.abs), "Acos": plain(minicnn.acos), "Acosh": plain(minicnn.acosh), "Add": plain(minicnn.add),
    "And": plain(minicnn.logical_and), "ArgMax": partial(_position, minicnn.argmax),
    "ArgMin": partial(_position, minicnn.argmin), "Asin": plain(minicnn.asin), "Asinh": plain(minicnn.asinh),
    "Atan": plain(minicnn.atan), "Atanh": plain(minicnn.atanh), "AveragePool": average_pool,
    "BatchNormalization": batch_norm, "Cast": cast, "Ceil": plain(minicnn.ceil),
    "Celu": attributed(F.celu, alpha=1.0), "Clip": clip,
    "Concat": lambda *parts, axis: minicnn.cat(parts, axis), "Constant": constant,
    "ConstantOfShape": constant_of_shape, "Conv": conv, "ConvTranspose": conv_transpose, "Cos": plain(minicnn.cos),
    "Cosh": plain(minicnn.cosh), "CumSum": cumulative,
    "DepthToSpace": depth_to_space, "Div": divide, "Dropout": dropout,
    "Einsum": lambda *several, equation: minicnn.einsum(equation, *several),
    "Elu": attributed(F.elu, alpha=1.0), "Equal": plain(minicnn.eq), "Erf": plain(special.erf),
    "Exp": plain(minicnn.exp), "Expand": expand, "Flatten": flatten, "Floor": plain(minicnn.floor), "Gather": gather,
    "GatherElements": gather_elements, "Gelu": gelu, "Gemm": gemm,
    "GlobalAveragePool": plain(partial(_over_image, minicnn.mean)),
    "GlobalMaxPool": plain(partial(_over_image, minicnn.amax)), "Greater": plain(minicnn.gt),
    "GreaterOrEqual": plain(minicnn.ge),
    "HardSigmoid": lambda x, **a: (x * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1),
    "HardSwish": plain(F.hardswish), "Identity": plain(lambda x: x), "InstanceNormalization": instance_norm,
    "LRN": response_norm, "LayerNormalization": layer_norm, "LeakyRelu": attributed(F.leaky_relu, alpha=0.01),
    "Less": plain(minicnn.lt), "LessOrEqual": plain(minicnn.le), "Log": plain(minicnn.log),
    "LogSoftmax": partial(_softmax, F.log_softmax), "MatMul": plain(minicnn.matmul),
    "Max": partial(_fold_left, minicnn.maximum), "MaxPool": max_pool, "Min": partial(_fold_left, minicnn.minimum),
    "Mish": plain(F.mish), "Mul": plain(minicnn.mul), "Neg": plain(minicnn.neg), "Not": plain(minicnn.logical_not),
    "Or": plain(minicnn.logical_or),
    "PRelu": plain(lambda x, slope: minicnn.where(x < 0, x * slope, x)), "Pad": pad, "Pow": power,
    "Reciprocal": plain(minicnn.reciprocal), "ReduceL1": partial(_reduce, lambda x, d, k: x.abs().sum(d, k)),
    "ReduceL2": partial(_reduce, lambda x, d, k: x.square().sum(d, k).sqrt()),
    "ReduceLogSumExp": partial(_reduce, minicnn.logsumexp), "ReduceMax": partial(_reduce, minicnn.amax),
    "ReduceMean": partial(_reduce, minicnn.mean), "ReduceMin": partial(_reduce, minicnn.amin),
    "ReduceProd": partial(_reduce, _product), "ReduceSum": partial(_reduce, minicnn.sum),
    "ReduceSumSquare": partial(_reduce, lambda x, d, k: x.square().sum(d, k)), "Relu": plain(F.relu),
    "Reshape": reshape, "Resize": resize, "Round": plain(minicnn.round),
    "Selu": lambda x, **a: a.get("gamma", 1.0507010) * F.elu(x, a.get("alpha", 1.6732632)), "Shape": shape,
    "Shrink": shrink, "Sigmoid": plain(minicnn.sigmoid), "Sign": plain(minicnn.sign), "Sin": plain(minicnn.sin),
    "Sinh": plain(minicnn.sinh), "Slice": cut, "Softmax": partial(_softmax, F.softmax),
    "Softplus": plain(F.softplus), "Softsign": plain(F.softsign), "Split": split, "Sqrt": plain(minicnn.sqrt),
    "Squeeze": squeeze, "Sub": plain(minicnn.sub), "Sum": partial(_fold_left, minicnn.add), "Tan": plain(minicnn.tan),
    "Tanh": plain(minicnn.tanh), "Tile": lambda x, repeats: x.repeat(integers(repeats)),
    "Transpose": lambda x, perm=None: x.permute(*(perm or reversed(range(x.ndim)))), "Unsqueeze": unsqueeze,
    "Where": plain(minicnn.where), "Xor": plain(minicnn.logical_xor),
}  # fmt: skip
"""By ONNX's name of the operation, as its operator sets 13 to 20 define it."""
