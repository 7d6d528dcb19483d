"""Writes PyTorch's `.pth`: dictionaries, lists, numbers and tensors, in any nest, as `torch.load` reads them.

The pickle inside is written instruction by instruction, since the functions that it names, such as
`torch._utils._rebuild_tensor_v2`, are PyTorch's and can't be imported here.
"""

import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from minicnn.attributes import Size, device
from minicnn.autograd.storage import elements, is_dense
from minicnn.autograd.variable import owner
from minicnn.element_types import dtype
from minicnn.serialization.numpy_values import RECONSTRUCT, SCALAR
from minicnn.tensor import Tensor

_STORAGES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
}
"""NumPy's names of element types → PyTorch's of their storages."""

FOLDER = "archive"


class NotPlainError(TypeError):
    """An object that is neither a tensor nor a plain container, number or string."""


class _Name(str):
    """A function or class, by module and name."""


class _Call:
    """An object that is made by a call, and perhaps given a state afterwards."""

    def __init__(self, function: str, *arguments: Any, state: Any = None) -> None:
        self.function, self.arguments, self.state = function, arguments, state


class _Storage:
    """A reference to a storage."""

    def __init__(self, *identity: Any) -> None:
        self.identity = identity


class _Writer:
    """Writes the instructions that make one object.

    Attributes:
        program: the instructions.
        storages: the arrays whose bytes stand beside the pickle, by their keys.
    """

    def __init__(self) -> None:
        self.program = bytearray(b"\x80\x02")
        self.storages: list[np.ndarray] = []
        self._keys: dict[int, int] = {}
        self._memo: dict[int, int] = {}
        self._alive: list[Any] = []  # identities are those of living objects

    def write(self, value: Any) -> None:
        """The instructions that push `value`."""
        place = self._memo.get(id(value))
        if place is not None:
            self.program += b"j" + struct.pack("<I", place)
            return
        for kind in type(value).__mro__:
            if kind in _WRITERS and (type(value) is kind or kind in _WITH_SUBCLASSES):
                _WRITERS[kind](self, value)
                return
        raise NotPlainError(f"a {type(value).__name__} is neither a tensor nor a plain container, number or string")

    def remember(self, value: Any) -> None:
        """Let `value`, just pushed, be the same object wherever it occurs again."""
        self._memo[id(value)] = len(self._alive)
        self.program += b"r" + struct.pack("<I", len(self._alive))
        self._alive.append(value)

    def number(self, value: int) -> None:
        if -(2**31) <= value < 2**31:
            self.program += b"J" + struct.pack("<i", value)
        else:
            data = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
            if len(data) > 255:
                raise NotPlainError(f"an int of {len(data)} bytes is too long for PyTorch's files")
            self.program += b"\x8a" + struct.pack("<B", len(data)) + data

    def text(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        self.program += b"X" + struct.pack("<I", len(data)) + data

    def name(self, value: str) -> None:
        module, _, name = value.rpartition(".")
        self.program += f"c{module}\n{name}\n".encode()

    def tuple(self, value: tuple) -> None:
        self.program += b"("
        for item in value:
            self.write(item)
        self.program += b"t"
        if value:
            self.remember(value)

    def list(self, value: list) -> None:
        self.program += b"]"
        self.remember(value)
        self.program += b"("
        for item in value:
            self.write(item)
        self.program += b"e"

    def dictionary(self, value: dict) -> None:
        self.program += b"}"
        self.remember(value)
        self._items(value)

    def ordered(self, value: OrderedDict) -> None:
        self.program += b"ccollections\nOrderedDict\n)R"
        self.remember(value)
        self._items(value)

    def _items(self, value: dict) -> None:
        self.program += b"("
        for key, item in value.items():
            self.write(key)
            self.write(item)
        self.program += b"u"

    def call(self, value: _Call) -> None:
        self.name(value.function)
        self.tuple(value.arguments)
        self.program += b"R"
        if value.state is not None:
            self.write(value.state)
            self.program += b"b"

    def storage(self, value: _Storage) -> None:
        self.tuple(value.identity)
        self.program += b"Q"

    def bytes(self, value: bytes) -> None:
        self.call(_Call("_codecs.encode", value.decode("latin1"), "latin1"))

    def numpy_scalar(self, value: np.generic) -> None:
        self.call(_Call(SCALAR, _numpy_dtype(value.dtype), value.tobytes()))
        self.remember(value)

    def numpy_array(self, value: np.ndarray) -> None:
        state = (1, value.shape, _numpy_dtype(value.dtype), False, value.tobytes())
        self.call(_Call(RECONSTRUCT, _Name("numpy.ndarray"), (0,), b"b", state=state))
        self.remember(value)

    def tensor(self, value: Tensor) -> None:
        named = type(value).__name__
        if named not in ("Tensor", "Parameter") or value._array.dtype.name not in _STORAGES:
            raise NotPlainError(f"a {named} of {value._array.dtype} has no counterpart in PyTorch's files")
        call = self._rebuilt(value)
        if named == "Parameter":
            call = _Call("torch._utils._rebuild_parameter", call, value.requires_grad, OrderedDict())
        self.call(call)
        self.remember(value)

    def _rebuilt(self, value: Tensor) -> _Call:
        """What makes a tensor: the elements it shows of a storage, which those that share its memory show, too."""
        array = value._array
        whole = owner(array)
        if value._layout is not None or whole.dtype != array.dtype or not is_dense(whole.shape, elements(whole)):
            array = whole = np.asarray(array, order="C")  # ascontiguousarray gives 0-d arrays a dimension
        key = self._keys.setdefault(id(whole), len(self.storages))
        if key == len(self.storages):
            self.storages.append(whole)
        begin = (array.ctypes.data - whole.ctypes.data) // array.itemsize if array.size else 0
        kind = _Name(f"torch.{_STORAGES[array.dtype.name]}Storage")
        storage = _Storage("storage", kind, str(key), "cpu", whole.size)
        requires_grad = value.requires_grad and type(value) is Tensor
        arguments: tuple = (storage, begin, array.shape, elements(array), requires_grad, OrderedDict())
        return _Call("torch._utils._rebuild_tensor_v2", *arguments)


def _numpy_dtype(of: np.dtype) -> _Call:
    if of.kind not in "biuf" or of.itemsize > 8:
        raise NotPlainError(f"NumPy values of {of} are not written")
    state = (3, "|" if of.itemsize == 1 else "<", None, None, None, -1, -1, 0)
    return _Call("numpy.dtype", of.str[1:], False, True, state=state)


def _constant(instruction: bytes) -> Callable[[_Writer, Any], None]:
    def write(writer: _Writer, value: Any) -> None:
        writer.program += instruction

    return write


def _truth(writer: _Writer, value: bool) -> None:
    writer.program += b"\x88" if value else b"\x89"


def _fraction(writer: _Writer, value: float) -> None:
    writer.program += b"G" + struct.pack(">d", value)


_WRITERS: dict[type, Callable[[_Writer, Any], None]] = {
    type(None): _constant(b"N"),
    bool: _truth,
    int: _Writer.number,
    float: _fraction,
    complex: lambda writer, value: writer.call(_Call("__builtin__.complex", value.real, value.imag)),
    str: _Writer.text,
    bytes: _Writer.bytes,
    tuple: _Writer.tuple,
    list: _Writer.list,
    dict: _Writer.dictionary,
    OrderedDict: _Writer.ordered,
    set: lambda writer, value: writer.call(_Call("__builtin__.set", [*value])),
    Size: lambda writer, value: writer.call(_Call("torch.Size", tuple(value))),
    dtype: lambda writer, value: writer.name(repr(value)),
    device: lambda writer, value: writer.call(_Call("torch.device", "cpu")),
    np.generic: _Writer.numpy_scalar,
    np.ndarray: _Writer.numpy_array,
    Tensor: _Writer.tensor,
    _Name: _Writer.name,
    _Call: _Writer.call,
    _Storage: _Writer.storage,
}
_WITH_SUBCLASSES = (np.generic, Tensor)


def write(file: BinaryIO, obj: Any) -> None:
    """Write an object of tensors in plain containers.

    Raises:
        NotPlainError: where it holds anything else; nothing has been written then.
    """
    writer = _Writer()
    writer.write(obj)
    storages = {f"data/{key}": _little_endian(array) for key, array in enumerate(writer.storages)}
    write_archive(file, bytes(writer.program + b"."), storages)


def _little_endian(array: np.ndarray) -> bytes:
    """The bytes of an array in the order in which its elements lie."""
    return np.ascontiguousarray(array.ravel("K").astype(array.dtype.newbyteorder("<"), copy=False)).tobytes()


def write_archive(file: BinaryIO, program: bytes, entries: dict[str, bytes]) -> None:
    """Write the zip file around a pickle; equal contents are equal files."""
    records = {"data.pkl": program, "byteorder": b"little", **entries, "version": b"3\n"}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in records.items():
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}"), data)
