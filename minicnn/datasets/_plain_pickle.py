"""Reading a pickle without running it: dictionaries, lists, numbers, text, bytes and arrays of numbers only.

A pickle is a program that may call any function. CIFAR-10 is published as pickles written by Python 2 with
NumPy, and all that those need is a handful of names. Each of these names is answered with a small stand-in
from this file, which builds the same array from the same bytes; every other name is refused before
anything is called.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np

NUMBER_CODES = {"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"}


class PlainDtype:
    """Stands in for `numpy.dtype`: numbers only, no records and no objects."""

    __slots__ = ("dtype",)

    def __init__(self, code: str | bytes, align: bool = False, copy: bool = False) -> None:
        code = as_text(code)
        if code not in NUMBER_CODES:
            raise pickle.UnpicklingError(f"refused an array of dtype {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("refused an array of records")
        self.dtype = self.dtype.newbyteorder(">" if as_text(state[1]) == ">" else "<")


class PlainArray:
    """Stands in for `numpy.ndarray` and for the function that makes an empty one to be filled."""

    __slots__ = ("array",)

    def __init__(self, subtype: Any = None, shape: Any = None, typecode: Any = None) -> None:
        self.array = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, content = state
        self.array = array_of(content, dtype, shape, "F" if is_fortran else "C")


class PlainBuffer:
    """Stands in for the function that protocol 5 makes an array with."""

    def __new__(cls, content: Any, dtype: PlainDtype, shape: tuple[int, ...], order: str) -> Any:
        stand_in = PlainArray()
        stand_in.array = array_of(content, dtype, shape, order)
        return stand_in

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("refused to change a function")


class PlainNumber:
    """Stands in for the function that makes a NumPy scalar."""

    def __new__(cls, dtype: PlainDtype, content: Any) -> Any:
        return array_of(content, dtype, (), "C").item()

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("refused to change a function")


class PlainBytes:
    """Stands in for `_codecs.encode`, by which Python 3 writes `bytes` into a protocol 2 pickle.

    Args:
        room: how many bytes it makes in all: no more than the pickle has.
    """

    __slots__ = ("room",)

    def __init__(self, room: int) -> None:
        self.room = room

    def __call__(self, text: str, encoding: str) -> Any:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"refused the encoding {encoding!r}")
        self.room -= len(text)
        if self.room < 0:
            raise pickle.UnpicklingError("refused to encode more than there is")
        return text.encode("latin-1")

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("refused to change a function")


STAND_INS: dict[tuple[str, str], type] = {
    ("numpy", "dtype"): PlainDtype,
    ("numpy", "ndarray"): PlainArray,
}
for core in ("numpy.core", "numpy._core"):  # before and since NumPy 2
    STAND_INS[f"{core}.multiarray", "_reconstruct"] = PlainArray
    STAND_INS[f"{core}.multiarray", "scalar"] = PlainNumber
    STAND_INS[f"{core}.numeric", "_frombuffer"] = PlainBuffer


class PlainUnpickler(pickle.Unpickler):
    """An unpickler that knows the stand-ins and nothing else."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._encode = PlainBytes(len(content))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        try:
            return STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused {module}.{name}: not plain data") from None


PLACES = ("PUT", "BINPUT", "LONG_BINPUT")


def check_places(content: bytes) -> None:
    """See to it that a pickle puts what it remembers side by side: memory is asked for up to the largest place.

    Raises:
        ValueError: it doesn't, or isn't a whole pickle.
    """
    remembered = 0
    for opcode, place, _ in pickletools.genops(content):
        if opcode.name in PLACES:
            if int(place or 0) > remembered + 1:  # Python 2 began at 1
                raise ValueError(f"it puts its {remembered + 1}. memory at place {place}")
            remembered += 1
        elif opcode.name == "MEMOIZE":
            remembered += 1


def load_plain(content: bytes) -> dict[str, Any]:
    """The dictionary in a pickle.

    Args:
        content: a pickle of any protocol, from Python 2 or 3.

    Returns: a dictionary with text keys; arrays of numbers among its values are read-only ndarrays.

    Raises:
        ValueError: it is damaged, asks for anything but plain data, or is no dictionary.
    """
    try:
        check_places(content)
        value = PlainUnpickler(content).load()
        if not isinstance(value, dict):
            raise TypeError(f"expected a dictionary, got {type(value).__name__}")
        return {as_text(key): entry.array if isinstance(entry, PlainArray) else entry for key, entry in value.items()}
    except Exception as error:  # a damaged pickle can raise almost anything
        raise ValueError(f"not a pickle of plain data ({error})") from error


def as_text(value: str | bytes) -> str:
    """Text, from what Python 2 called a string."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"expected text, got {type(value).__name__}")


def array_of(content: Any, dtype: PlainDtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """An array of numbers over `content`."""
    if not isinstance(content, bytes | bytearray) or not isinstance(dtype, PlainDtype):
        raise TypeError("expected an array of plain numbers")
    return np.frombuffer(content, dtype.dtype).reshape(shape, order="F" if order == "F" else "C")
