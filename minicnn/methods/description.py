"""What a tensor says of itself: shape, dtype, device, and how its elements lie."""

import builtins
from typing import Any

from minicnn.attributes import Size, memory_format
from minicnn.attributes import device as cpu_device
from minicnn.autograd import Variable
from minicnn.autograd.storage import is_contiguous, promised
from minicnn.element_types import DTYPES, dtype
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
    def dtype(self) -> dtype:
        """The element type."""
        return DTYPES[self._array.dtype]

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

    nelement, ndimension = numel, dim

    def get_device(self) -> builtins.int:
        """-1, which stands for the CPU."""
        return -1

    def is_same_size(self, other: Any) -> builtins.bool:
        """Whether `other` is of the same shape."""
        return self._array.shape == other._array.shape

    def element_size(self) -> builtins.int:
        """Bytes that one element takes."""
        return self._array.itemsize

    itemsize = property(element_size)

    @property
    def nbytes(self) -> builtins.int:
        """Bytes that all elements take."""
        return self._array.nbytes

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is float32, float64 or another float."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> builtins.bool:
        """False: there are no complex tensors."""
        return False

    def is_signed(self) -> builtins.bool:
        """Whether the dtype has negative numbers."""
        return self._array.dtype.kind in "fi"

    def stride(self) -> tuple[builtins.int, ...]:
        """For every dimension, how many elements apart neighbours lie, as PyTorch would lay them."""
        return promised(self)[1]

    def is_contiguous(self: Any, memory_format: memory_format = contiguous_format) -> builtins.bool:
        """Whether the elements lie in row-major order, or channels-last, as PyTorch would lay them."""
        if memory_format is channels_last:
            return self.ndim == 4 and is_contiguous(self.permute(0, 2, 3, 1))
        if not isinstance(memory_format, type(contiguous_format)):
            raise TypeError(f"memory_format must be one of minicnn's, such as channels_last, got {memory_format!r}")
        return is_contiguous(self)

    # What never holds here

    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_mkldnn = is_nested = is_xpu = False

    def is_pinned(self) -> builtins.bool:
        """False: memory is pinned for the sake of a GPU."""
        return False

    def pin_memory(self) -> Any:
        """Itself: there is no GPU to copy to."""
        return self

    def is_conj(self) -> builtins.bool:
        """False: no tensor is complex."""
        return False

    def is_neg(self) -> builtins.bool:
        """False: no tensor is stored negated."""
        return False

    def is_inference(self) -> builtins.bool:
        """False: what `inference_mode` computes is like any other tensor."""
        return False
