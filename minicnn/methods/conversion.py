"""Into other dtypes, other orders of the elements, NumPy's arrays and Python's numbers."""

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.attributes import device as cpu_device
from minicnn.attributes import memory_format
from minicnn.autograd import Variable, is_grad_enabled
from minicnn.autograd.operator import readers
from minicnn.autograd.storage import settle
from minicnn.dtypes import as_dtype, default_float
from minicnn.operators import shape as shapes
from minicnn.operators.operands import alone, cast
from minicnn.tensor_types import TYPE_NAMES, TensorType, tensor_type

MemoryFormat = memory_format
contiguous_format, channels_last = memory_format.contiguous_format, memory_format.channels_last
preserve_format = memory_format.preserve_format

type_ = type


def _converter(name: str) -> Callable:
    """The method that gives a tensor in the dtype of that name."""
    dtype = np.dtype(name)

    def convert(self: Any, memory_format: MemoryFormat = preserve_format) -> Any:
        return self.to(dtype, memory_format=memory_format)

    convert.__doc__ = f"As {name}."
    return convert


class Conversion(Variable):
    """The methods of Tensor that give its values in another form."""

    __slots__ = ()

    def contiguous(self: Any, memory_format: MemoryFormat = contiguous_format) -> Any:
        """This tensor with its elements in row-major order, or channels-last; itself where they are already.

        Args:
            memory_format: `contiguous_format` or, for (N, C, H, W), `channels_last`.

        Raises:
            RuntimeError: for channels-last elements of a tensor that hasn't 4 dimensions, or another format.
        """
        if self.is_contiguous(memory_format):
            return self
        if memory_format is preserve_format:
            raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
        return self._laid(memory_format)

    def _laid(self: Any, memory_format: MemoryFormat) -> Any:
        """A copy with its elements in another order."""
        if memory_format is preserve_format:
            return shapes.Clone.apply(self)
        if memory_format is contiguous_format:
            return shapes.Contiguous.apply(self)
        if self.ndim != 4:
            raise RuntimeError(f"channels_last needs a tensor of 4 dimensions, got shape {tuple(self.shape)}")
        return alone(shapes.Contiguous.apply(self.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))

    def clone(self, *, memory_format: MemoryFormat = preserve_format) -> Any:
        """A copy, inside the graph."""
        return self._laid(memory_format)

    def numpy(self: Any, *, force: builtins.bool = False) -> np.ndarray:
        """The array, sharing memory.

        Args:
            force: detach the tensor first.

        Raises:
            RuntimeError: for a tensor that requires a gradient, unless in `no_grad`: detach it first.
        """
        if self.requires_grad and is_grad_enabled() and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        settle(self)
        return self._array

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(
        self: Any,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: builtins.bool | None = None,
    ) -> Any:
        """A DLPack capsule on this tensor's memory.

        Args:
            stream: None; there is no other on the CPU.
            max_version, dl_device, copy: of the array API standard.

        Raises:
            BufferError: for a tensor that requires a gradient: detach it first.
            AssertionError: for a stream.
        """
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if stream not in (None, -1):
            raise AssertionError("stream should be None on cpu.")
        options = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        return self.numpy().__dlpack__(**{name: value for name, value in options.items() if value is not None})

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        """The CPU, as DLPack counts devices."""
        return self._array.__dlpack_device__()

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: builtins.bool = False) -> Any:
        return Variable._computed(np.asarray(array))

    def item(self) -> Any:
        """The Python number in a tensor of one element.

        Raises:
            RuntimeError: for any other number of elements.
        """
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        for read in readers:
            read(self)
        return self._array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._array.tolist()

    def to(
        self: Any,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        memory_format: MemoryFormat = preserve_format,
    ) -> Any:
        """In another dtype: `to(dtype)`, `to("cpu", dtype)` or `to(other)`; itself where nothing changes.

        Args:
            args: a dtype, a device, or a Tensor whose dtype to take; then `non_blocking` and `copy`.
            dtype, device: the same by name.
            non_blocking: has no effect: nothing travels.
            copy: copy even where nothing changes.
            memory_format: the order of the elements.

        Raises:
            RuntimeError: for a device that isn't the CPU.
            TypeError: for arguments that are neither dtype, device nor Tensor.
        """
        flags = [argument for argument in args if isinstance(argument, builtins.bool)]
        copy = flags[1] if len(flags) > 1 else copy  # after non_blocking
        for argument in args:
            if isinstance(argument, builtins.bool):
                continue
            if isinstance(argument, Variable):
                dtype = argument._array.dtype
            elif isinstance(argument, (str, builtins.int, cpu_device)):
                device = argument
            elif argument is not None:
                dtype = argument
        if device is not None:
            cpu_device(device)
        result = self if dtype is None else cast(self, as_dtype(dtype))
        if memory_format is not preserve_format and not result.is_contiguous(memory_format):
            return result._laid(memory_format)
        return result.clone() if copy and result is self else result

    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
        """The old name of the dtype, such as 'torch.FloatTensor', or this tensor in another dtype.

        Args:
            dtype: a dtype, an old type such as `torch.LongTensor`, its name, or None to ask.
            non_blocking: has no effect: nothing travels.

        Raises:
            ValueError, TypeError: for something else.
            RuntimeError: for types of another device.
        """
        if dtype is None:
            return TYPE_NAMES[self._array.dtype]
        if dtype is Variable or (isinstance(dtype, type_) and issubclass(dtype, Variable)):
            return cast(self, default_float())
        if isinstance(dtype, (str, TensorType)):
            return cast(self, tensor_type(dtype).dtype.dtype)
        return cast(self, as_dtype(dtype))

    def type_as(self, other: Any) -> Any:
        """In the dtype of `other`."""
        return cast(self, other._array.dtype)

    half, float, double = _converter("float16"), _converter("float32"), _converter("float64")
    char, short, int, long = _converter("int8"), _converter("int16"), _converter("int32"), _converter("int64")
    byte, bool = _converter("uint8"), _converter("bool")

    def cpu(self: Any, memory_format: MemoryFormat = preserve_format) -> Any:
        """Itself, or a copy with its elements in another order where they don't lie so."""
        return self.to(memory_format=memory_format)

    def cuda(self: Any, *_: Any, **__: Any) -> Any:
        """Refused: minicnn computes on the CPU.

        Raises:
            RuntimeError: always.
        """
        return self.to("cuda")
