"""What operations with several named results return: `torch.return_types`, under the same names and in the same print.

values, indices = minicnn.sort(x)
minicnn.sort(x).indices
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any


class Results(tuple):
    """A tuple whose elements have names.

    Args:
        values: the elements, in a list or another sequence.

    Raises:
        TypeError: where they are not as many as the names, or no sequence.
    """

    __slots__ = ()
    names: tuple[str, ...] = ()

    def __new__(cls, values: Sequence) -> "Results":
        if not isinstance(values, Sequence):
            raise TypeError(f"{cls.__name__} is made of a sequence, got {type(values).__name__}")
        if len(values) != len(cls.names):
            raise TypeError(f"{cls.__name__} has the {len(cls.names)} elements {cls.names}, got {len(values)}")
        return super().__new__(cls, values)

    def __repr__(self) -> str:
        listed = ",\n".join(f"{name}={value!r}" for name, value in zip(self.names, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{listed})"

    def __reduce__(self) -> tuple:
        return _restored, (type(self).__name__, tuple(self))


def _restored(name: str, values: tuple) -> Results:
    """Results out of a pickle."""
    return globals()[name](values)


def _type(name: str, *names: str) -> Any:
    body = {field: property(itemgetter(position)) for position, field in enumerate(names)}
    return type(name, (Results,), {"__slots__": (), "__module__": "torch.return_types", "names": names, **body})


PAIRS = ("cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk")
"""Those that return values and indices."""

for _name in PAIRS:
    globals()[_name] = _type(_name, "values", "indices")
aminmax = _type("aminmax", "min", "max")
linalg_qr = _type("linalg_qr", "Q", "R")
linalg_slogdet = _type("linalg_slogdet", "sign", "logabsdet")


def pair(name: str, values: Any, indices: Any) -> Results:
    """Values and indices as the operation of that name returns them."""
    return globals()[name]((values, indices))
