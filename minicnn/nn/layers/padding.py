"""Padding: elements added around an input, or cut off it, along its last one to three dimensions."""

from collections.abc import Iterable
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _Pad(Module):
    """What they share.

    Args:
        padding: one width for all sides, or (before, after) of the last dimension, then of the one before it, and so
            on; negative widths cut.
    """

    _dimensions: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, Iterable) else (padding,) * (2 * self._dimensions)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) or (C, …) → the same with other sizes."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    _mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) or (C, …) → the same with other sizes."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) or (C, …) → the same with other sizes.

        Raises:
            ValueError: for another number of dimensions.
        """
        ndim = self._dimensions + 1
        if input.ndim not in (ndim, ndim + 1):
            raise ValueError(f"expected {ndim}D or {ndim + 1}D input (got {input.ndim}D input)")
        return super().forward(input)


class _ReflectionPad(_Pad):
    _mode = "reflect"


class _ReplicationPad(_Pad):
    _mode = "replicate"


class ConstantPad1d(_ConstantPad):
    """An input (N, C, W) or (C, W) continued by a constant

    Args:
        padding: one width for all sides, or (left, right); negative widths cut.
        value: the constant.
    """

    _dimensions = 1


class ConstantPad2d(_ConstantPad):
    """An input (N, C, H, W) or (C, H, W) continued by a constant

    Args:
        padding: one width for all sides, or (left, right, top, bottom); negative widths cut.
        value: the constant.
    """

    _dimensions = 2


class ConstantPad3d(_ConstantPad):
    """An input (N, C, D, H, W) or (C, D, H, W) continued by a constant

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back); negative widths cut.
        value: the constant.
    """

    _dimensions = 3


class ZeroPad1d(_ZeroPad):
    """An input (N, C, W) or (C, W) continued by zeros

    Args:
        padding: one width for all sides, or (left, right); negative widths cut.
    """

    _dimensions = 1


class ZeroPad2d(_ZeroPad):
    """An input (N, C, H, W) or (C, H, W) continued by zeros

    Args:
        padding: one width for all sides, or (left, right, top, bottom); negative widths cut.
    """

    _dimensions = 2


class ZeroPad3d(_ZeroPad):
    """An input (N, C, D, H, W) or (C, D, H, W) continued by zeros

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back); negative widths cut.
    """

    _dimensions = 3


class ReflectionPad1d(_ReflectionPad):
    """An input (N, C, W) or (C, W) continued by its reflection, the border left out

    Args:
        padding: one width for all sides, or (left, right); negative widths cut.
    """

    _dimensions = 1


class ReflectionPad2d(_ReflectionPad):
    """An input (N, C, H, W) or (C, H, W) continued by its reflection, the border left out

    Args:
        padding: one width for all sides, or (left, right, top, bottom); negative widths cut.
    """

    _dimensions = 2


class ReflectionPad3d(_ReflectionPad):
    """An input (N, C, D, H, W) or (C, D, H, W) continued by its reflection, the border left out

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back); negative widths cut.
    """

    _dimensions = 3


class ReplicationPad1d(_ReplicationPad):
    """An input (N, C, W) or (C, W) continued by its border

    Args:
        padding: one width for all sides, or (left, right); negative widths cut.
    """

    _dimensions = 1


class ReplicationPad2d(_ReplicationPad):
    """An input (N, C, H, W) or (C, H, W) continued by its border

    Args:
        padding: one width for all sides, or (left, right, top, bottom); negative widths cut.
    """

    _dimensions = 2


class ReplicationPad3d(_ReplicationPad):
    """An input (N, C, D, H, W) or (C, D, H, W) continued by its border

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back); negative widths cut.
    """

    _dimensions = 3


class CircularPad1d(_CircularPad):
    """An input (N, C, W) or (C, W) continued by its other end

    Args:
        padding: one width for all sides, or (left, right); negative widths cut.
    """

    _dimensions = 1


class CircularPad2d(_CircularPad):
    """An input (N, C, H, W) or (C, H, W) continued by its other end

    Args:
        padding: one width for all sides, or (left, right, top, bottom); negative widths cut.
    """

    _dimensions = 2


class CircularPad3d(_CircularPad):
    """An input (N, C, D, H, W) or (C, D, H, W) continued by its other end

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back); negative widths cut.
    """

    _dimensions = 3
