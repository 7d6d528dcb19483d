"""Hypothesis strategies for windowed operations, valid by construction.

Nothing is filtered out: an output size, a window and some slack are drawn, and the input size follows as
(output − 1) · stride + extent + slack − padding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

VALUES = ("integers", "ties", "reals")
LAYOUTS = ("contiguous", "channels_last", "strided", "transposed", "reversed")


def fill(shape: tuple[int, ...], kind: str, seed: int, dtype: Any = np.float32) -> np.ndarray:
    """An array of small integers, of {-1, 0, 1} (full of ties), or of reals over four orders of magnitude."""
    rng = np.random.default_rng(seed)
    if kind == "integers":
        return rng.integers(-4, 5, shape).astype(dtype)
    if kind == "ties":
        return rng.integers(-1, 2, shape).astype(dtype)
    return (rng.standard_normal(shape) * 10.0 ** rng.uniform(-2, 2, shape)).astype(dtype)


def lay_out(x: np.ndarray, layout: str) -> np.ndarray:
    """`x` with the same values and another order in memory."""
    if x.ndim == 0:
        return np.array(x)
    if layout == "channels_last" and x.ndim >= 3:
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -3, -1)), -1, -3)
    if layout == "strided":
        wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    if layout == "transposed" and x.ndim >= 2:
        return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)
    if layout == "reversed":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    return np.ascontiguousarray(x)


def layouts() -> st.SearchStrategy[str]:
    """How an array lies in memory: one of LAYOUTS."""
    return st.sampled_from(LAYOUTS)


@st.composite
def real_arrays(
    draw: st.DrawFn, shape: tuple[int, ...], kinds: tuple[str, ...] = VALUES, dtype: Any = np.float32
) -> np.ndarray:
    """Arrays of `shape` with one of `kinds` of values in any memory layout."""
    values = fill(shape, draw(st.sampled_from(kinds)), draw(st.integers(0, 2**16)), dtype)
    return lay_out(values, draw(layouts()))


def _brief(array: np.ndarray | None) -> str:
    return "None" if array is None else f"{array.dtype}{list(array.shape)}"


@dataclass(frozen=True, eq=False)
class ConvolutionCase:
    """Arguments of a convolution and a gradient by its output.

    Attributes:
        x: (N, C, H, W), or (C, H, W).
        weight: (O, C/groups, KH, KW).
        bias: (O,) or None.
        stride, padding, dilation, groups: as in conv2d.
        seed, kind: what the gradient by the output is filled from.
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

    @property
    def exact(self) -> bool:
        """Whether every sum is exact, whatever its order: values are small integers."""
        return self.kind != "reals"

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient by the output, of the output's shape."""
        return fill(shape, self.kind, self.seed + 3, self.x.dtype)

    def __repr__(self) -> str:
        return (
            f"conv2d(x={_brief(self.x)} strides {self.x.strides}, weight={_brief(self.weight)}, "
            f"bias={_brief(self.bias)}, stride={self.stride}, padding={self.padding!r}, dilation={self.dilation}, "
            f"groups={self.groups}; {self.kind} from seed {self.seed})"
        )


def _axis(draw: st.DrawFn, kernel: int, stride: int, dilation: int, padding: int, label: str) -> int:
    """An input size, from the output size and the slack that are drawn."""
    output = draw(st.integers(1, 4), label=f"{label} output")
    slack = draw(st.integers(0, stride - 1), label=f"{label} slack")
    return max((output - 1) * stride + (kernel - 1) * dilation + 1 + slack - 2 * padding, 1)


def _as_argument(draw: st.DrawFn, value: tuple[int, int]) -> Any:
    """A pair, or the int that stands for two equal numbers."""
    return value[0] if value[0] == value[1] and draw(st.booleans()) else value


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
    small = st.integers(1, 3)
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)), label="kernel")
    dilation = draw(st.tuples(small, small), label="dilation")
    modes = ["numbers", "numbers", "same", "valid"] if named_padding else ["numbers"]
    mode = draw(st.sampled_from(modes), label="padding")
    padding: Any = mode
    pads = (0, 0)
    stride = (1, 1) if mode == "same" else draw(st.tuples(small, small), label="stride")
    if mode == "numbers":
        pads = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
        padding = _as_argument(draw, pads)
    size = [
        draw(st.integers(1, 6))
        if mode == "same"
        else _axis(draw, kernel[i], stride[i], dilation[i], pads[i], "row" if i == 0 else "column")
        for i in (0, 1)
    ]
    groups = draw(st.integers(1, 3), label="groups")
    channels = groups * draw(small, label="channels a group")
    outputs = groups * draw(small, label="outputs a group")
    batch = draw(st.integers(0 if empty_batch else 1, 3), label="batch")
    kind = draw(st.sampled_from(kinds), label="values")
    seed = draw(st.integers(0, 2**16), label="seed")
    image = (channels, *size) if unbatched and draw(st.booleans()) else (batch, channels, *size)
    x = lay_out(fill(image, kind, seed, dtype), draw(layouts()))
    weight = fill((outputs, channels // groups, *kernel), kind, seed + 1, dtype)
    weight = lay_out(weight, draw(st.sampled_from(["contiguous", "channels_last", "transposed"])))
    bias = fill((outputs,), kind, seed + 2, dtype) if draw(st.booleans(), label="bias") else None
    return ConvolutionCase(
        x, weight, bias, _as_argument(draw, stride), padding, _as_argument(draw, dilation), groups, kind, seed
    )


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

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient by the output, of the output's shape."""
        return fill(shape, self.kind, self.seed + 3, self.x.dtype)

    def __repr__(self) -> str:
        return (
            f"pool2d(x={_brief(self.x)} strides {self.x.strides}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, ceil_mode={self.ceil_mode}; "
            f"{self.kind} from seed {self.seed})"
        )


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
    small = st.integers(1, 3)
    kernel = draw(st.tuples(small, small), label="kernel")
    stride = draw(st.tuples(small, small), label="stride")
    dilation = draw(st.tuples(small, small), label="dilation") if dilated else (1, 1)
    pads, size = [], []
    for i in (0, 1):
        extent = (kernel[i] - 1) * dilation[i] + 1
        padding = draw(st.integers(0, extent // 2 if dilation[i] == 1 else 0), label="padding")
        size.append(_axis(draw, kernel[i], stride[i], dilation[i], padding, "row" if i == 0 else "column"))
        pads.append(padding)
    ceil_mode = dilation == (1, 1) and draw(st.booleans(), label="ceil_mode")
    kind = draw(st.sampled_from(kinds), label="values")
    seed = draw(st.integers(0, 2**16), label="seed")
    image = (draw(st.integers(0, 3)), draw(small), *size) if draw(st.booleans()) else (draw(small), *size)
    x = lay_out(fill(image, kind, seed, dtype), draw(layouts()))
    default = stride == kernel and draw(st.booleans())
    return PoolingCase(
        x,
        _as_argument(draw, kernel),
        None if default else _as_argument(draw, stride),
        _as_argument(draw, (pads[0], pads[1])),
        _as_argument(draw, dilation),
        ceil_mode,
        kind,
        seed,
    )
