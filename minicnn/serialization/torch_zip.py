"""PyTorch's `.pth`: a zip file of raw storages and one pickle that says how tensors view them.

A pickle is a program for a small stack machine, and Python's own machine lets it call anything. The machine
here knows only the instructions that build dictionaries, lists, tuples, numbers and strings, and when a
program wants to call something, it looks the name up in a table of the few that PyTorch uses for tensors.
No function named by a file is ever imported, let alone called.
"""

import pickletools
import zipfile
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from minicnn.attributes import Size
from minicnn.serialization.safetensors import widen_bfloat16
from minicnn.tensor import Tensor

LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")
"""How files of PyTorch before 1.6 begin, after the pickle's protocol."""

_STORAGES = {
    "torch.BoolStorage": "bool",
    "torch.ByteStorage": "uint8",
    "torch.CharStorage": "int8",
    "torch.ShortStorage": "int16",
    "torch.IntStorage": "int32",
    "torch.LongStorage": "int64",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64",
    "torch.storage.UntypedStorage": None,
}
_DTYPES = {f"torch.{name}": name for name in (*filter(None, _STORAGES.values()), "uint16", "uint32", "uint64")}

_PUSHES_ITS_ARGUMENT = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_PUSHES: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Name(str):
    """A name that the pickle wants to call or refer to: looked up in tables, never imported."""


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
    names = archive.namelist()
    (pickle,) = [name for name in names if name.endswith("/data.pkl")]
    folder = pickle.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in names:
        raise ValueError("it is a TorchScript program, not tensors; torch.save its state_dict() instead")
    try:
        return _Machine(_Tensors(archive, folder)).run(archive.read(pickle))
    except (LookupError, TypeError) as error:  # a program that pops from an empty stack, or adds to a number
        raise ValueError(f"its pickle is damaged ({error})") from error


class _Tensors:
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
        if type(storage_type) is not _Name or storage_type not in _STORAGES:
            raise ValueError("its pickle refers to a storage of an unknown type")
        return _Storage(key, _STORAGES[storage_type], size)

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
            return Tensor(np.empty(size, elements.dtype))
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if last >= elements.size:
            raise ValueError(
                f"a tensor of size {size}, stride {stride} and offset {offset} reaches outside its storage "
                f"of {elements.size} elements"
            )
        strides = [step * elements.itemsize for step in stride]
        array = np.lib.stride_tricks.as_strided(elements[offset:], size, strides)
        return Tensor(array, requires_grad=requires_grad is True and array.dtype.kind == "f")

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
        if type(dtype) is not _Name or dtype not in _DTYPES:
            raise ValueError("it holds a tensor of an unknown element type")
        return self.tensor(storage, offset, size, stride, requires_grad, hooks, attributes, _DTYPES[dtype])

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


class _Machine:
    """The stack machine that reads pickles, with nothing to call but `_Tensors`."""

    def __init__(self, tensors: _Tensors) -> None:
        self._tensors = tensors
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: bytes) -> Any:
        """The object that a pickle describes."""
        for opcode, argument, _ in pickletools.genops(program):
            if opcode.name == "STOP":
                return self._stack.pop()
            self._execute(opcode.name, argument)
        raise ValueError("its pickle is truncated")

    def _execute(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PUSHES_ITS_ARGUMENT:
            stack.append(argument)
        elif name in _PUSHES:
            stack.append(_PUSHES[name]())
        elif name in _SHORT_TUPLES:
            count = _SHORT_TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    self._marks.append(len(stack))
                case "TUPLE":
                    stack.append(tuple(self._pop_to_mark()))
                case "APPEND":
                    item = stack.pop()
                    self._top(list).append(item)
                case "APPENDS":
                    items = self._pop_to_mark()
                    self._top(list).extend(items)
                case "SETITEM":
                    value, key = stack.pop(), stack.pop()
                    self._set_items([key, value])
                case "SETITEMS":
                    self._set_items(self._pop_to_mark())
                case "BINPUT" | "LONG_BINPUT" | "PUT":
                    self._memo[argument] = stack[-1]
                case "MEMOIZE":
                    self._memo[len(self._memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET" | "GET":
                    stack.append(self._memo[argument])
                case "GLOBAL":
                    stack.append(self._name(argument.replace(" ", ".")))
                case "STACK_GLOBAL":
                    attribute, module = stack.pop(), stack.pop()
                    stack.append(self._name(".".join((module, attribute))))
                case "BINPERSID":
                    stack.append(self._tensors.storage(stack.pop()))
                case "REDUCE":
                    arguments, function = stack.pop(), stack.pop()
                    stack.append(self._call(function, arguments))
                case "BUILD":
                    stack.pop()  # the attributes of a dictionary, such as a state_dict's _metadata
                    self._top(dict)
                case _:
                    raise ValueError(f"its pickle uses {name}, which tensors in plain containers do not need")

    def _pop_to_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _top(self, expected: type) -> Any:
        if type(self._stack[-1]) is not expected:
            raise ValueError(f"its pickle treats a {type(self._stack[-1]).__name__} as a {expected.__name__}")
        return self._stack[-1]

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, int, float, bytes, type(None))):
                raise ValueError(f"its pickle uses a {type(key).__name__} as a dictionary's key")
            target[key] = value

    def _name(self, name: str) -> _Name:
        if name not in _CALLS and name not in _STORAGES and name not in _DTYPES:
            raise ValueError(f"its pickle asks for {name}, which no tensor needs; nothing was executed")
        return _Name(name)

    def _call(self, function: Any, arguments: Any) -> Any:
        if type(function) is not _Name or function not in _CALLS or type(arguments) is not tuple:
            raise ValueError("its pickle calls what no tensor needs; nothing was executed")
        return _CALLS[function](self._tensors, *arguments)


def _device(tensors: _Tensors, *parts: Any) -> str:
    if not all(type(part) in (str, int) for part in parts):
        raise ValueError("it holds a damaged device")
    return ":".join(map(str, parts))


_CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor_v2": lambda tensors, *arguments: tensors.tensor(*arguments[:7]),
    "torch._utils._rebuild_tensor_v3": lambda tensors, *arguments: tensors.typed_tensor(*arguments),
    "torch._utils._rebuild_parameter": lambda tensors, data, requires_grad, hooks: data,
    "collections.OrderedDict": lambda tensors: {},
    "torch.Size": lambda tensors, sizes: Size(sizes),
    "torch.device": _device,
    "_codecs.encode": lambda tensors, text, _: text.encode("latin1"),
}
