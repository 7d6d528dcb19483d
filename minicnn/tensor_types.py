"""Old spellings of dtypes: `torch.FloatTensor` and its kin, which make tensors, recognise them and name their type."""

from typing import Any

import numpy as np

from minicnn.attributes import Size
from minicnn.autograd import Variable
from minicnn.creation.data import from_numpy, is_sequence
from minicnn.dtypes import check_fits
from minicnn.element_types import dtype, element_type
from minicnn.operators.operands import cast


class TensorType(type):
    """The class of the old types; their instances are the Tensors of their dtype.

    Attributes:
        dtype: of the tensors.
    """

    dtype: dtype

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Variable) and instance._array.dtype == cls.dtype.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _made(cls: TensorType, *data: Any) -> Any:
    """A Tensor of the type's dtype from nested lists, an array, sizes or a Tensor.

    Raises:
        TypeError: for anything else, and for a Tensor of another dtype.
    """
    return legacy_tensor(data, cls.dtype.dtype, cls.__name__)


def legacy_tensor(data: tuple, wanted: np.dtype, name: str) -> Any:
    """The Tensor that `torch.Tensor(*data)` and its kin, and `x.new(*data)`, make.

    Args:
        data: the arguments: sizes, or one of a shape, nested lists, an array, a Tensor. The memory of an array and of a
            Tensor is shared where the dtype is `wanted`; a 0-d array of integers is a size, as in PyTorch.
        wanted: the dtype.
        name: of what is being made.

    Raises:
        TypeError: for other arguments, and for a Tensor of another dtype.
        ValueError: for nested lists that don't form a box, negative sizes, and arrays of the other order of bytes.
    """
    values: Any = data[0] if len(data) == 1 else None
    if isinstance(values, Variable):
        if values._array.dtype != wanted:
            raise TypeError(f"{name} holds {wanted}, got a Tensor of {values._array.dtype}; use minicnn.tensor")
        return values.detach()  # type: ignore[attr-defined]
    if isinstance(values, np.ndarray) and values.ndim:
        return cast(from_numpy(values), wanted)
    return Variable._computed(_array(data, wanted, name))


def _array(data: tuple, wanted: np.dtype, name: str) -> np.ndarray:
    """Zeros for sizes, values from lists."""
    if all(_is_size(size) for size in data):
        if min(data, default=0) < 0:
            raise ValueError(f"sizes must not be negative, got {data}")
        return np.zeros(data or (0,), wanted)
    (values,) = data if len(data) == 1 else (None,)
    if isinstance(values, Size):
        return np.zeros(values, wanted)
    if not is_sequence(values):
        raise TypeError(f"{name} needs an array, a list, sizes or a Tensor, got {data!r}; use minicnn.tensor")
    try:
        array = np.array(_plain(values))
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name} needs nested lists of numbers, of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} needs nested lists of numbers, got {array.dtype}")
    if array.size and wanted.kind in "iu" and array.dtype.kind != "f":
        check_fits(array.min().item(), wanted)
        check_fits(array.max().item(), wanted)
    with np.errstate(all="ignore"):
        return array.astype(wanted)


def _is_size(value: Any) -> bool:
    """An int, NumPy's integers and 0-d arrays of them among these, but no bool."""
    if isinstance(value, np.ndarray):
        return not value.ndim and value.dtype.kind in "iu"
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _plain(values: Any) -> Any:
    """Nested lists with numbers in place of Tensors."""
    if isinstance(values, Variable):
        return values._array
    return [_plain(value) for value in values] if is_sequence(values) else values


_NAMES = {
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
    "HalfTensor": "float16",
    "ByteTensor": "uint8",
    "CharTensor": "int8",
    "ShortTensor": "int16",
    "IntTensor": "int32",
    "LongTensor": "int64",
    "BoolTensor": "bool",
}
TENSOR_TYPES = {
    name: TensorType(
        name,
        (),
        {
            "__new__": _made,
            "__doc__": f"Tensors of {of}: `{name}(2, 3)`, `{name}([1, 2])`, `isinstance(x, {name})`.",
            "__module__": "torch",
            "dtype": element_type(of),
        },
    )
    for name, of in _NAMES.items()
}
TYPE_NAMES = {kind.dtype.dtype: f"torch.{name}" for name, kind in TENSOR_TYPES.items()}
"""NumPy's dtypes → the old type's name, as `x.type()` has it."""


def tensor_type(given: Any) -> TensorType:
    """The old type that is meant: itself, or its name such as "torch.FloatTensor".

    Raises:
        RuntimeError: for types of another device.
        ValueError: for other names, as in PyTorch.
        TypeError: for anything else.
    """
    if isinstance(given, TensorType):
        return given
    if not isinstance(given, (str, type)):
        raise TypeError(f"dtype must be a type, str, or dtype object, got {given!r}")
    name = given if isinstance(given, str) else given.__name__
    if name.startswith("torch.cuda."):
        raise RuntimeError(f"minicnn computes on the CPU only, got type {name!r}")
    found = TENSOR_TYPES.get(name.removeprefix("torch.")) if name.startswith("torch.") else None
    if found is None:
        raise ValueError(f"invalid type: {name!r}")
    return found


FloatTensor, DoubleTensor, HalfTensor = (TENSOR_TYPES[name] for name in ("FloatTensor", "DoubleTensor", "HalfTensor"))
ByteTensor, CharTensor, ShortTensor = (TENSOR_TYPES[name] for name in ("ByteTensor", "CharTensor", "ShortTensor"))
IntTensor, LongTensor, BoolTensor = (TENSOR_TYPES[name] for name in ("IntTensor", "LongTensor", "BoolTensor"))
