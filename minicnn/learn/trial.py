"""What the learner's code answers, beside what the solution answers, and which known mistake answers the same."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.learn.chapter import Case, ChangedError, Chapter
from minicnn.learn.exercise import solved

SEED = 0


@dataclass(frozen=True)
class Answer:
    """What one call gave: a result, or what it raised."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Failure:
    """The first case in which the learner's answer is not the solution's.

    Attributes:
        case: the call.
        expected: the solution's result.
        received: the learner's answer.
        mistake: the sentence of the known mistake that answers as the learner's code does, as far as the last call
            of the function that goes wrong first.
        wrong: in how many cases the answer is wrong.
        tried: how many there were.
    """

    case: Case
    expected: Any
    received: Answer
    mistake: str | None
    wrong: int
    tried: int


def tried(chapter: Chapter, module: ModuleType) -> Failure | None:
    """Compare a module with the solution, in the smallest cases first; None if every answer is right."""
    cases = chapter.cases(np.random.default_rng(SEED))
    right, answers = answers_of(solved(chapter), cases), answers_of(module, cases)
    wrong = [i for i, (a, b) in enumerate(zip(right, answers, strict=True)) if not agree(a, b)]
    if not wrong:
        return None
    first = wrong[0]
    return Failure(
        cases[first],
        right[first].value,
        answers[first],
        _named(chapter, cases, answers, _end_of_function(cases, first)),
        len(wrong),
        len(cases),
    )


def _end_of_function(cases: Sequence[Case], first: int) -> int:
    """Behind the last call of the function that this case calls."""
    return max(i for i, case in enumerate(cases) if case.function == cases[first].function) + 1


def answers_of(module: ModuleType, cases: Sequence[Case]) -> list[Answer]:
    """What a module answers in each case."""
    return [_answer(module, case) for case in cases]


def _answer(module: ModuleType, case: Case) -> Answer:
    try:
        with np.errstate(all="ignore"):
            return Answer(case.call(module))
    except Exception as error:  # whatever a learner's code raises
        return Answer(error=error)


def _named(chapter: Chapter, cases: Sequence[Case], answers: list[Answer], end: int) -> str | None:
    """The mistake that answers the same before `end`: later functions may be empty, or have mistakes of their own."""
    changed = [one.error for one in answers if isinstance(one.error, ChangedError)]
    if changed:
        return f"{changed[0]}: work on a copy."
    for mistake in chapter.mistakes:
        known = answers_of(solved(chapter, changed_source(chapter, mistake.right, mistake.wrong)), cases[:end])
        if all(agree(a, b) or is_empty(b) for a, b in zip(known, answers[:end], strict=True)):
            return mistake.name
    return None


def changed_source(chapter: Chapter, right: str, wrong: str) -> str:
    """The solution with a mistake in it."""
    source = chapter.solution
    assert source.count(right) == 1, f"{chapter.file} has {right!r} {source.count(right)} times"
    return source.replace(right, wrong)


def is_empty(answer: Answer) -> bool:
    """Whether the learner has not written yet what was called."""
    return isinstance(answer.error, NotImplementedError)


def agree(a: Answer, b: Answer) -> bool:
    """Whether two answers are the same, but for rounding."""
    if a.error is not None or b.error is not None:
        return type(a.error) is type(b.error)
    return same(a.value, b.value)


def same(a: Any, b: Any) -> bool:
    """Whether two results are the same, but for rounding; a list and a tuple of the same items are."""
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        if not (isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b)):
            return False
        return all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    try:
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype == object or b.dtype == object:
            return bool(a.dtype == b.dtype and a.shape == b.shape and (a == b).all())
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))
    except (TypeError, ValueError):
        return False


def own_line(error: BaseException, file: str) -> str:
    """Where in the learner's file an error arose: "line 12", or "" where it did not."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == Path(file)]
    return f"line {lines[-1]}" if lines else ""
