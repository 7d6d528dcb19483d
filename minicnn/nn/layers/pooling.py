"""Pooling: one number for every window of images or sequences, its largest or its mean."""

from collections.abc import Callable
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn._arguments import sizes
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _MaxPool(Module):
    """What the dimensions share."""

    _pool: Callable

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """The largest values; with `return_indices` a pair, the second int64."""
        return self._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest value of every window. (N, C, L) → (N, C, OL), or without N.

    Args:
        kernel_size: the window's length, an int or a tuple of one, as all the sizes that follow.
        stride: positions from one window to the next; None for windows side by side.
        padding: positions of −∞ on each side, at most half the kernel.
        dilation: positions from one tap of the window to the next.
        return_indices: also return where the largest values were, for `MaxUnpool1d`.
        ceil_mode: also take windows that the edge cuts off.
    """

    _pool = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest value of every window. (N, C, H, W) → (N, C, OH, OW), or without N.

    Args:
        kernel_size: the window's (KH, KW), or one int for both, as all the sizes that follow.
        stride: pixels from one window to the next; None for windows side by side.
        padding: pixels of −∞ on each side, at most half the kernel.
        dilation: pixels from one tap of the window to the next.
        return_indices: also return where the largest values were, for `MaxUnpool2d`.
        ceil_mode: also take windows that the edge cuts off.
    """

    _pool = staticmethod(F.max_pool2d)


class AvgPool1d(Module):
    """The mean of every window. (N, C, L) → (N, C, OL), or without N.

    Args:
        kernel_size: the window's length, an int or a tuple of one, as all the sizes that follow.
        stride: positions from one window to the next; None for windows side by side.
        padding: zeros on each side, at most half the kernel.
        ceil_mode: also take windows that the edge cuts off.
        count_include_pad: whether the padding counts in the mean.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = sizes(kernel_size, "kernel_size", 1)
        self.stride = self.kernel_size if stride is None else sizes(stride, "stride", 1)
        self.padding = sizes(padding, "padding", 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of every window. (N, C, H, W) → (N, C, OH, OW), or without N.

    Args:
        kernel_size: the window's (KH, KW), or one int for both, as all the sizes that follow.
        stride: pixels from one window to the next; None for windows side by side.
        padding: pixels of zero on each side, at most half the kernel.
        ceil_mode: also take windows that the image's edge cuts off.
        count_include_pad: whether the padding counts in the mean.
        divisor_override: divide the window's sum by this instead of its size.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptiveAvgPool(Module):
    """What the dimensions share."""

    _pool: Callable

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return self._pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows chosen so that the output has a given size.

    (N, C, L) → (N, C, OL), or without N.

    Args:
        output_size: the wanted length; None keeps the input's.
    """

    _pool = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows chosen so that the output has a given size.

    (N, C, H, W) → (N, C, OH, OW), or without N.

    Args:
        output_size: (OH, OW), or one int for both; None keeps the input's size.
    """

    _pool = staticmethod(F.adaptive_avg_pool2d)


class _AdaptiveMaxPool(Module):
    """What the dimensions share."""

    _pool: Callable

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The largest values; with `return_indices` a pair, the second int64."""
        return self._pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest values of windows chosen so that the output has a given size.

    (N, C, L) → (N, C, OL), or without N.

    Args:
        output_size: the wanted length; None keeps the input's.
        return_indices: also return where the largest values were.
    """

    _pool = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest values of windows chosen so that the output has a given size.

    (N, C, H, W) → (N, C, OH, OW), or without N.

    Args:
        output_size: (OH, OW), or one int for both; None keeps the input's size.
        return_indices: also return where the largest values were.
    """

    _pool = staticmethod(F.adaptive_max_pool2d)


class _LPPool(Module):
    """What the dimensions share."""

    _pool: Callable

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return self._pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """(Σ over each window of x^p)^(1/p). (N, C, L) → (N, C, OL), or without N.

    Args:
        norm_type: p, not 0.
        kernel_size: the window's length.
        stride: positions from one window to the next; None for windows side by side.
        ceil_mode: also take windows that the edge cuts off.
    """

    _pool = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """(Σ over each window of x^p)^(1/p). (N, C, H, W) → (N, C, OH, OW), or without N.

    Args:
        norm_type: p, not 0.
        kernel_size: the window's (KH, KW), or one int for both, as the stride.
        stride: pixels from one window to the next; None for windows side by side.
        ceil_mode: also take windows that the edge cuts off.
    """

    _pool = staticmethod(F.lp_pool2d)


class _MaxUnpool(Module):
    """What the dimensions share."""

    _dimensions: int
    _unpool: Callable

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = sizes(kernel_size, "kernel_size", self._dimensions)
        self.stride = sizes(kernel_size if stride is None else stride, "stride", self._dimensions)
        self.padding = sizes(padding, "padding", self._dimensions)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """The values at their places, in images or sequences of `output_size`, or of the size that windows cover."""
        return self._unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Puts values back where a `MaxPool1d` with `return_indices` found them, zeros elsewhere.

    Args:
        kernel_size: the pooling window's length.
        stride: the pooling's; None for windows side by side.
        padding: the pooling's.
    """

    _dimensions = 1
    _unpool = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Puts values back where a `MaxPool2d` with `return_indices` found them, zeros elsewhere.

    Args:
        kernel_size: the pooling window's (KH, KW), or one int for both, as all the sizes that follow.
        stride: the pooling's; None for windows side by side.
        padding: the pooling's.
    """

    _dimensions = 2
    _unpool = staticmethod(F.max_unpool2d)
