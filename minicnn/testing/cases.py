"""Hypothesis strategies for windowed operations, valid by construction.

Along each axis a kernel, a dilation, and *relations* are drawn: whether the stride is the kernel's size, whether the
padding is at its limit, whether the window spans the whole image or the image is a multiple of the stride. Shortcuts in
an implementation hang on such relations, which independent numbers meet by luck alone. Channels, outputs and images
are as many as vectors and tiles hold, give or take one; the numbers of elements and of products are bounded.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicnn.testing.arrays import CONTIGUOUS, LAYOUTS, VALUES, Layout, counts, fill, lay_out, layouts, real_arrays

__all__ = [
    "KERNELS", "LAYOUTS", "VALUES", "AdaptiveCase", "ConvolutionCase", "Layout", "PoolingCase", "adaptive_poolings",
    "convolutions", "counts", "fill", "lay_out", "layouts", "poolings", "real_arrays", "transposed_convolutions",
]  # fmt: skip

ELEMENTS = 2**12
"""At most so many elements in an array, unless its smallest sizes make it larger."""
PRODUCTS = 2**20
"""At most so many products in a convolution."""
TERMS = 2**9
"""At most so many terms in a sum of normally distributed numbers; the largest error seen in 600,000 sums, added up one
by one in float32, is 2.6 times eps · Σ |terms|."""
FEW_TERMS = 2**3
"""At most so many where magnitudes differ widely: n terms, added up in any order, are at most n · eps / 2 · Σ |terms|
off; where one is much larger than the others, so much comes about (5.4 times eps · Σ |terms| with 32 terms)."""

RARELY = st.sampled_from([False] * 9 + [True])
KERNELS = (1, 1, 2, 2, 3, 3, 3, 4, 5, 7)


@dataclass(frozen=True)
class Window:
    """One axis of a window and the image that it looks at; `extra` is a transposed convolution's output padding."""

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: int
    extra: int = 0

    @property
    def extent(self) -> int:
        """How many pixels the window spans."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def output(self) -> int:
        """How many windows a convolution has."""
        return (self.size + 2 * self.padding - self.extent) // self.stride + 1


def _brief(array: np.ndarray | None) -> str:
    return "None" if array is None else f"{array.dtype}{list(array.shape)} strides {array.strides}"


@dataclass(frozen=True, eq=False)
class ConvolutionCase:
    """Arguments of a convolution, or of a transposed one, and a gradient with respect to its output.

    Attributes:
        x: (N, C, H, W), or (C, H, W).
        weight: (O, C/groups, KH, KW); of a transposed convolution (C, O/groups, KH, KW).
        bias: (O,) or None.
        stride, padding, dilation, groups: as in conv2d.
        seed, kind, layout: what the gradient with respect to the output is made from.
        output_padding: as in conv_transpose2d; None for conv2d.
    """

    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray | None
    stride: Any
    padding: Any
    dilation: Any
    groups: int
    kind: str
    seed: int
    layout: Layout = CONTIGUOUS
    output_padding: Any = None

    @property
    def exact(self) -> bool:
        """Whether every sum is exact, whatever its order: values are small integers."""
        return self.kind in ("integers", "ties")

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient with respect to the output, of the output's shape."""
        return lay_out(fill(shape, self.kind, self.seed + 3, self.x.dtype), self.layout)

    def __repr__(self) -> str:
        name, extra = "conv2d", ""
        if self.output_padding is not None:
            name, extra = "conv_transpose2d", f", output_padding={self.output_padding}"
        return (
            f"{name}(x={_brief(self.x)}, weight={_brief(self.weight)}, bias={_brief(self.bias)}, stride={self.stride}, "
            f"padding={self.padding!r}{extra}, dilation={self.dilation}, groups={self.groups}; {self.kind} from seed "
            f"{self.seed}, gradient in {self.layout})"
        )


def _as_argument(draw: st.DrawFn, value: tuple[int, ...]) -> Any:
    """A pair, or the int that stands for two equal numbers."""
    return value[0] if value[0] == value[1] and draw(st.booleans()) else value


def _pairs(draw: st.DrawFn, windows: list[Window], *names: str) -> list[Any]:
    return [_as_argument(draw, tuple(getattr(window, name) for window in windows)) for name in names]


