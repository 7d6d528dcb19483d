"""What ONNX's operations that select, sort, put and judge are in minicnn; see `nodes`."""

import math
from typing import Any

import numpy as np
from onnx import helper

import minicnn
from minicnn.nn import functional as F
from minicnn.onnx.nodes import Function, integers, plain
from minicnn.tensor import Tensor


def _from_the_start(index: Tensor, size: int) -> Tensor:
    """Indices that may count from the end, as those that don't."""
    return minicnn.where(index < 0, index + size, index).long()


def top_k(x: Tensor, k: Tensor, **a: Any) -> tuple[Tensor, Tensor]:
    """The largest or smallest k, in order, and where they were."""
    return tuple(x.topk(integers(k)[0], a.get("axis", -1), bool(a.get("largest", 1))))


def scatter_elements(x: Tensor, index: Tensor, updates: Tensor, **a: Any) -> Tensor:
    """Elements put, or added, at an index along an axis."""
    axis = a.get("axis", 0) % x.ndim
    places, reduction = _from_the_start(index, x.shape[axis]), a.get("reduction", "none")
    if reduction == "none":
        return x.scatter(axis, places, updates)
    names: dict[str, Any] = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}
    return x.scatter_reduce(axis, places, updates, names[reduction])


def _rows(x: Tensor, index: Tensor, lead: int) -> tuple[Tensor, Tensor]:
    """For indices of several axes: those axes of x as one, and the places along it, both flat behind `lead` axes."""
    depth = index.shape[-1]
    sizes = x.shape[lead : lead + depth]
    strides = [math.prod(sizes[k + 1 :]) for k in range(depth)]
    columns = [_from_the_start(index[..., k], sizes[k]) * strides[k] for k in range(depth)]
    places = sum(columns) if columns else minicnn.zeros(index.shape[:-1], dtype=minicnn.int64)
    return x.reshape(*x.shape[:lead], math.prod(sizes), *x.shape[lead + depth :]), places


def gather_nd(x: Tensor, index: Tensor, **a: Any) -> Tensor:
    """The parts of x at indices of several axes at once."""
    if a.get("batch_dims"):
        raise NotImplementedError("GatherND with batch_dims")
    rows, places = _rows(x, index, 0)
    return rows[places]


def scatter_nd(x: Tensor, index: Tensor, updates: Tensor, **a: Any) -> Tensor:
    """Parts put at indices of several axes at once."""
    reduction = a.get("reduction", "none")
    if reduction not in ("none", "add"):
        raise NotImplementedError(f"ScatterND with reduction={reduction}")
    rows, places = _rows(x, index, 0)
    parts = updates.reshape(places.numel(), *rows.shape[1:])
    return rows.index_put((places.reshape(-1),), parts, accumulate=reduction == "add").reshape(x.shape)


def one_hot(index: Tensor, depth: Tensor, values: Tensor, **a: Any) -> Tensor:
    """The second value at an index along a new axis, the first elsewhere; nowhere for indices out of range."""
    count = integers(depth)[0]
    axis = a.get("axis", -1) % (index.ndim + 1)
    places = minicnn.where(index < 0, index + count, index).unsqueeze(axis)
    classes = minicnn.arange(count).reshape([count if k == axis else 1 for k in range(places.ndim)])
    return minicnn.where(places == classes, values[1], values[0])


def triangle(x: Tensor, k: Any = None, **a: Any) -> Tensor:
    """The elements on one side of a diagonal."""
    diagonal = 0 if k is None else integers(k)[0]
    return x.triu(diagonal) if a.get("upper", 1) else x.tril(diagonal)


def modulo(x: Tensor, y: Tensor, **a: Any) -> Tensor:
    """The remainder with the sign of x, or of y."""
    return minicnn.fmod(x, y) if a.get("fmod") else minicnn.remainder(x, y)


def is_infinite(x: Tensor, **a: Any) -> Tensor:
    """Infinities of both signs, or of one."""
    signs = [name for name in ("positive", "negative") if a.get(f"detect_{name}", 1)]
    if not signs:
        return minicnn.zeros_like(x, dtype=minicnn.bool)
    tests = {"positive": minicnn.isposinf, "negative": minicnn.isneginf}
    return minicnn.isinf(x) if len(signs) == 2 else tests[signs[0]](x)


