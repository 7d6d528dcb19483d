"""The numbers that an operation is explained on, and the code that gives them again."""

import re
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.kernels.geometry import integer

MOST_LITERAL = 64
"""Arrays of more numbers are written as the code that made them."""
WIDTH = 79
"""Characters of a line of Python."""
CLASSES = 9
"""Where the numbers of drawn classes start."""
MOST_NUMBERS = 2**25
"""Arrays of more numbers, patch matrices among them, would take more memory than an explanation is worth."""
DRAWN = {"input": (0, 4, 5), "weight": (-2, 2, 7), "bias": (-2, 2, 2), "grad_output": (1, 3, 3), "scale": (1, 3, 8)}
"""The least and the largest number that is drawn for an array, and where its numbers start: small ones, so that sums of
products can be checked in the head."""


@dataclass(frozen=True, eq=False)
class Given:
    """An array, and how to get it.

    Attributes:
        array: float64, or int64 for classes; read-only.
        code: an expression of Python that gives it, with `np` for NumPy.
        name: the variable in it that stands for what a program gave; empty if there is none.
    """

    array: np.ndarray
    code: str
    name: str = ""

    def literal(self, prefix: str = "") -> str:
        """The expression for it: its numbers, or the code where these are many.

        Args:
            prefix: what will stand before it on its first line.
        """
        if self.array.size > MOST_LITERAL:
            return self.code if len(prefix) + len(self.code) < WIDTH else f"\n    {self.code}"
        text = np.array2string(
            self.array,
            max_line_width=WIDTH,
            separator=", ",
            prefix=prefix,
            suffix=",",
            floatmode="unique",
            threshold=10**6,
        )
        return re.sub("\n+", "\n", text)


def given(value: Any, name: str, whole: bool = False) -> Given:
    """What a program gave, as float64 (int64 for `whole` numbers).

    Args:
        value: an array, a Tensor, nested lists, or a `Given`, which stays as it is.
        name: the parameter's name, for messages and for the code.
        whole: whether these are classes.

    Raises:
        TypeError: for what isn't real numbers, or no whole ones where these are needed.
    """
    if isinstance(value, Given):
        return value
    try:
        array = np.array(value._array if isinstance(value, Variable) else value)
    except ValueError:
        raise TypeError(f"{name} must be an array of numbers: nested lists need equal lengths") from None
    if array.dtype.kind not in ("iu" if whole else "biuf"):
        kind = "whole numbers" if whole else "numbers"
        raise TypeError(f"{name} must be an array of {kind}, got {value if array.ndim == 0 else array.dtype!r}")
    return frozen(array, name, name, whole)


def frozen(array: np.ndarray, code: str, name: str = "", whole: bool = False) -> Given:
    """A copy in row-major order that nobody can change, of float64 or of int64."""
    copy = np.array(array, np.int64 if whole else np.float64, order="C")
    copy.flags.writeable = False
    return Given(copy, code, name)


def drawn(name: str, shape: tuple[int, ...], seed: int) -> Given:
    """Small whole numbers, each as likely as the others.

    Args:
        name: what they are drawn for, one of DRAWN.
        shape: of the array.
        seed: of all that is drawn for one explanation.

    Raises:
        ValueError: for more than MOST_NUMBERS.
    """
    refuse_large(name, *shape)
    least, most, start = DRAWN[name]
    array = np.random.default_rng((count(seed, "seed"), start)).integers(least, most + 1, shape)
    return frozen(array, f"np.random.default_rng({(seed, start)}).integers({least}, {most + 1}, {shape})")


def count(value: Any, name: str, least: int = 0) -> int:
    """A whole number, `least` or more.

    Raises:
        TypeError: for anything else.
        ValueError: for a smaller one.
    """
    try:
        whole = integer(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {value!r}") from None
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {whole}")
    return whole


def drawn_classes(rows: int, classes: int, seed: int) -> Given:
    """A class for each row."""
    refuse_large("target", rows)
    array = np.random.default_rng((seed, CLASSES)).integers(0, classes, rows)
    return frozen(array, f"np.random.default_rng({(seed, CLASSES)}).integers(0, {classes}, {rows})", whole=True)


def refuse_large(what: str, *sizes: int) -> None:
    """Raise ValueError if an array of such sizes has more than MOST_NUMBERS."""
    if prod(sizes) > MOST_NUMBERS:
        raise ValueError(f"{what} would have {prod(sizes):,} numbers; an explanation takes at most {MOST_NUMBERS:,}")