def _step(draw: st.DrawFn, kernel: int, relation: str) -> int:
    if relation == "pointwise":
        return draw(st.sampled_from([1, 1, 2]))
    return draw(st.sampled_from([1, 1, 2, 3, kernel, kernel + 1]))


def _image_size(draw: st.DrawFn, extent: int, stride: int, padding: int, relation: str) -> int:
    """A size that at least one window fits in: as large as the window, a multiple of the stride, or any."""
    least = max(extent - 2 * padding, 1)
    if relation == "whole":
        return extent
    windows = draw(st.integers(1, 4) | st.sampled_from([1, 2, 7, 8, 9, 17]))
    if relation == "multiple":
        return max(windows, math.ceil(least / stride)) * stride
    return least + (windows - 1) * stride + draw(st.integers(0, stride - 1))


@st.composite
def _windows(draw: st.DrawFn, padded: bool = True) -> list[Window]:
    """The two axes of a convolution."""
    relation = draw(st.sampled_from(["any", "any", "multiple", "whole", "pointwise"]), label="relation")
    windows = []
    for _ in "hw":
        kernel = 1 if relation == "pointwise" else draw(st.sampled_from(KERNELS))
        dilation = draw(st.sampled_from([1, 1, 2, 3]))
        stride, extent = _step(draw, kernel, relation), (kernel - 1) * dilation + 1
        padding = draw(st.sampled_from([0, 0, 1, 2, extent // 2, extent - 1])) if padded else 0
        size = _image_size(draw, extent, stride, padding, relation)
        windows.append(Window(size, kernel, stride, dilation, padding))
    return windows


@st.composite
def _same_windows(draw: st.DrawFn) -> list[Window]:
    """The two axes of a convolution with padding="same", mostly with an odd number of pixels to add."""
    odd = st.tuples(st.sampled_from([2, 4, 2, 6]), st.sampled_from([1, 3, 1]))
    shapes = [draw(odd | st.tuples(st.sampled_from(KERNELS), st.sampled_from([1, 2, 3]))) for _ in "hw"]
    return [Window(draw(st.integers(1, 9)), kernel, 1, dilation, 0) for kernel, dilation in shapes]


@st.composite
def _sizes(draw: st.DrawFn, places: int, taps: int, least_batch: int) -> tuple[int, int, int, int]:
    """Batch, groups, channels and outputs of a group, for images of so many pixels."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]), label="groups")
    room = max(ELEMENTS // places // groups, 1)
    channels = draw(counts(room), label="channels a group")
    outputs = draw(counts(min(room, PRODUCTS // (places * taps * channels * groups))), label="outputs a group")
    batches = min(ELEMENTS // (places * max(channels, outputs) * groups), PRODUCTS // (places * taps * channels))
    batch = draw(counts(min(batches, 33)), label="batch")
    return (0 if least_batch == 0 and draw(RARELY) else batch), groups, channels, outputs


def _arrays(
    draw: st.DrawFn, shapes: list[tuple[int, ...] | None], terms: int, kinds: tuple[str, ...], dtype: Any
) -> tuple[list[Any], str, int, Layout]:
    """x, weight and bias, the kind of their values, the seed, and how the gradient lies in memory."""
    *own, layout = [draw(layouts(repeats=True)) for _ in (*shapes, None)]
    most = FEW_TERMS if any(one.repeat is not None for one in (*own, layout)) else TERMS  # equal terms err alike
    short = tuple(kind for kind in kinds if kind != "reals" or terms <= most) or ("integers",)
    kind = draw(st.sampled_from(short), label="values")
    if kind == "reals" and terms > FEW_TERMS:
        kind = "normals"
    seed = draw(st.integers(0, 2**16), label="seed")
    arrays = [
        None if shape is None else lay_out(fill(shape, kind, seed + i, dtype), one)
        for i, (shape, one) in enumerate(zip(shapes, own, strict=True))
    ]
    return arrays, kind, seed, layout


@st.composite
def convolutions(
    draw: st.DrawFn,
    dtype: Any = np.float32,
    kinds: tuple[str, ...] = VALUES,
    named_padding: bool = True,
    unbatched: bool = True,
    empty_batch: bool = True,
) -> ConvolutionCase:
    """Cases for conv2d: every combination of arguments that PyTorch accepts.

    Args:
        dtype: of the arrays.
        kinds: of values, out of VALUES.
        named_padding: draw "same" and "valid" too.
        unbatched: draw images without a batch dimension too.
        empty_batch: draw batches of no images too.
    """
    mode = draw(st.sampled_from(["numbers", "numbers", "same", "valid"] if named_padding else ["numbers"]))
    windows = draw(_same_windows() if mode == "same" else _windows(padded=mode == "numbers"))
    stride, dilation, padding = _pairs(draw, windows, "stride", "dilation", "padding")
    outputs_of = [w.size if mode == "same" else w.output for w in windows]
    places = max(math.prod(w.size for w in windows), math.prod(outputs_of))
    taps = math.prod(w.kernel for w in windows)
    N, groups, C, O = draw(_sizes(places, taps, 0 if empty_batch else 1))
    size = [w.size for w in windows]
    image = (C * groups, *size) if unbatched and draw(st.booleans()) else (N, C * groups, *size)
    weight = (O * groups, C, *[w.kernel for w in windows])
    terms = max(taps * max(C, O), max(N, 1) * places)
    bias = (O * groups,) if draw(st.booleans(), label="bias") else None
    arrays, kind, seed, layout = _arrays(draw, [image, weight, bias], terms, kinds, dtype)
    x, w, b = arrays
    pads = padding if mode == "numbers" else mode
    return ConvolutionCase(x, w, b, stride, pads, dilation, groups, kind, seed, layout)


@st.composite
def transposed_convolutions(
    draw: st.DrawFn, dtype: Any = np.float32, kinds: tuple[str, ...] = VALUES
) -> ConvolutionCase:
    """Cases for conv_transpose2d; `output_padding` is often at its limit, also where it is beyond the kernel's reach.

    Args:
        dtype: of the arrays.
        kinds: of values, out of VALUES.
    """
    relation = draw(st.sampled_from(["any", "pointwise", "pointwise"]), label="relation")
    windows, results = [], []
    for _ in "hw":
        kernel = 1 if relation == "pointwise" else draw(st.sampled_from(KERNELS))
        stride, dilation = _step(draw, kernel, relation), draw(st.sampled_from([1, 2, 2, 3]))
        most = max(stride, dilation) - 1
        extra = draw(st.sampled_from([0, most, most]))
        size = draw(st.integers(1, 4) | st.sampled_from([1, 7, 8, 9]))
        whole = (size - 1) * stride + (kernel - 1) * dilation + 1 + extra
        padding = draw(st.sampled_from([0, 0, 0, 1, 2, kernel // 2, (whole - 1) // 2]))
        padding = min(padding, (whole - 1) // 2)
        windows.append(Window(size, kernel, stride, dilation, padding, extra))
        results.append(whole - 2 * padding)
    places, taps = math.prod(results) + math.prod(w.size for w in windows), math.prod(w.kernel for w in windows)
    N, groups, C, O = draw(_sizes(places, taps, 0))
    channels = (C * groups, *[w.size for w in windows])
    image = channels if draw(st.booleans()) else (N, *channels)
    weight = (C * groups, O, *[w.kernel for w in windows])
    bias = (O * groups,) if draw(st.booleans(), label="bias") else None
    terms = max(taps * max(C, O), max(N, 1) * places)
    arrays, kind, seed, layout = _arrays(draw, [image, weight, bias], terms, kinds, dtype)
    stride, padding, dilation, extra = _pairs(draw, windows, "stride", "padding", "dilation", "extra")
    x, w, b = arrays
    return ConvolutionCase(x, w, b, stride, padding, dilation, groups, kind, seed, layout, extra)


@dataclass(frozen=True, eq=False)
class PoolingCase:
    """Arguments of a pooling and what its output's gradient is filled from.

    Attributes:
        x: (N, C, H, W), or (C, H, W).
        kernel_size, stride, padding, dilation, ceil_mode: as in max_pool2d.
    """

    x: np.ndarray
    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any
    ceil_mode: bool
    kind: str
    seed: int
    layout: Layout = CONTIGUOUS

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient with respect to the output, of the output's shape."""
        return lay_out(fill(shape, self.kind, self.seed + 3, self.x.dtype), self.layout)

    def __repr__(self) -> str:
        return (
            f"pool2d(x={_brief(self.x)}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, ceil_mode={self.ceil_mode}; "
            f"{self.kind} from seed {self.seed}, gradient in {self.layout})"
        )


def _image(draw: st.DrawFn, size: tuple[int, ...], kinds: tuple[str, ...], dtype: Any) -> tuple[Any, str, int, Layout]:
    """An image of `size`, batched or not, the kind of its values, the seed, and how the gradient lies in memory."""
    places = math.prod(size)
    channels = draw(counts(ELEMENTS // places), label="channels")
    batch = 0 if draw(RARELY) else draw(counts(min(ELEMENTS // (places * channels), 9)))
    shape = (batch, channels, *size) if draw(st.booleans()) else (channels, *size)
    arrays, kind, seed, layout = _arrays(draw, [shape], 1, kinds, dtype)
    return arrays[0], kind, seed, layout


@st.composite
def poolings(
    draw: st.DrawFn, dtype: Any = np.float32, kinds: tuple[str, ...] = VALUES, dilated: bool = True
) -> PoolingCase:
    """Cases for pooling; each window has a tap inside the image.

    Args:
        dtype: of the image.
        kinds: of values, out of VALUES.
        dilated: draw dilations above 1 too.
    """
    relation = draw(st.sampled_from(["any", "default", "default", "whole"]), label="relation")
    windows = []
    for _ in "hw":
        kernel = draw(st.sampled_from(KERNELS if relation != "default" else (1, 2, 3, 3, 3, 5)))
        dilation = draw(st.sampled_from([1, 1, 2, 3])) if dilated and relation != "default" else 1
        stride = kernel if relation == "default" else _step(draw, kernel, relation)
        extent = (kernel - 1) * dilation + 1
        padding = draw(st.sampled_from([0, extent // 2, extent // 2, min(1, extent // 2)])) if dilation == 1 else 0
        shape = draw(st.sampled_from(["multiple", "multiple", "any"])) if relation == "default" else relation
        windows.append(Window(_image_size(draw, extent, stride, padding, shape), kernel, stride, dilation, padding))
    ceil_mode = all(w.dilation == 1 for w in windows) and draw(st.booleans(), label="ceil_mode")
    kernel_size, stride, padding, dilation = _pairs(draw, windows, "kernel", "stride", "padding", "dilation")
    if relation == "default":
        stride = draw(st.sampled_from([None, None, stride]))
    x, kind, seed, layout = _image(draw, tuple(w.size for w in windows), kinds, dtype)
    return PoolingCase(x, kernel_size, stride, padding, dilation, ceil_mode, kind, seed, layout)


@dataclass(frozen=True, eq=False)
class AdaptiveCase:
    """Arguments of an adaptive pooling and what its output's gradient is filled from."""

    x: np.ndarray
    output_size: Any
    kind: str
    seed: int
    layout: Layout = CONTIGUOUS

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient with respect to the output, of the output's shape."""
        return lay_out(fill(shape, self.kind, self.seed + 3, self.x.dtype), self.layout)

    def __repr__(self) -> str:
        return (
            f"adaptive_pool2d(x={_brief(self.x)}, output_size={self.output_size}; {self.kind} from seed {self.seed}, "
            f"gradient in {self.layout})"
        )


@st.composite
def adaptive_poolings(draw: st.DrawFn, dtype: Any = np.float32, kinds: tuple[str, ...] = VALUES) -> AdaptiveCase:
    """Cases for adaptive pooling: to one pixel, to the image's own size, to a divisor of it, to more than it has."""
    size, target = [], []
    for _ in "hw":
        output = draw(st.integers(1, 9))
        size.append(draw(st.sampled_from([output, 2 * output, 3 * output, 1]) | st.integers(1, 9)))
        target.append(draw(st.sampled_from([output, output, 1, None])))
    x, kind, seed, layout = _image(draw, tuple(size), kinds, dtype)
    whole = target[0] == target[1] is not None and draw(st.booleans())
    return AdaptiveCase(x, target[0] if whole else tuple(target), kind, seed, layout)
