"""Which known mistake a function makes: the one whose answers equal the function's in every case tried."""

import itertools
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from minicnn.testing.case import Case
from minicnn.testing.expected import grad_name
from minicnn.testing.findings import examine
from minicnn.testing.process import Reply, answered, without_missing
from minicnn.testing.target import bound, request
from minicnn.testing.worker import Caller, parameters

if TYPE_CHECKING:
    from minicnn.testing.operations.operation import Operation
    from minicnn.testing.search import Trial
    from minicnn.testing.wrong.mistake import Mistake

FAILING, PASSING = 30, 30
"""So many cases of each kind are compared."""
UNANSWERED = ("raised", "count", "exited", "died", "hung", "memory", "law")
"""Kinds of findings without an answer to compare."""
CLOSE = 64.0
"""Two implementations of one mistake lie so many eps · magnitude apart at most."""


def named_mistake(operation: "Operation", trials: Sequence["Trial"]) -> "Mistake | None":
    """The known mistake that explains every answer, right ones and wrong ones."""
    try:
        from minicnn.testing.wrong import MISTAKES
    except ImportError:
        return None
    for backward in _directions(operation, trials):
        which = "backward" if backward else "forward"
        shown = [trial for trial in trials if trial.received and which in trial.notes]
        failing = [trial for trial in shown if any(one.kind not in UNANSWERED for one in trial.findings)]
        passing = [trial for trial in shown if not trial.findings]
        first = failing[:FAILING] + passing[:: max(1, len(passing) // PASSING)][:PASSING]
        for mistake in MISTAKES:
            fits = mistake.operation == operation.name and mistake.backward == backward
            if not (fits and failing and all(same_answer(mistake, trial) for trial in itertools.chain(first, shown))):
                continue
            if any(shows(mistake, trial) for trial in failing):
                return mistake
    return None


def named_results(operation: "Operation", trials: Sequence["Trial"]) -> "dict[str, Mistake]":
    """For each wrong result, by name, the known mistake that explains this result, whatever the others are.

    A function may make several mistakes: one in its gradient with respect to the weight, another in its running
    variance.
    """
    try:
        from minicnn.testing.wrong import MISTAKES
    except ImportError:
        return {}
    found = {}
    for name in dict.fromkeys(one.what for trial in trials for one in trial.findings):
        backward = name.startswith("the gradient")
        shown = [trial for trial in trials if name in trial.received]
        failing = [t for t in shown if any(one.what == name and one.kind not in UNANSWERED for one in t.findings)]
        passing = [trial for trial in shown if not any(one.what == name for one in trial.findings)]
        first = failing[:FAILING] + passing[:: max(1, len(passing) // PASSING)][:PASSING]
        for mistake in MISTAKES:
            fits = mistake.operation == operation.name and mistake.backward == backward
            if not (fits and failing and all(same_answer(mistake, trial, name) for trial in first)):
                continue
            if any(shows(mistake, trial, name) for trial in failing):
                found[name] = mistake
                break
    return found


def _directions(operation: "Operation", trials: Sequence["Trial"]) -> tuple[bool, ...]:
    """Whether the findings are about the gradients; where they are about arguments alone, they may be about either."""
    subjects = {one.what for trial in trials for one in trial.findings}
    if subjects & {"y", *operation.updates}:
        return (False,)
    return (True,) if any(one.startswith("the gradient") for one in subjects) else (False, True)


def same_answer(mistake: "Mistake", trial: "Trial", only: str | None = None) -> bool:
    """Whether the mistake gives what the function gave, and does to its arguments what the function did.

    With `only` this one result is compared, and nothing else.
    """
    which = "backward" if mistake.backward else "forward"
    reply, names = answer(mistake, trial)
    if reply is None:
        return only is None and trial.notes[which][0] == "raised"
    if (only is None and reply.notes != trial.notes[which]) or len(names) != len(reply.results):
        return False
    for name, result in zip(names, reply.results, strict=True):
        if only not in (None, name):
            continue
        received, magnitude = trial.received.get(name), trial.exact.magnitudes[name]
        if received is None or result.array is None or not _close(received, result.array, trial.case, magnitude):
            return False
    return True


def shows(mistake: "Mistake", trial: "Trial", only: str | None = None) -> bool:
    """Whether the judge would find in the mistake what it found in the function, in one respect at least.

    A mistake that is right in the cases tried gives the same numbers as a function that returns them as a list.
    """
    reply, names = answer(mistake, trial)
    if reply is None or len(names) != len(reply.results):
        return False
    labels = {one.label for one in examine(trial.case, reply, names, trial.exact, None)}
    return any(one.label in labels for one in trial.findings if only in (None, one.what))


def answer(mistake: "Mistake", trial: "Trial") -> tuple[Reply | None, list[str]]:
    """What the mistake answers in this case, or None if it raises, and the names of the results."""
    case = trial.case
    names = [name for name in trial.exact.values if name.startswith("the gradient") == mistake.backward]
    grad = case.grad_output(trial.exact.values["y"].shape) if mistake.backward else None
    binding = bound(case.operation, parameters(mistake.function), {}, ("grad_output",) if mistake.backward else ())
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            call = caller_of(mistake)
            reply = answered(*call(request(case, binding, "backward" if mistake.backward else "forward", grad)))
    except Exception:
        return None, names
    if mistake.backward:
        reply = without_missing(reply, [grad_name(name) for name in case.operation.floats], names)
    return reply, names


@cache
def caller_of(mistake: "Mistake") -> Caller:
    """Calls a mistake as the worker calls functions: twice, on copies, with an eye on its arguments."""
    return Caller({"forward": mistake.function, "backward": mistake.function}, "numpy")


def _close(received: np.ndarray, result: np.ndarray, case: Case, magnitude: np.ndarray | None) -> bool:
    if received.shape != result.shape:
        return False
    with np.errstate(all="ignore"):
        a, b = received.astype(np.float64), result.astype(np.float64)
        size = np.maximum(np.abs(a), np.abs(b))
        if magnitude is not None and magnitude.shape == a.shape:
            size = np.maximum(size, magnitude)
        near = np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= CLOSE * np.finfo(case.dtype).eps * size)
        return bool((near | (a == b) | (np.isnan(a) & np.isnan(b))).all())
