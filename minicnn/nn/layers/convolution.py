"""`Conv2d` and `ConvTranspose2d`."""

from collections.abc import Sequence
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.layers._arguments import empty_parameter, pair
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
    stride: tuple[int, int]
    padding: Any
    dilation: tuple[int, int]
    output_padding: tuple[int, int] = (0, 0)
    algorithm: str = "auto"

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
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding")
        self.dilation = pair(dilation, "dilation")
        self.groups = groups
        self.padding_mode = padding_mode

    def _make_parameters(self, channels: tuple[int, int], bias: bool, device: Any, dtype: Any) -> None:
        self.weight = empty_parameter((*channels, *self.kernel_size), device, dtype)
        if bias:
            self.bias = empty_parameter((self.out_channels,), device, dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0, 0):
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


class Conv2d(_Convolution):
    """Slides a window over the image; every output is a weighted sum of the window's channels and pixels.

    y[n, o, i, j] = bias[o] + Σ_{c, k, l} weight[o, c, k, l] · x[n, c, i·stride + k·dilation − padding, ...]

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
            if padding == "same" and self.stride != (1, 1):
                raise ValueError(f"padding='same' is not supported for strided convolutions, got stride={stride}")
        self.algorithm = algorithm
        self._make_parameters((out_channels, in_channels // groups), bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) → (N, O, OH, OW), or without N.

        OH = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1, and OW likewise.
        """
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._sides(), mode=self.padding_mode)
            padding = 0
        return F.conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
            algorithm=self.algorithm,
        )

    def _sides(self) -> list[int]:
        """The padding in the order of `F.pad`: left, right, top, bottom."""
        sides = []
        for axis in (1, 0):
            if self.padding == "same":
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
            else:
                total = 0 if self.padding == "valid" else 2 * self.padding[axis]
            sides += [total // 2, total - total // 2]
        return sides


class ConvTranspose2d(_Convolution):
    """The transpose of a convolution: every input pixel adds a multiple of the weight to an output window.

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
            raise ValueError(f'Only "zeros" padding mode is supported for ConvTranspose2d, got {padding_mode!r}')
        if isinstance(padding, str):
            raise TypeError(f"padding must be an int or a pair of ints, got {padding!r}")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self.output_padding = pair(output_padding, "output_padding")
        self._make_parameters((in_channels, out_channels // groups), bias, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, C, H, W) → (N, O, OH, OW), or without N.

        Args:
            input: the images.
            output_size: the wanted (OH, OW), or a whole shape ending so, instead of `output_padding`; from
                (H − 1)·stride − 2·padding + dilation·(KH − 1) + 1 up to stride − 1 more.

        Raises:
            ValueError: for an `output_size` outside this range.
        """
        output_padding = self.output_padding if output_size is None else self._padding_to(input, list(output_size))
        return F.conv_transpose2d(
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
        if len(output_size) == input.ndim:
            output_size = output_size[-2:]
        if len(output_size) != 2:
            raise ValueError(
                f"ConvTranspose2d: for {input.ndim}D input, output_size must have 2 or {input.ndim} elements "
                f"(got {len(output_size)})"
            )
        smallest = [
            (size - 1) * stride - 2 * padding + dilation * (taps - 1) + 1
            for size, stride, padding, dilation, taps in zip(
                input.shape[-2:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        largest = [size + stride - 1 for size, stride in zip(smallest, self.stride, strict=True)]
        if not all(low <= size <= high for low, size, high in zip(smallest, output_size, largest, strict=True)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {smallest} "
                f"to {largest} (for an input of {list(input.shape[-2:])})"
            )
        return tuple(size - low for size, low in zip(output_size, smallest, strict=True))