def max_unpool(x: Tensor, where: Tensor, size: Any = None, **a: Any) -> Tensor:
    """Values put back; ONNX counts places through all images of all channels, and fills up behind to a given size."""
    kernel = a["kernel_shape"]
    count = len(kernel)
    pads, stride = a.get("pads", [0] * 2 * count), a.get("strides", [1] * count)
    ends = zip(x.shape[2:], stride, pads[:count], pads[count:], kernel, strict=True)
    image = [(n - 1) * s - before - after + k for n, s, before, after, k in ends]
    y = minicnn.zeros(*x.shape[:2], math.prod(image), dtype=x.dtype)
    y = y.scatter(2, where.flatten(2) % math.prod(image), x.flatten(2)).reshape(*x.shape[:2], *image)
    more = [m - n for m, n in zip(integers(size)[2:], image, strict=True)] if size is not None else [0] * count
    return F.pad(y, [width for behind in reversed(more) for width in (0, behind)])


def _likelihood(scores: Tensor, target: Tensor, weight: Any, a: dict) -> Tensor:
    return F.nll_loss(
        scores, target.long(), weight, ignore_index=a.get("ignore_index", -100), reduction=a.get("reduction", "mean")
    )


def negative_log_likelihood(x: Tensor, target: Tensor, weight: Any = None, **a: Any) -> Tensor:
    """Of log-probabilities."""
    return _likelihood(x, target, weight, a)


def softmax_cross_entropy(x: Tensor, target: Tensor, weight: Any = None, *, outputs: int = 1, **a: Any) -> Any:
    """The loss, and if asked for the log-probabilities."""
    log_p = F.log_softmax(x, 1)
    loss = _likelihood(log_p, target, weight, a)
    return (loss, log_p) if outputs > 1 else loss


def grid_sample(x: Tensor, grid: Tensor, **a: Any) -> Tensor:
    """Pixels at the places of a grid."""
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(a.get("mode", "bilinear"), a.get("mode", "bilinear"))
    if x.ndim != 4:
        raise NotImplementedError(f"GridSample along {x.ndim - 2} axes")
    return F.grid_sample(x, grid, mode, a.get("padding_mode", "zeros"), bool(a.get("align_corners", 0)))


def affine_grid(theta: Tensor, size: Tensor, **a: Any) -> Tensor:
    """The grid of an affine map."""
    if theta.shape[-1] != 3:
        raise NotImplementedError("AffineGrid along three axes")
    return F.affine_grid(theta, integers(size), bool(a.get("align_corners", 0)))


def rms_norm(x: Tensor, scale: Tensor, **a: Any) -> Tensor:
    """The last axes, by their root mean square."""
    axis = a.get("axis", -1) % x.ndim
    return F.rms_norm(x, x.shape[axis:], None, a.get("epsilon", 1e-5)) * scale


def group_norm(x: Tensor, scale: Tensor, bias: Tensor, **a: Any) -> Tensor:
    """Groups of channels; scale and bias are those of channels."""
    if scale.shape[0] != x.shape[1]:
        raise NotImplementedError("GroupNormalization with a scale for each group")
    return F.group_norm(x, a["num_groups"], scale, bias, a.get("epsilon", 1e-5))


def lp_pool(x: Tensor, **a: Any) -> Tensor:
    """(Σ over each window of |x|^p)^(1/p)"""
    if any(a.get("pads", [0])) or a.get("auto_pad", "NOTSET") != "NOTSET" or set(a.get("dilations", [1])) != {1}:
        raise NotImplementedError("LpPool with padding or dilation")
    if a.get("ceil_mode"):
        raise NotImplementedError("LpPool with ceil_mode")
    kernel = a["kernel_shape"]
    function = {1: F.lp_pool1d, 2: F.lp_pool2d}.get(len(kernel))
    if function is None:
        raise NotImplementedError(f"LpPool along {len(kernel)} axes")
    one = (lambda v: v[0]) if len(kernel) == 1 else list
    return function(x.abs(), a.get("p", 2), one(kernel), one(a.get("strides", [1] * len(kernel))))


def lp_normalization(x: Tensor, **a: Any) -> Tensor:
    """x over its norm along an axis; 0 where that is 0."""
    norm = x.norm(a.get("p", 2), a.get("axis", -1), True)
    return minicnn.where(norm == 0, minicnn.zeros_like(x), x / norm)


def hardmax(x: Tensor, **a: Any) -> Tensor:
    """1 at the first of the largest along an axis, 0 elsewhere."""
    axis = a.get("axis", -1)
    return minicnn.zeros_like(x).scatter(axis, x.argmax(axis, True), 1)


def col_to_image(x: Tensor, image: Tensor, block: Tensor, **a: Any) -> Tensor:
    """Windows summed to an image."""
    size, kernel = integers(image), integers(block)
    pads = a.get("pads", [0, 0, 0, 0])
    if len(size) != 2 or pads[:2] != pads[2:]:
        raise NotImplementedError("Col2Im along other than two axes, or with uneven padding")
    return F.fold(x, size, kernel, a.get("dilations", [1, 1]), pads[:2], a.get("strides", [1, 1]))


