"""Where a window lies: kernel, stride, padding and dilation, resolved once for every windowed operation on images.

Pixels are counted in the image itself, without its padding of `before` and `after` pixels. Along each axis, output
position i looks through K taps that lie `dilation` apart; the first is pixel `origin(i) = i · stride − before`, in the
padding where that is negative:

    extent = (K − 1) · dilation + 1
    output = ⌊(size + before + after − extent) / stride⌋ + 1

Convolution, pooling, unfold, fold and the test strategies all ask here, so that this arithmetic and its error
messages exist once. Source of the rules: PyTorch's documentation of `Conv2d` and `MaxPool2d`.
"""

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Pair = int | Sequence[int]

INT32, INT64 = 2**31 - 1, 2**63 - 1
"""The largest sizes: PyTorch's pooling and transposed convolution count in int32, the others in int64."""


@dataclass(frozen=True, slots=True, eq=False)  # made once for the same arguments, so identity is equality
class Axis:
    """One axis of a window: sizes in pixels."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    output: int

    @classmethod
    def of(cls, size: int, kernel: int, stride: int, dilation: int, before: int, after: int, output: int) -> "Axis":
        """An axis whose steps are small enough to compute addresses with.

        A stride or dilation larger than the padded image is never taken, since there is one window, or one tap.
        """
        padded = before + size + after
        stride, dilation = (step if step <= INT32 else min(step, padded) for step in (stride, dilation))
        return cls(size, kernel, stride, dilation, before, after, output)

    @property
    def extent(self) -> int:
        """How many pixels a window spans, from its first tap to its last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """The size with its padding."""
        return self.before + self.size + self.after

    def origin(self, position: int) -> int:
        """Where the window of an output position starts; negative inside the padding."""
        return position * self.stride - self.before

    def taps_inside(self) -> tuple[np.ndarray, np.ndarray]:
        """For every output position the pixel of its first tap inside the image, and how many taps are inside."""
        origins = np.arange(self.output) * self.stride - self.before
        first = np.maximum(-(origins // self.dilation), 0)
        last = np.minimum((self.size - 1 - origins) // self.dilation + 1, self.kernel)
        return origins + first * self.dilation, np.maximum(last - first, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A two-dimensional window: one `Axis` for rows, one for columns."""

    height: Axis
    width: Axis

    @property
    def kernel(self) -> tuple[int, int]:
        """(KH, KW)"""
        return self.height.kernel, self.width.kernel

    @property
    def input_size(self) -> tuple[int, int]:
        """(H, W)"""
        return self.height.size, self.width.size

    @property
    def output_size(self) -> tuple[int, int]:
        """(OH, OW)"""
        return self.height.output, self.width.output

    @property
    def is_lopsided(self) -> bool:
        """Whether one side has more padding than the opposite one."""
        return self.height.before != self.height.after or self.width.before != self.width.after

    @property
    def is_padded(self) -> bool:
        """Whether any side has padding."""
        return any((self.height.before, self.height.after, self.width.before, self.width.after))


def pair(value: Any, name: str, minimum: int | None = None, maximum: int = INT64) -> tuple[int, int]:
    """`value` for rows and columns.

    Args:
        value: an int, or a tuple or list of one or two ints; an integer Tensor of one element counts as an int.
        name: the argument's name, for the message.
        minimum, maximum: the smallest and the largest value allowed.

    Raises:
        TypeError: for anything else.
        ValueError: for another number of values, or one out of range.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, 2):
        raise ValueError(f"{name} must be an int or a pair of ints, got {len(values)} values: {value!r}")
    try:
        rows, columns = integer(values[0]), integer(values[-1])
    except TypeError:
        raise TypeError(f"{name} must be an int or a pair of ints, got {value!r}") from None
    if minimum is not None and min(rows, columns) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value!r}")
    if max(abs(rows), abs(columns)) > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {value!r}")
    return rows, columns


def integer(value: Any) -> int:
    """What counts as an int: no float, no bool.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, (bool, np.bool_, np.ndarray)):
        raise TypeError(f"{value!r} is not an int")
    return operator.index(value)


def exact(value: Any, name: str) -> Any:
    """What to look a geometry up by: an int, a string or None as it is, anything else as a `pair`.

    Equal keys must be equal arguments, but Python counts 1, 1.0 and True as equal.

    Raises:
        TypeError, ValueError: as `pair`.
    """
    if value is None or type(value) in (int, str) or (type(value) is tuple and [*map(type, value)] == [int, int]):
        return value
    return pair(value, name)


def convolution_geometry(
    size: tuple[int, int], kernel: tuple[int, int], stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Geometry:
    """The geometry of a convolution.

    Args:
        size: (H, W) of the image.
        kernel: (KH, KW).
        stride, dilation: int or pair, at least 1.
        padding: int or pair, at least 0; "valid" for none; "same" for an output as large as the input, where an
            odd remainder goes to the bottom and right and the stride must be 1.

    Raises:
        ValueError: for values out of range, an unknown padding string, "same" with a stride, or a window larger
            than the padded image.
        TypeError: for values of other types.
    """
    return _convolution_geometry(
        size, kernel, exact(stride, "stride"), exact(padding, "padding"), exact(dilation, "dilation")
    )


@functools.lru_cache(maxsize=4096)
def _convolution_geometry(
    size: tuple[int, int], kernel: tuple[int, int], stride: Any, padding: Any, dilation: Any
) -> Geometry:
    kernel = pair(kernel, "kernel_size", 1)
    stride = pair(stride, "stride", 1)
    dilation = pair(dilation, "dilation", 1)
    pads: list[tuple[int, int]]
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same', 'valid', an int or a pair of ints, got {padding!r}")
        if padding == "same" and stride != (1, 1):
            raise ValueError(f"padding='same' needs stride 1, got stride {stride}")
        totals = [(k - 1) * d if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        pads = [(total // 2, total - total // 2) for total in totals]
    else:
        pads = [(p, p) for p in pair(padding, "padding", 0)]
    axes = []
    for i in (0, 1):
        padded = size[i] + sum(pads[i])
        extent = (kernel[i] - 1) * dilation[i] + 1
        if extent > padded:
            raise ValueError(
                f"kernel of size {kernel} with dilation {dilation} is larger than the padded input: an image of "
                f"{size} with padding {pads[0]} and {pads[1]}"
            )
        if padded > INT64:
            raise ValueError(f"an image of {size} with padding {pads[0]} and {pads[1]} is larger than {INT64}")
        output = (padded - extent) // stride[i] + 1
        axes.append(Axis.of(size[i], kernel[i], stride[i], dilation[i], *pads[i], output))
    return Geometry(*axes)


def pooling_geometry(
    size: tuple[int, int],
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Geometry:
    """The geometry of a pooling window.

    Args:
        size: (H, W) of the image.
        kernel_size: int or pair, at least 1; like all that follow, below 2³¹.
        stride: int or pair, at least 1; the kernel's size if None or empty.
        padding: int or pair, at most half the kernel's size.
        dilation: int or pair, at least 1.
        ceil_mode: round the output size up, as long as the last window starts inside the image or the padding
            before it; what it sees past the end counts as padding (`after` grows by it).

    Raises:
        ValueError: for values out of range, more padding than half the kernel, a window larger than the padded
            image, or one with no tap inside the image.
        TypeError: for values of other types.
    """
    return _pooling_geometry(
        size,
        exact(kernel_size, "kernel_size"),
        None if isinstance(stride, (tuple, list)) and not stride else exact(stride, "stride"),
        exact(padding, "padding"),
        exact(dilation, "dilation"),
        ceil_mode,
    )


@functools.lru_cache(maxsize=4096)
def _pooling_geometry(
    size: tuple[int, int], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Geometry:
    kernel = pair(kernel_size, "kernel_size", 1, INT32)
    stride = kernel if stride is None else pair(stride, "stride", 1, INT32)
    padding = pair(padding, "padding", 0, INT32)
    dilation = pair(dilation, "dilation", 1, INT32)
    axes = []
    for i in (0, 1):
        extent = (kernel[i] - 1) * dilation[i] + 1
        if padding[i] > kernel[i] // 2:  # whatever the dilation
            raise ValueError(
                f"padding must be at most half of the kernel, got padding {padding} for kernel_size {kernel}"
            )
        room = size[i] + 2 * padding[i] - extent
        output = (room + (stride[i] - 1 if ceil_mode else 0)) // stride[i] + 1
        if ceil_mode and (output - 1) * stride[i] >= size[i] + padding[i]:
            output -= 1
        if output < 1:
            raise ValueError(
                f"kernel_size {kernel} with dilation {dilation} is larger than the padded input: an image of {size} "
                f"with padding {padding}"
            )
        after = max(padding[i], (output - 1) * stride[i] + extent - size[i] - padding[i])
        axis = Axis.of(size[i], kernel[i], stride[i], dilation[i], padding[i], after, output)
        if not axis.taps_inside()[1].all():
            raise ValueError(
                f"a window of kernel_size {kernel}, dilation {dilation} and padding {padding} has no tap inside "
                f"an image of {size}"
            )
        axes.append(axis)
    return Geometry(*axes)


def transposed_geometry(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    least: int = 1,
) -> Geometry:
    """The geometry of the convolution whose gradient with respect to x a transposed convolution of `size` is.

    Its output is (H, W) = `size`; its image, the transposed convolution's output, has
    (size − 1) · stride − 2 · padding + extent + output_padding pixels along each axis: where output_padding is at
    least the stride, more than its windows reach.

    Raises:
        ValueError: for values out of range, an output padding that is at least stride and dilation, or an output of
            fewer than `least` pixels along an axis.
        TypeError: for values of other types.
    """
    return _transposed_geometry(
        size,
        kernel,
        exact(stride, "stride"),
        exact(padding, "padding"),
        exact(output_padding, "output_padding"),
        exact(dilation, "dilation"),
        least,
    )


@functools.lru_cache(maxsize=4096)
def _transposed_geometry(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    least: int,
) -> Geometry:
    kernel = pair(kernel, "kernel_size", 1)
    strides = pair(stride, "stride", 1, INT32)
    pads = pair(padding, "padding", 0)
    extra = pair(output_padding, "output_padding", 0)
    dilations = pair(dilation, "dilation", 1, INT32)
    axes = []
    for i in (0, 1):
        if extra[i] >= max(strides[i], dilations[i]):
            raise ValueError(
                f"output_padding must be smaller than stride or dilation, got output_padding {extra}, stride "
                f"{strides} and dilation {dilations}"
            )
        extent = (kernel[i] - 1) * dilations[i] + 1
        result = (size[i] - 1) * strides[i] - 2 * pads[i] + extent + extra[i]
        if result < least:
            raise ValueError(
                f"a transposed convolution of an image of {size} with kernel_size {kernel}, stride {strides} and "
                f"padding {pads} has no output"
            )
        axes.append(Axis.of(result, kernel[i], strides[i], dilations[i], pads[i], pads[i], size[i]))
    return Geometry(*axes)
