"""Convolutions of images and sequences, and their transposes."""

from collections.abc import Callable, Sequence
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn._arguments import empty_parameter, sizes
from minicnn.nn.layers.linear import reset_weight_and_bias
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor

_PADDING_STRINGS = ("same", "valid")
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What both directions share: checked arguments, parameters, and how they print."""

    weight: Parameter
    bias: Parameter | None
    stride: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    algorithm: str = "auto"
    _dimensions: int
    _convolve: Callable

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        padding_mode: str,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        if in_channels % groups != 0:
            raise ValueError(f"in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"out_channels must be divisible by groups, got {out_channels} and {groups}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        count = self._dimensions
        self.kernel_size = sizes(kernel_size, "kernel_size", count)
        self.stride = sizes(stride, "stride", count)
        self.padding = padding if isinstance(padding, str) else sizes(padding, "padding", count)
        self.dilation = sizes(dilation, "dilation", count)
        self.output_padding = (0,) * count
        self.groups = groups
        self.padding_mode = padding_mode

    def _weight_channels(self) -> tuple[int, int]:
        """The first two sizes of the weight."""
        raise NotImplementedError

    def _state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters, given the attributes."""
        return {"weight": (*self._weight_channels(), *self.kernel_size), "bias": (self.out_channels,)}

    def _make_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        for name, shape in self._state_shapes().items():
            wanted = name != "bias" or bias
            self.register_parameter(name, empty_parameter(shape, device, dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        if self.algorithm != "auto":
            text += f", algorithm={self.algorithm}"
        return text


class _Forward(_Convolution):
    """A convolution in any number of dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        algorithm: str = "auto",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        if isinstance(padding, str):
            if padding not in _PADDING_STRINGS:
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {_PADDING_STRINGS}")
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(f"padding='same' is not supported for strided convolutions, got stride={stride}")
        self.algorithm = algorithm
        self._make_parameters(bias, device, dtype)

    def _weight_channels(self) -> tuple[int, int]:
        return self.out_channels, self.in_channels // self.groups

    def forward(self, input: Tensor) -> Tensor:
        """The convolution; see the class."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with weights that a subclass made of its own, PyTorch's name for it."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._sides(), mode=self.padding_mode)
            padding = 0
        return self._convolve(
            input,
            weight,
            bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
            algorithm=self.algorithm,
        )

    def _sides(self) -> list[int]:
        """The padding in the order of `F.pad`: before and behind, the last dimension first."""
        sides = []
        for axis in reversed(range(self._dimensions)):
            if self.padding == "same":
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
            else:
                total = 0 if self.padding == "valid" else 2 * self.padding[axis]
            sides += [total // 2, total - total // 2]
        return sides


class Conv2d(_Forward):
    """Slides a window over the image; every output is a weighted sum of the window's channels and pixels.

    y[n, o, i, j] = bias[o] + Σ_{c, k, l} weight[o, c, k, l] · x[n, c, i·stride + k·dilation − padding, ...]

    (N, C, H, W) → (N, O, OH, OW), or without N, with OH = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1.

    Args:
        in_channels: C, channels of the input.
        out_channels: O, channels of the output.
        kernel_size: (KH, KW), or one int for both, as all the sizes that follow.
        stride: pixels from one window to the next.
        padding: pixels added on each side; or "same", for outputs of the input's size, or "valid".
        dilation: pixels from one tap of the window to the next.
        groups: split the channels into that many groups, each convolved on its own.
        bias: whether to add a learned bias.
        padding_mode: what the padding holds: "zeros", "reflect", "replicate" or "circular".
        device: None or "cpu".
        dtype: of the parameters, float32 by default.
        algorithm: how to compute it; see `nn.functional.conv2d`.

    Attributes:
        weight: Parameter of shape (O, C / groups, KH, KW).
        bias: Parameter of shape (O,) or None. Both are drawn uniformly from ±1/√(C / groups · KH · KW).

    Raises:
        ValueError: where `groups` doesn't divide the channels, for an unknown `padding` or `padding_mode`, or
            for "same" with a stride.
    """

    _dimensions = 2
    _convolve = staticmethod(F.conv2d)


class Conv1d(_Forward):
    """Slides a window over a sequence; every output is a weighted sum of the window's channels and positions.

    (N, C, L) → (N, O, OL), or without N, with OL = ⌊(L + 2·padding − dilation·(K − 1) − 1) / stride⌋ + 1.

    Args:
        in_channels: C, channels of the input.
        out_channels: O, channels of the output.
        kernel_size: K, an int or a tuple of one, as all the sizes that follow.
        stride: pixels from one window to the next.
        padding: pixels added on each side; or "same", for outputs of the input's size, or "valid".
        dilation: pixels from one tap of the window to the next.
        groups: split the channels into that many groups, each convolved on its own.
        bias: whether to add a learned bias.
        padding_mode: what the padding holds: "zeros", "reflect", "replicate" or "circular".
        device: None or "cpu".
        dtype: of the parameters, float32 by default.
        algorithm: how to compute it; see `nn.functional.conv2d`.

    Attributes:
        weight: Parameter of shape (O, C / groups, K).
        bias: Parameter of shape (O,) or None. Both are drawn uniformly from ±1/√(C / groups · K).

    Raises:
        ValueError: where `groups` doesn't divide the channels, for an unknown `padding` or `padding_mode`, or
            for "same" with a stride.
    """

    _dimensions = 1
    _convolve = staticmethod(F.conv1d)


class _Transposed(_Convolution):
    """The transpose of a convolution in any number of dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self._get_name()}, got {padding_mode!r}')
        if isinstance(padding, str):
            raise TypeError(f"padding must be made of ints, got {padding!r}")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self.output_padding = sizes(output_padding, "output_padding", self._dimensions)
        self._make_parameters(bias, device, dtype)

    def _weight_channels(self) -> tuple[int, int]:
        return self.in_channels, self.out_channels // self.groups

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution; see the class.

        Args:
            input: the images or sequences.
            output_size: the wanted sizes, or a whole shape ending so, instead of `output_padding`; from
                (H − 1)·stride − 2·padding + dilation·(KH − 1) + 1 up to stride − 1 more.

        Raises:
            ValueError: for an `output_size` outside this range.
        """
        output_padding = self.output_padding if output_size is None else self._padding_to(input, list(output_size))
        return self._convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self.dilation,
        )

    def _padding_to(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        count = self._dimensions
        if len(output_size) == input.ndim:
            output_size = output_size[-count:]
        if len(output_size) != count:
            raise ValueError(
                f"{self._get_name()}: for {input.ndim}D input, output_size must have {count} or {input.ndim} elements "
                f"(got {len(output_size)})"
            )
        smallest = [
            (size - 1) * stride - 2 * padding + dilation * (taps - 1) + 1
            for size, stride, padding, dilation, taps in zip(
                input.shape[-count:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        largest = [size + stride - 1 for size, stride in zip(smallest, self.stride, strict=True)]
        if not all(low <= size <= high for low, size, high in zip(smallest, output_size, largest, strict=True)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {smallest} "
                f"to {largest} (for an input of {list(input.shape[-count:])})"
            )
        return tuple(size - low for size, low in zip(output_size, smallest, strict=True))


class ConvTranspose2d(_Transposed):
    """The transpose of a convolution: every input pixel adds a multiple of the weight to an output window.

    (N, C, H, W) → (N, O, OH, OW), or without N.

    Args:
        in_channels: C, channels of the input.
        out_channels: O, channels of the output.
        kernel_size: (KH, KW), or one int for both, as all the sizes that follow.
        stride: pixels between the windows of neighbouring inputs.
        padding: pixels cut off on each side of the output.
        output_padding: pixels added at the bottom and on the right.
        groups: split the channels into that many groups, each on its own.
        bias: whether to add a learned bias.
        dilation: pixels from one tap of the window to the next.
        padding_mode: "zeros"; there is no other.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: Parameter of shape (C, O / groups, KH, KW).
        bias: Parameter of shape (O,) or None. Both are drawn uniformly from ±1/√(O / groups · KH · KW).

    Raises:
        ValueError: where `groups` doesn't divide the channels, or for another `padding_mode`.
        TypeError: for a `padding` that isn't made of ints.
    """

    _dimensions = 2
    _convolve = staticmethod(F.conv_transpose2d)


class ConvTranspose1d(_Transposed):
    """The transpose of a convolution of sequences: every input adds a multiple of the weight to an output window.

    (N, C, L) → (N, O, OL), or without N.

    Args:
        in_channels: C, channels of the input.
        out_channels: O, channels of the output.
        kernel_size: K, an int or a tuple of one, as all the sizes that follow.
        stride: positions between the windows of neighbouring inputs.
        padding: positions cut off on each side of the output.
        output_padding: positions added at the end.
        groups: split the channels into that many groups, each on its own.
        bias: whether to add a learned bias.
        dilation: positions from one tap of the window to the next.
        padding_mode: "zeros"; there is no other.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: Parameter of shape (C, O / groups, K).
        bias: Parameter of shape (O,) or None. Both are drawn uniformly from ±1/√(O / groups · K).

    Raises:
        ValueError: where `groups` doesn't divide the channels, or for another `padding_mode`.
        TypeError: for a `padding` that isn't made of ints.
    """

    _dimensions = 1
    _convolve = staticmethod(F.conv_transpose1d)