def eye_like(x: Tensor, **a: Any) -> Tensor:
    """1 on a diagonal."""
    dtype = minicnn.from_numpy(np.empty(0, helper.tensor_dtype_to_np_dtype(a["dtype"]))).dtype if "dtype" in a else None
    ones = minicnn.ones(x.shape, dtype=dtype or x.dtype)
    return ones.triu(a.get("k", 0)).tril(a.get("k", 0))


def space_to_depth(x: Tensor, **a: Any) -> Tensor:
    """Pixels of a block as channels: the places within a block first, then the channels."""
    r = a["blocksize"]
    if a.get("mode", "DCR") == "CRD":
        return F.pixel_unshuffle(x, r)
    N, C, H, W = x.shape
    return x.reshape(N, C, H // r, r, W // r, r).permute(0, 3, 5, 1, 2, 4).reshape(N, C * r * r, H // r, W // r)


def compress(x: Tensor, condition: Tensor, **a: Any) -> Tensor:
    """The parts where a condition holds, along an axis or of all elements."""
    places = condition.nonzero().reshape(-1)
    return x.reshape(-1)[places] if "axis" not in a else x.index_select(a["axis"] % x.ndim, places)


def standardised(x: Tensor, **a: Any) -> Tensor:
    """Mean 0 and variance 1 over axes."""
    axes = a.get("axes", [0, 2, 3])
    apart = x - x.mean(axes, True)
    return apart / (apart.square().mean(axes, True).sqrt() + 1e-9)


def arange(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """Numbers at equal distances."""
    return minicnn.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


def log_sum(x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    """ln Σ x"""
    which = integers(axes) if axes is not None else []
    if not which and a.get("noop_with_empty_axes"):
        return x.log()
    return x.sum(tuple(which or range(x.ndim)), bool(a.get("keepdims", 1))).log()


def swish(x: Tensor, **a: Any) -> Tensor:
    """x · sigmoid(alpha · x)"""
    return x * minicnn.sigmoid(a.get("alpha", 1.0) * x)


def mean(*several: Tensor, **a: Any) -> Tensor:
    """The mean of several Tensors that broadcast."""
    return sum(several[1:], several[0]) / len(several)


def shift(x: Tensor, by: Tensor, **a: Any) -> Tensor:
    """Bits moved to one side."""
    return {"LEFT": minicnn.bitwise_left_shift, "RIGHT": minicnn.bitwise_right_shift}[a["direction"]](x, by)


def cumulative_product(x: Tensor, axis: Tensor, **a: Any) -> Tensor:
    """The products up to each element."""
    if a.get("exclusive") or a.get("reverse"):
        raise NotImplementedError("CumProd that is exclusive or reversed")
    return x.cumprod(integers(axis)[0]).to(x.dtype)


NODES: dict[str, Function] = {
    "AffineGrid": affine_grid, "BitShift": shift, "BitwiseAnd": plain(minicnn.bitwise_and),
    "BitwiseNot": plain(minicnn.bitwise_not), "BitwiseOr": plain(minicnn.bitwise_or),
    "BitwiseXor": plain(minicnn.bitwise_xor), "CastLike": lambda x, like, **a: x.to(like.dtype),
    "Col2Im": col_to_image, "Compress": compress, "CumProd": cumulative_product, "Det": plain(minicnn.det),
    "EyeLike": eye_like, "GatherND": gather_nd, "GridSample": grid_sample, "GroupNormalization": group_norm,
    "Hardmax": hardmax, "IsInf": is_infinite, "IsNaN": plain(minicnn.isnan), "LpNormalization": lp_normalization,
    "LpPool": lp_pool, "MaxUnpool": max_unpool, "Mean": mean, "MeanVarianceNormalization": standardised,
    "Mod": modulo, "NegativeLogLikelihoodLoss": negative_log_likelihood,
    "NonZero": plain(lambda x: x.nonzero().t()), "OneHot": one_hot, "RMSNormalization": rms_norm,
    "Range": plain(arange), "ReduceLogSum": log_sum, "ScatterElements": scatter_elements, "ScatterND": scatter_nd,
    "Size": plain(lambda x: minicnn.tensor(x.numel(), dtype=minicnn.int64)),
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy, "SpaceToDepth": space_to_depth, "Swish": swish,
    "ThresholdedRelu": lambda x, **a: F.threshold(x, a.get("alpha", 1.0), 0.0), "TopK": top_k, "Trilu": triangle,
}  # fmt: skip
"""By ONNX's name of the operation, as its operator sets 13 to 20 define it."""
