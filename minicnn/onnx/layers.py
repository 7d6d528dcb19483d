"""How operations on images and on features are written: convolution, pooling, normalisation, resizing, padding."""

import math
from typing import Any

import numpy as np

from minicnn.kernels.geometry import Axis, Geometry
from minicnn.nn.functional.convolution import Conv2d, ConvTranspose2d
from minicnn.nn.functional.distance import Bilinear
from minicnn.nn.functional.embedding import Embedding
from minicnn.nn.functional.linear import Linear
from minicnn.nn.functional.normalization import BatchNorm
from minicnn.nn.functional.padding import Pad, origins
from minicnn.nn.functional.parts import GroupNorm, RowNorm
from minicnn.nn.functional.pooling import AdaptiveMaxPool2d, AveragePool2d, MaxPool2d, MaxUnpool2d
from minicnn.nn.functional.resizing import Nearest, Resize
from minicnn.nn.functional.response import LocalResponseNorm
from minicnn.nn.functional.sampling import GridSample
from minicnn.nn.functional.shuffling import Rearranged
from minicnn.nn.functional.unfolding import Fold, Unfold
from minicnn.onnx.elementwise import Writer
from minicnn.onnx.graph import ExportError, Graph, Value
from minicnn.onnx.shapes import index_of


def _window(geometry: Geometry) -> dict[str, Any]:
    """Kernel, strides, dilations and pads, as ONNX writes them."""
    axes = geometry.height, geometry.width
    return {
        "kernel_shape": [axis.kernel for axis in axes],
        "strides": [axis.stride for axis in axes],
        "dilations": [axis.dilation for axis in axes],
        "pads": [axis.before for axis in axes] + [_behind(axis) for axis in axes],
    }


def _behind(axis: Axis) -> int:
    """The padding behind the image; as much more as the last window needs where sizes were rounded up."""
    return max(axis.after, (axis.output - 1) * axis.stride + axis.extent - axis.size - axis.before)


def _turned_window(geometry: Geometry) -> dict[str, Any]:
    """The same of a transposed convolution; `geometry` is that of the convolution from its output to its input."""
    axes = geometry.height, geometry.width
    left = [a.padded - (a.output - 1) * a.stride - a.extent for a in axes]
    window = _window(geometry)
    for k, more in enumerate(left):  # where pixels are cut off behind, that many fewer are
        cut = min(more, window["pads"][2 + k])
        left[k] -= cut
        window["pads"][2 + k] -= cut
    return {"output_padding": left, **window}


def _conv(
    graph: Graph, out: list[Value], x: Value, weight: Value, bias: Any, geometry: Geometry, groups: int, _: str
) -> None:
    graph.add("Conv", [x, weight, bias or ""], out[0].name, group=groups, **_window(geometry))


def _conv_transpose(
    graph: Graph, out: list[Value], x: Value, weight: Value, bias: Any, geometry: Geometry, groups: int, _: str
) -> None:
    inputs = [x, weight, bias or ""]
    graph.add("ConvTranspose", inputs, out[0].name, group=groups, **_turned_window(geometry))


def _linear(graph: Graph, out: list[Value], x: Value, weight: Value, bias: Any) -> None:
    if x.ndim == 2:
        graph.add("Gemm", [x, weight, bias or ""], out[0].name, transB=1)
        return
    turned = graph.add("Transpose", [weight], perm=[1, 0])
    if bias is None:
        graph.add("MatMul", [x, turned], out[0].name)
    else:
        graph.add("Add", [graph.add("MatMul", [x, turned]), bias], out[0].name)


def _bilinear(graph: Graph, out: list[Value], x1: Value, x2: Value, weight: Value) -> None:
    graph.add("Einsum", [x1, weight, x2], out[0].name, equation="...i,oij,...j->...o")


