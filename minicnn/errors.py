"""Errors of two kinds at once: PyTorch's, and Python's own for a bad value or type.

PyTorch raises RuntimeError where shapes or dtypes don't fit, and programs catch it; Python programs expect ValueError
and TypeError there. Both find what they look for.
"""

import difflib
from collections.abc import Iterable


def unknown(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is none of those known, with the one that it is most like."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, 1)
    return f"{name!r} is unknown; there are {', '.join(names)}" + (f". Did you mean {near[0]!r}?" if near else "")


class ShapeError(RuntimeError, ValueError):
    """Shapes or values that don't fit together."""


class DtypeError(RuntimeError, TypeError):
    """Dtypes that don't fit together, or that an operation can't compute with."""


class LinAlgError(RuntimeError):
    """Matrices that have no inverse, or no decomposition."""


class DivisionError(RuntimeError, ZeroDivisionError):
    """Integers divided by zero."""
