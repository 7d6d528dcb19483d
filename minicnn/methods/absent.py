"""What a Tensor answers when it is asked for a method that it does not have."""

from typing import TYPE_CHECKING, Any

from minicnn.autograd import Variable
from minicnn.compat import report


class Absent(Variable):
    """The methods of Tensor that do not exist."""

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers are told of every method

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return report.missing_method(name, type(self))
