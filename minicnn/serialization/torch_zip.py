"""PyTorch's `.pth`: a zip file of raw storages and one pickle that says how tensors view them.

The pickle is read by `machine`, which may call what stands in a table here: the few functions that PyTorch uses for
tensors. No function named by a file is ever imported, let alone called.
"""

import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from minicnn import element_types
from minicnn.attributes import Size, device
from minicnn.creation import from_numpy
from minicnn.serialization.machine import Machine
from minicnn.serialization.names import STORAGES, Name
from minicnn.serialization.numpy_values import (
    OLD_RECONSTRUCT,
    OLD_SCALAR,
    RECONSTRUCT,
    SCALAR,
    NumpyArray,
    NumpyDtype,
    scalar,
)
from minicnn.serialization.safetensors import widen_bfloat16
from minicnn.tensor import Tensor

LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")
"""How files of PyTorch before 1.6 begin, after the pickle's protocol."""


class _Storage(NamedTuple):
    """A run of elements in the file.

    Attributes:
        key: its entry in the zip file.
        dtype: PyTorch's name of the element type; None where the tensor brings it.
        size: how many elements; bytes where `dtype` is None.
    """

    key: str
    dtype: str | None
    size: int


def recognises(archive: zipfile.ZipFile) -> bool:
    """Whether a zip file has the layout of `torch.save`: one folder with a `data.pkl`."""
    return any(name.endswith("/data.pkl") for name in archive.namelist())


def read(archive: zipfile.ZipFile) -> Any:
    """What `torch.save` was given, with Tensors for its tensors.

    Raises:
        ValueError: where the pickle asks for anything but tensors in plain containers, or a tensor would
            reach outside its storage.
    """
    folder, program = contents(archive)
    try:
        return Machine(Tensors(archive, folder), _CALLS).run(program)
    except (LookupError, TypeError) as error:  # a program that pops from an empty stack, or adds to a number
        raise ValueError(f"its pickle is damaged ({error})") from error


