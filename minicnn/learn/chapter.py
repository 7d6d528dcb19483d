"""What a chapter of the course consists of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minicnn.explain.explanation import Explanation


@dataclass(frozen=True)
class Mistake:
    """A typical mistake, as a change of the solution.

    Attributes:
        name: a sentence that says what is wrong, and what would be right.
        right: lines of the solution; they occur once.
        wrong: what stands there instead.
    """

    name: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Case:
    """One call of the learner's code.

    Attributes:
        told: the call as Python writes it.
        call: makes it, in the module that has the code.
        arrays: what it takes, by names, to be drawn where the result is wrong.
    """

    told: str
    call: Callable[[ModuleType], Any]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def function(self) -> str:
        """The name of the function that is called; empty for a program of several lines."""
        name = self.told.partition("(")[0]
        return name if name.isidentifier() else ""


@dataclass(frozen=True)
class Judged:
    """What the judge of `minicnn check` is asked besides.

    Attributes:
        operation: its name in `minicnn.nn.functional`.
        function: the learner's function; None where only its backward is judged.
        backward: the learner's function for the gradients.
        without: rows of the judge's table that the exercise leaves out.
    """

    operation: str
    function: str | None = None
    backward: str | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A text, an exercise, and who judges it.

    The text is `texts/NN.md`, the solution `solutions/learn_NN.py`.

    Attributes:
        number: from 1.
        title: a few words.
        minutes: how long it takes a reader.
        functions: what the learner writes, "Class.method" for methods.
        hints: three of them, each saying more than the one before.
        source: where minicnn does the same: dotted names of functions or classes.
        mistakes: six or more, which are told by name.
        values: computes the figures of the text, when it is shown.
        cases: draws the calls that are compared with the solution's.
        judged: what the judge of `minicnn check` is asked when these are right.
        last: what is checked at the very end, of the learner's file: whether it is right, and what to say.
        widget: what the course's page shows to play with.
    """

    number: int
    title: str
    minutes: int
    functions: tuple[str, ...]
    hints: tuple[str, str, str]
    source: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    values: Callable[[], Mapping[str, Any]]
    cases: Callable[[np.random.Generator], Sequence[Case]]
    judged: tuple[Judged, ...] = ()
    last: Callable[[Path], tuple[bool, str]] | None = None
    widget: "Callable[[], Explanation] | None" = None

    @property
    def file(self) -> str:
        """The name of the learner's file."""
        return f"learn_{self.number:02}.py"

    @property
    def solution(self) -> str:
        """The solution's source."""
        return (files("minicnn.learn") / "solutions" / self.file).read_text("utf-8")

    @property
    def text(self) -> str:
        """The text as Markdown with its figures to be filled in."""
        return (files("minicnn.learn") / "texts" / f"{self.number:02}.md").read_text("utf-8")


def calling(function: str, /, *arguments: Any, **options: Any) -> Case:
    """A call of a function, with copies of its arrays; arguments that are arrays are given as (name, array)."""
    arrays = {one[0]: one[1] for one in arguments if _named(one)}
    told = [one[0] if _named(one) else repr(one) for one in arguments]
    told += [f"{name}={value!r}" for name, value in options.items()]

    def call(module: ModuleType) -> Any:
        given = [one[1].copy() if _named(one) else one for one in arguments]
        result = getattr(module, function)(*given, **options)
        changed = [
            one[0]
            for one, copy in zip(arguments, given, strict=True)
            if _named(one) and not np.array_equal(one[1], copy)
        ]
        if changed:
            raise ChangedError(f"{function} has changed {changed[0]}, which belongs to the caller")
        return result

    return Case(f"{function}({', '.join(told)})", call, arrays)


class ChangedError(Exception):
    """A function wrote into an array that it was given."""


def _named(argument: Any) -> bool:
    return isinstance(argument, tuple) and len(argument) == 2 and isinstance(argument[1], np.ndarray)


def whole(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """Small whole numbers in float64, on which every sum is exact."""
    return generator.integers(-4, 5, shape).astype(np.float64)
