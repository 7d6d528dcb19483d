"""What a tensor says of itself: shape, dtype, device, and how its elements lie."""

import builtins
from typing import Any

import numpy as np

from minicnn.attributes import Size, memory_format
from minicnn.attributes import device as cpu_device
from minicnn.autograd import Variable
from minicnn.autograd.storage import is_contiguous, promised
from minicnn.operators import reduction

contiguous_format, channels_last = memory_format.contiguous_format, memory_format.channels_last


class Description(Variable):
    """The methods and properties of Tensor that describe it."""

    __slots__ = ()

    @property
    def shape(self) -> Size:
        """The size of every dimension."""
        return Size(self._array.shape)

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def dtype(self) -> np.dtype:
        """The element type, a NumPy dtype."""
        return self._array.dtype

    @property
    def device(self) -> cpu_device:
        """Always the CPU."""
        return cpu_device()

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        (axis,) = reduction.normalize_dims(dim, max(self.ndim, 1))
        if not self.ndim:
            raise IndexError("a 0-dimensional tensor has no dimension to take the size of")
        return self._array.shape[axis]

    def dim(self) -> builtins.int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> builtins.int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> builtins.int:
        """Bytes that one element takes."""
        return self._array.itemsize

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is float32, float64 or another float."""
        return self._array.dtype.kind == "f"

    def stride(self) -> tuple[builtins.int, ...]:
        """For every dimension, how many elements apart neighbours lie, as PyTorch would lay them."""
        return promised(self)[1]

    def is_contiguous(self, memory_format: memory_format = contiguous_format) -> builtins.bool:
        """Whether the elements lie in row-major order, or channels-last, as PyTorch would lay them."""
        if memory_format is channels_last:
            return self.ndim == 4 and is_contiguous(self.permute(0, 2, 3, 1))  # type: ignore[attr-defined]
        if not isinstance(memory_format, type(contiguous_format)):
            raise TypeError(f"memory_format must be one of minicnn's, such as channels_last, got {memory_format!r}")
        return is_contiguous(self)