def _max_pool(graph: Graph, out: list[Value], x: Value, geometry: Geometry, positions: bool) -> None:
    """ONNX counts positions through all images; here each image of each channel has its own."""
    if not positions:
        graph.add("MaxPool", [x], out[0].name, **_window(geometry))
        return
    names = [out[0].name, graph.new_name("positions")]
    graph.add_several("MaxPool", [x], names, **_window(geometry))
    graph.add("Mod", [names[1], graph.constant(math.prod(x.shape[2:]), np.int64)], out[1].name)


def _max_unpool(graph: Graph, out: list[Value], x: Value, where: Value, size: tuple[int, int]) -> None:
    N, C = x.shape[:2]
    here, there = [(n, C, math.prod(size)) for n in (N, len(x.twin))]
    image = graph.add("Expand", [graph.constant(0, x.array.dtype), graph.sizes(here, there)])
    flat = [graph.add("Reshape", [one, graph.integers([0, 0, -1])]) for one in (where, x)]
    graph.like(graph.add("ScatterElements", [image, *flat], axis=2), out[0], out[0].name)


def _adaptive_max_pool(graph: Graph, out: list[Value], x: Value, size: tuple[int, int], _: bool) -> None:
    """Windows side by side as they are; of all others the rows, then the columns, those of narrow ones twice."""
    if not any(whole % part for whole, part in zip(x.shape[2:], size, strict=True)):
        kernel = [whole // part for whole, part in zip(x.shape[2:], size, strict=True)]
        graph.add("MaxPool", [x], out[0].name, kernel_shape=kernel, strides=kernel)
        return
    y: Any = x
    for axis, count in zip((2, 3), size, strict=True):
        n = x.shape[axis]
        bounds = [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        width = max(end - start for start, end in bounds)
        places = [[min(start + k, end - 1) for k in range(width)] for start, end in bounds]
        picked = graph.add("Gather", [y, graph.constant(places, np.int64)], axis=axis)
        y = graph.add("ReduceMax", [picked, graph.integers([axis + 1])], out[0].name if axis == 3 else "", keepdims=0)


def _average_pool(
    graph: Graph, out: list[Value], x: Value, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray, _: bool
) -> None:
    """Windows side by side as they are; all others as sums by a matrix for rows and one for columns, then divided."""
    sizes = [bounds[:, 1] - bounds[:, 0] for bounds in (rows, columns)]
    kernel = [int(size[0]) if len(size) else 1 for size in sizes]
    steps = [np.diff(bounds[:, 0]) for bounds in (rows, columns)]
    regular = (
        out[0].array.size
        and all((size == size[0]).all() for size in sizes)
        and all((step == step[:1]).all() and (step > 0).all() for step in steps)
    )
    if regular and (divisor == kernel[0] * kernel[1]).all():
        strides = [int(step[0]) if len(step) else size for step, size in zip(steps, x.shape[2:], strict=True)]
        graph.add("AveragePool", [x], out[0].name, kernel_shape=kernel, strides=strides)
        return
    dtype, (H, W) = x.array.dtype, x.shape[2:]
    left = np.array([[first <= i < last for i in range(H)] for first, last in rows], dtype).reshape(len(rows), H)
    right = np.array([[first <= j < last for first, last in columns] for j in range(W)], dtype).reshape(W, len(columns))
    total = graph.add("MatMul", [graph.add("MatMul", [graph.constant(left), x]), graph.constant(right)])
    graph.add("Div", [total, graph.constant(np.broadcast_to(divisor, out[0].shape[2:]), dtype)], out[0].name)


def _batch_norm(
    graph: Graph,
    out: list[Value],
    x: Value,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    mean: Any,
    variance: Any,
    eps: float,
    from_batch: bool,
) -> None:
    C, dtype = x.shape[1], x.array.dtype
    scale, shift = weight or graph.constant(np.ones(C, dtype)), bias or graph.constant(np.zeros(C, dtype))
    graph.add("BatchNormalization", [x, scale, shift, running_mean, running_var], out[0].name, epsilon=float(eps))


def _group_norm(
    graph: Graph, out: list[Value], x: Value, weight: Any, bias: Any, groups: int, eps: float, running: Any, _: Any
) -> None:
    """Each group is one channel of an instance norm; then weight and bias of the channels."""
    dtype, (C, *others) = x.array.dtype, x.shape[1:]
    merged = graph.add("Reshape", [x, graph.integers([0, groups, -1])])
    ones, zeros = graph.constant(np.ones(groups, dtype)), graph.constant(np.zeros(groups, dtype))
    result = graph.add("InstanceNormalization", [merged, ones, zeros], epsilon=float(eps))
    apart = (C, *[1] * len(others))
    factors = [(op, one) for op, one in (("Mul", weight), ("Add", bias)) if one is not None]
    result = graph.like(result, out[0], "" if factors else out[0].name)
    for k, (op, one) in enumerate(factors):
        last = k == len(factors) - 1
        result = graph.add(op, [result, graph.reshaped(one, apart, apart)], out[0].name if last else "")


def _row_norm(
    graph: Graph, out: list[Value], x: Value, weight: Any, bias: Any, size: int, eps: float, centred: bool
) -> None:
    axis = next(axis for axis in reversed(range(x.ndim)) if math.prod(x.shape[axis:]) == size)
    if weight is not None:
        axis = x.ndim - weight.ndim
    dtype, shape = x.array.dtype, x.shape[axis:]
    scale = weight or graph.constant(np.ones(shape, dtype))
    if centred:
        graph.add("LayerNormalization", [x, scale, bias or ""], out[0].name, axis=axis, epsilon=float(eps))
        return
    axes = graph.integers(range(axis, x.ndim))
    square = graph.add("ReduceMean", [graph.add("Mul", [x, x]), axes], keepdims=1)
    root = graph.add("Sqrt", [graph.add("Add", [square, graph.constant(eps, dtype)])])
    graph.add("Mul", [graph.add("Div", [x, root]), scale], out[0].name)


def _response_norm(graph: Graph, out: list[Value], x: Value, size: int, alpha: float, beta: float, k: float) -> None:
    if size % 2 and x.ndim == 4:
        graph.add("LRN", [x], out[0].name, size=size, alpha=float(alpha), beta=float(beta), bias=float(k))
        return
    C, dtype = x.shape[1], x.array.dtype  # of an even number of channels PyTorch takes one more before, LRN behind
    near = [[-(size // 2) <= other - channel < size - size // 2 for other in range(C)] for channel in range(C)]
    squares = graph.add("Reshape", [graph.add("Mul", [x, x]), graph.integers([0, 0, -1])])
    sums = graph.like(graph.add("MatMul", [graph.constant(near, dtype), squares]), x)
    mean = graph.add("Mul", [sums, graph.constant(alpha / size, dtype)])
    divisor = graph.add("Pow", [graph.add("Add", [mean, graph.constant(k, dtype)]), graph.constant(beta, dtype)])
    graph.add("Div", [x, divisor], out[0].name)


def _pad(graph: Graph, out: list[Value], x: Value, pairs: dict[int, tuple[int, int]], mode: str, value: Any) -> None:
    if mode == "constant":
        widths = [[pairs.get(axis, (0, 0))[side] for axis in range(x.ndim)] for side in (0, 1)]
        numbers = graph.integers(np.concatenate(widths))
        graph.add("Pad", [x, numbers, graph.constant(value or 0, x.array.dtype)], out[0].name)
        return
    result: Any = x
    for axis, (before, after) in pairs.items():
        places = origins(mode, x.shape[axis], before, after)
        if (places < 0).any():
            raise ExportError(f"{mode} padding of what negative padding has cut off")
        result = graph.add("Gather", [result, graph.integers(places)], axis=axis)
    graph.add("Identity", [result], out[0].name)


def _matrix(taps: Any, size: int, dtype: Any) -> np.ndarray:
    """(outputs, inputs): what each input pixel weighs in each output pixel."""
    matrix = np.zeros((len(taps.start) - 1, size), dtype)
    for o in range(len(matrix)):
        for k in range(taps.start[o], taps.start[o + 1]):
            matrix[o, taps.place[k]] += taps.weight[k]
    return matrix


def _resize(graph: Graph, out: list[Value], x: Value, rows: Any, columns: Any) -> None:
    """Rows and columns each by a matrix, whatever the mode."""
    dtype = x.array.dtype
    right = graph.constant(_matrix(columns, x.shape[-1], dtype).T)
    if x.ndim == 3:
        graph.add("MatMul", [x, right], out[0].name)
        return
    left = graph.constant(_matrix(rows, x.shape[-2], dtype))
    graph.add("MatMul", [graph.add("MatMul", [left, x]), right], out[0].name)


def _grid_sample(
    graph: Graph, out: list[Value], x: Value, grid: Any, mode: str, padding: str, align_corners: bool
) -> None:
    options = {"mode": mode, "padding_mode": padding, "align_corners": int(align_corners)}
    graph.add("GridSample", [x, grid], out[0].name, **options)


def _nearest(graph: Graph, out: list[Value], x: Value, rows: np.ndarray, columns: np.ndarray) -> None:
    y: Any = x if x.ndim == 3 else graph.add("Gather", [x, graph.integers(rows)], axis=x.ndim - 2)
    graph.add("Gather", [y, graph.integers(columns)], out[0].name, axis=x.ndim - 1)


def _embedding(graph: Graph, out: list[Value], weight: Value, indices: Any, *_: Any) -> None:
    graph.add("Gather", [weight, index_of(graph, indices)], out[0].name, axis=0)


def _rearranged(graph: Graph, out: list[Value], x: Value, apart: tuple, order: tuple[int, ...], _: Any) -> None:
    """`apart` is a pair of shapes where it follows the batch."""
    here, there = apart if isinstance(apart[0], tuple) else (apart, apart)
    graph.like(graph.add("Transpose", [graph.reshaped(x, here, there)], perm=order), out[0], out[0].name)


def _patches(C: int, geometry: Geometry, dtype: Any) -> np.ndarray:
    """The weight of a convolution in C groups, (C·KH·KW, 1, KH, KW): each pixel of a window becomes a channel."""
    KH, KW = geometry.kernel
    return np.tile(np.eye(KH * KW, dtype=dtype).reshape(KH * KW, 1, KH, KW), (C, 1, 1, 1))


def _unfold(graph: Graph, out: list[Value], x: Value, geometry: Geometry) -> None:
    C = x.shape[1]
    weight = graph.constant(_patches(C, geometry, x.array.dtype))
    graph.like(graph.add("Conv", [x, weight], group=C, **_window(geometry)), out[0], out[0].name)


def _fold(graph: Graph, out: list[Value], x: Value, geometry: Geometry) -> None:
    KH, KW = geometry.kernel
    C, size = x.shape[1] // (KH * KW), geometry.output_size
    weight = graph.constant(_patches(C, geometry, x.array.dtype))
    image = graph.reshaped(x, (len(x.array), C * KH * KW, *size), (len(x.twin), C * KH * KW, *size))
    graph.add("ConvTranspose", [image, weight], out[0].name, group=C, **_turned_window(geometry))


OPERATORS: dict[type, Writer] = {
    Conv2d: _conv,
    ConvTranspose2d: _conv_transpose,
    Linear: _linear,
    Bilinear: _bilinear,
    MaxPool2d: _max_pool,
    MaxUnpool2d: _max_unpool,
    AdaptiveMaxPool2d: _adaptive_max_pool,
    AveragePool2d: _average_pool,
    BatchNorm: _batch_norm,
    GroupNorm: _group_norm,
    RowNorm: _row_norm,
    LocalResponseNorm: _response_norm,
    Pad: _pad,
    Resize: _resize,
    Nearest: _nearest,
    GridSample: _grid_sample,
    Embedding: _embedding,
    Rearranged: _rearranged,
    Unfold: _unfold,
    Fold: _fold,
}
