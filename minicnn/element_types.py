"""`dtype`: the element types that programs name, `minicnn.float32` and its kin.

A dtype prints as PyTorch's, answers PyTorch's questions, and is equal to NumPy's dtype of the same elements; NumPy
takes it wherever it takes its own. Inside, minicnn goes by NumPy's dtypes: see `minicnn.dtypes`.
"""

from typing import Any

import numpy as np


class dtype:  # noqa: N801 (torch's name)
    """An element type, shaped like `torch.dtype`; all there are stand in `DTYPES`.

    Attributes:
        dtype: NumPy's dtype of the same elements, under the name by which NumPy asks for it.
        itemsize: bytes of one element.
        kind: NumPy's letter of the category: "b" for bool, "i" and "u" for integers, "f" for floating point.
        is_floating_point: whether elements have fractions.
        is_complex: False: there are no complex tensors.
        is_signed: whether elements can be negative.
    """

    __slots__ = ("dtype", "is_floating_point", "is_signed", "itemsize", "kind")

    is_complex = False

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)
        self.itemsize, self.kind = self.dtype.itemsize, self.dtype.kind
        self.is_floating_point, self.is_signed = self.kind == "f", self.kind in "fi"

    def to_real(self) -> "dtype":
        """The dtype itself, which is real."""
        return self

    def __eq__(self, other: object) -> bool:
        return self is other or (not isinstance(other, AbsentType) and self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"torch.{self.dtype.name}"

    def __reduce__(self) -> Any:
        return element_type, (self.dtype.name,)


DTYPES = {
    np.dtype(name): dtype(name)
    for name in (
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64"),
    )
}
"""NumPy's dtypes → those that programs see."""


def element_type(numpy_dtype: Any) -> dtype:
    """The dtype that programs see for one of NumPy's, or its name."""
    return DTYPES[np.dtype(numpy_dtype)]


float16, float32, float64 = map(element_type, ("float16", "float32", "float64"))
int8, int16, int32, int64 = map(element_type, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(element_type, ("uint8", "uint16", "uint32", "uint64"))
bool_ = element_type("bool")


class AbsentType(dtype):
    """An element type that PyTorch has and NumPy lacks: programs may name it, and no tensor can have it."""

    __slots__ = ("_name",)

    def __init__(self, name: str, itemsize: int) -> None:
        self._name, self.itemsize, self.kind = name, itemsize, "f"
        self.is_floating_point = self.is_signed = True

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """Missing, whatever asks for it.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"minicnn has no tensors of {self!r}: use torch.float32")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> Any:
        return self._name


bfloat16 = AbsentType("bfloat16", 2)
