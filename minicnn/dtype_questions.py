"""What programs ask about dtypes and numbers: limits, promotions, the default dtype."""

import warnings
from typing import Any

import numpy as np

from minicnn import dtypes
from minicnn.autograd import Variable
from minicnn.dtypes import as_dtype, default_float, meet, set_default_float
from minicnn.element_types import dtype, element_type
from minicnn.errors import DtypeError
from minicnn.operators.operands import array_of
from minicnn.tensor_types import tensor_type


def _numpy_dtype(given: Any, function: str, argument: str) -> np.dtype:
    if not isinstance(given, (dtype, np.dtype, type)):
        raise TypeError(f"{function}(): argument {argument!r} must be a dtype, got {type(given).__name__}")
    return as_dtype(given)


class finfo:  # noqa: N801 (torch's name)
    """The limits of a floating-point dtype.

    Args:
        type: float16, float32 or float64; the default dtype where it isn't given.

    Attributes:
        bits: how many bits an element takes.
        eps: the distance from 1 to the next larger number.
        max, min: the largest and the smallest number.
        tiny, smallest_normal: the smallest positive number of full precision.
        resolution: what decimal numbers are apart at least.
        dtype: the dtype's name.

    Raises:
        TypeError: for other dtypes.
    """

    _names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")

    def __init__(self, type: Any = None) -> None:
        of = default_float() if type is None else _numpy_dtype(type, "finfo", "type")
        if of.kind != "f":
            raise TypeError(f"finfo() requires a floating-point dtype, got {of}; use iinfo")
        limits = np.finfo(of)
        self.dtype, self.bits = of.name, limits.bits
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(f"1e-{limits.precision}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        limits = ", ".join(f"{name}={getattr(self, name):g}" for name in self._names)
        return f"finfo({limits}, dtype={self.dtype})"


class iinfo:  # noqa: N801 (torch's name)
    """The limits of an integer dtype.

    Args:
        type: an integer dtype.

    Attributes:
        bits: how many bits an element takes.
        max, min: the largest and the smallest number.
        dtype: the dtype's name.

    Raises:
        TypeError: for other dtypes.
    """

    def __init__(self, type: Any) -> None:
        of = _numpy_dtype(type, "iinfo", "type")
        if of.kind not in "iu":
            raise TypeError(f"iinfo() requires an integer dtype, got {of}{'; use finfo' if of.kind == 'f' else ''}")
        limits = np.iinfo(of)
        self.dtype, self.bits, self.max, self.min = of.name, limits.bits, int(limits.max), int(limits.min)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def promote_types(type1: Any, type2: Any) -> dtype:
    """The smallest dtype that takes the elements of both: the one in which tensors with dimensions meet.

    Raises:
        TypeError: for what isn't a dtype.
        RuntimeError: for unsigned integers of more than 8 bits beside another dtype, as in PyTorch.
    """
    first, second = _numpy_dtype(type1, "promote_types", "type1"), _numpy_dtype(type2, "promote_types", "type2")
    if first != second and any(one.kind == "u" and one.itemsize > 1 for one in (first, second)):
        raise DtypeError(f"no dtype is defined in which {first} and {second} meet")
    return element_type(meet(first, second))


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype that arithmetic between two Tensors or numbers gives."""
    return element_type(dtypes.result_type(array_of(tensor1), array_of(tensor2)))


def can_cast(from_: Any, to: Any) -> bool:
    """Whether values of the dtype `from_` may be written into one of `to`: not from floats to integers, nor to bool."""
    return dtypes.can_cast(_numpy_dtype(from_, "can_cast", "from_"), _numpy_dtype(to, "can_cast", "to"))


def _kind_of(input: Any, function: str) -> str:
    array = array_of(input)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{function}(): argument 'input' must be a Tensor, not {type(input).__name__}")
    return array.dtype.kind


def is_floating_point(input: Any) -> bool:
    """Whether a Tensor is of a floating-point dtype."""
    return _kind_of(input, "is_floating_point") == "f"


def is_complex(input: Any) -> bool:
    """Whether a Tensor is of a complex dtype: False, since there are none."""
    return _kind_of(input, "is_complex") == "c"


def is_nonzero(input: Any) -> bool:
    """Whether the one element of a Tensor isn't 0.

    Raises:
        RuntimeError: for another number of elements.
    """
    array = array_of(input)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"is_nonzero(): argument 'input' must be a Tensor, not {type(input).__name__}")
    if array.size != 1:
        many = "more than one value" if array.size else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
    return array.item() != 0


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Variable)


def is_storage(obj: Any) -> bool:
    """Whether `obj` is a storage: False, since programs get none."""
    return False


def get_default_dtype() -> dtype:
    """The dtype of Python floats and of tensors made without a dtype."""
    return element_type(default_float())


def set_default_dtype(d: Any, /) -> None:
    """Choose the dtype of Python floats and of tensors made without a dtype.

    Raises:
        TypeError: for another dtype than float16, float32 and float64.
    """
    chosen = as_dtype(d) if isinstance(d, (dtype, np.dtype, type)) else None
    if chosen is None or chosen.kind != "f":
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    set_default_float(chosen)


def set_default_tensor_type(t: Any, /) -> None:
    """The old spelling of `set_default_dtype`: `torch.DoubleTensor` or "torch.DoubleTensor".

    Raises:
        TypeError: for types of integers.
        RuntimeError: for types of another device.
    """
    warnings.warn(
        "set_default_tensor_type() is deprecated as of PyTorch 2.1, please use set_default_dtype()", stacklevel=2
    )
    set_default_dtype(tensor_type(t).dtype)
