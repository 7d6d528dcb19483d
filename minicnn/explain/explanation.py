"""What is known of one operation on one set of numbers: the terminal, the page and the notebook read it."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.explain.given import Given
from minicnn.explain.program import agreement, program
from minicnn.explain.results import run
from minicnn.explain.shown import Shown
from minicnn.palette import THEIRS
from minicnn.serialization.files import replacing

if TYPE_CHECKING:
    from rich.text import Text

MOST_ON_A_PAGE = 2**16
"""Numbers of a page: browsers take long to draw more cells."""


@dataclass(frozen=True, eq=False)
class Explanation(Shown):
    """An operation on given numbers, with its results and gradients, computed by minicnn in float64.

    Attributes:
        op: its name in `minicnn.nn.functional`.
        arrays: what it takes, by that function's names; those that were left out are missing.
        options: the function's other arguments.
        at: the element of the output that is explained.
        results: "output", "grad_output" and the gradients "grad_input", "grad_weight", …
    """

    op: str
    arrays: Mapping[str, Given]
    options: Mapping[str, Any]
    at: tuple[int, ...]
    results: Mapping[str, Given]

    def state(self) -> dict[str, Any]:
        """All of it as JSON takes it; NaN and infinity are the strings "NaN", "Infinity" and "-Infinity"."""
        return {
            "op": self.op,
            "arrays": {name: _plain(given.array) for name, given in self.arrays.items()},
            "options": self._plain_options(),
            "at": list(self.at),
            "results": {name: _plain(given.array) for name, given in self.results.items()},
        }

    def page(self) -> str:
        """The explanation as one page of HTML that needs nothing else, to point at, to change and to play.

        Raises:
            ValueError: for more than MOST_ON_A_PAGE numbers.
        """
        from minicnn.explain.page import render

        count = sum(given.array.size for given in (*self.arrays.values(), *self.results.values()))
        if count > MOST_ON_A_PAGE:
            raise ValueError(f"a page holds at most {MOST_ON_A_PAGE:,} numbers; this one would have {count:,}")
        return render(self.state())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, which appears whole or not at all.

        Args:
            path: where; what is there is replaced.

        Raises:
            ValueError: for more than MOST_ON_A_PAGE numbers.
            OSError: where it can't be written.
        """
        text = self.page()
        with replacing(path) as file:
            file.write(text.encode())

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for a notebook."""
        return (
            f'<iframe srcdoc="{escape(self.page())}" title="{self.op} explained" '
            f'style="width:100%;height:900px;border:1px solid {THEIRS};border-radius:8px"></iframe>'
        )

    def program(self) -> str:
        """The same in PyTorch: lines that can be run as they are."""
        return program(self)

    def agreement(self) -> str:
        """A sentence: whether PyTorch, where it is installed, gives the same numbers."""
        return agreement(self)

    def alone(self) -> dict[str, np.ndarray]:
        """The gradients if the explained element of the output had none beside it, by the names of `results`."""
        arrays = {name: one.array for name, one in self.arrays.items()}
        gradient = np.zeros_like(self.results["output"].array)
        gradient[self.at] = self.results["grad_output"].array[self.at]
        return run(self.op, arrays, self.options, gradient)

    def _plain_options(self) -> dict[str, Any]:
        """The options as `state` has them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self.options.items()}

    def _steps(self, width: int) -> "Iterator[Text]":
        """What the terminal shows but for PyTorch's lines, for so many columns."""
        raise NotImplementedError

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.printing import in_pytorch

        with np.errstate(all="ignore"):  # infinity less infinity is shown as what it is
            steps = list(self._steps(width))
        yield from steps
        yield from in_pytorch(self, width)


def _plain(array: np.ndarray) -> dict[str, Any]:
    values = [value if math.isfinite(value) else _WORDS[str(value)] for value in array.ravel().tolist()]
    return {"shape": list(array.shape), "values": values}


_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