def contents(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    """The folder inside a file of `torch.save`, and the pickle that lies in it."""
    names = archive.namelist()
    (pickle,) = [name for name in names if name.endswith("/data.pkl")]
    folder = pickle.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in names:
        raise ValueError("it is a TorchScript program, not tensors; torch.save its state_dict() instead")
    return folder, archive.read(pickle)


class Tensors:
    """Builds the tensors of one file; those that view one storage share its memory."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive = archive
        self._folder = folder
        self._elements: dict[tuple[str, str], np.ndarray] = {}
        byteorder = f"{folder}byteorder"
        big = byteorder in archive.namelist() and archive.read(byteorder) == b"big"
        self._byteorder: Literal["<", ">"] = ">" if big else "<"

    def storage(self, identity: Any) -> _Storage:
        """The storage that a persistent id `("storage", type, key, device, size)` means."""
        kind, storage_type, key, _, size = identity
        if kind != "storage" or type(key) is not str or not _is_size(size):
            raise ValueError("its pickle refers to something that is no storage")
        if type(storage_type) is not Name or storage_type not in STORAGES:
            raise ValueError("its pickle refers to a storage of an unknown type")
        return _Storage(key, STORAGES[storage_type], size)

    def tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        attributes: Any = None,
        dtype: str | None = None,
    ) -> Tensor:
        """A view of `storage` that begins at element `offset`; `size` and `stride` count elements."""
        if type(storage) is not _Storage or type(size) is not tuple or type(stride) is not tuple:
            raise ValueError("its pickle makes a tensor of something that is no storage")
        if attributes:
            raise ValueError("it holds a tensor with attributes, which have no counterpart here")
        if len(size) != len(stride) or not all(map(_is_size, (offset, *size, *stride))):
            raise ValueError("it holds a tensor whose size, stride or offset is no count")
        elements = self._read(storage, dtype or storage.dtype)
        if 0 in size:
            array = np.empty(size, elements.dtype)
            return from_numpy(array).requires_grad_(requires_grad is True and array.dtype.kind == "f")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if last >= elements.size:
            raise ValueError(
                f"a tensor of size {size}, stride {stride} and offset {offset} reaches outside its storage "
                f"of {elements.size} elements"
            )
        strides = [step * elements.itemsize for step in stride]
        array = np.lib.stride_tricks.as_strided(elements[offset:], size, strides)
        return from_numpy(array).requires_grad_(requires_grad is True and array.dtype.kind == "f")

    def typed_tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        dtype: Any,
        attributes: Any = None,
    ) -> Tensor:
        """As `tensor`, where `storage` is mere bytes and `dtype` says of what elements."""
        if not isinstance(dtype, element_types.dtype):
            raise ValueError("it holds a tensor of an unknown element type")
        return self.tensor(storage, offset, size, stride, requires_grad, hooks, attributes, dtype.dtype.name)

    def _read(self, storage: _Storage, dtype: str | None) -> np.ndarray:
        if dtype is None:
            raise ValueError("it holds a tensor without an element type")
        if (storage.key, dtype) not in self._elements:
            data = self._archive.read(f"{self._folder}data/{storage.key}")
            expected = storage.size * (1 if storage.dtype is None else _width(storage.dtype))
            if len(data) != expected:
                raise ValueError(f"storage {storage.key} has {len(data)} bytes, expected {expected}")
            self._elements[storage.key, dtype] = self._decode(data, dtype)
        return self._elements[storage.key, dtype]

    def _decode(self, data: bytes, dtype: str) -> np.ndarray:
        if dtype == "bfloat16":
            return widen_bfloat16(np.frombuffer(data, f"{self._byteorder}u2"))
        if dtype == "bool":
            return np.frombuffer(data, np.uint8) != 0
        stored = np.dtype(dtype).newbyteorder(self._byteorder)
        return np.frombuffer(data, stored).astype(dtype)


def _is_size(number: Any) -> bool:
    return type(number) is int and number >= 0


def _width(dtype: str) -> int:
    """Bytes of an element."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def calls() -> dict[str, Callable[..., Any]]:
    """What a pickle may call, by name; each takes the file's `Tensors` before the pickle's own arguments."""
    return _CALLS


def _parameter(tensors: Tensors, data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise ValueError("it holds a parameter that is no tensor")
    return data.requires_grad_(requires_grad is True and data.is_floating_point())


def _set(tensors: Tensors, items: Any) -> set:
    if type(items) is not list:
        raise ValueError("it holds a damaged set")
    return set(items)


def _complex(tensors: Tensors, real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise ValueError("it holds a damaged complex number")
    return complex(real, imag)


def _array(name: str, tensors: Tensors, *arguments: Any) -> NumpyArray:
    if arguments != ("numpy.ndarray", (0,), b"b"):
        raise ValueError(f"its pickle calls {name} otherwise than for an array; nothing was executed")
    return NumpyArray()


def _device(tensors: Tensors, *parts: Any) -> Any:
    if not all(type(part) in (str, int) for part in parts):
        raise ValueError("it holds a damaged device")
    return device() if parts[:1] == ("cpu",) else ":".join(map(str, parts))


_CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor_v2": lambda tensors, *arguments: tensors.tensor(*arguments[:7]),
    "torch._utils._rebuild_tensor_v3": lambda tensors, *arguments: tensors.typed_tensor(*arguments),
    "torch._utils._rebuild_parameter": _parameter,
    "collections.OrderedDict": lambda tensors: OrderedDict(),
    "__builtin__.set": _set,
    "__builtin__.complex": _complex,
    "__builtin__.bytes": lambda tensors: b"",
    "numpy.dtype": lambda tensors, *arguments: NumpyDtype(*arguments),
    RECONSTRUCT: partial(_array, RECONSTRUCT),
    OLD_RECONSTRUCT: partial(_array, OLD_RECONSTRUCT),
    **dict.fromkeys((SCALAR, OLD_SCALAR), lambda tensors, *arguments: scalar(*arguments)),
    "torch.Size": lambda tensors, sizes: Size(sizes),
    "torch.device": _device,
    "_codecs.encode": lambda tensors, text, _: text.encode("latin1"),
}
