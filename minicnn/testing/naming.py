"""Which known mistake a function makes: the one whose answers equal the function's in every case tried."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.testing.case import Case
from minicnn.testing.expected import grad_name

if TYPE_CHECKING:
    from minicnn.testing.operations.operation import Operation
    from minicnn.testing.search import Trial
    from minicnn.testing.wrong.mistake import Mistake

FAILING, PASSING = 30, 30
"""So many cases of each kind are compared."""
CLOSE = 64.0
"""Two implementations of one mistake lie so many eps · magnitude apart at most."""


def named_mistake(operation: "Operation", trials: Sequence["Trial"]) -> "Mistake | None":
    """The known mistake that explains every answer, right ones and wrong ones."""
    try:
        from minicnn.testing.wrong import MISTAKES
    except ImportError:
        return None
    about_gradients = not any(one.what == "y" for trial in trials for one in trial.findings)
    shown = [trial for trial in trials if trial.received and (trial.gradients or not about_gradients)]
    failing = [trial for trial in shown if trial.findings][:FAILING]
    passing = [trial for trial in shown if not trial.findings]
    passing = passing[:: max(1, len(passing) // PASSING)][:PASSING]
    for mistake in MISTAKES:
        fits = mistake.operation == operation.name and mistake.backward == about_gradients
        if fits and failing and all(same_answer(mistake, trial) for trial in failing + passing):
            return mistake
    return None


def same_answer(mistake: "Mistake", trial: "Trial") -> bool:
    """Whether the mistake gives what the function gave."""
    case = trial.case
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = _asked(mistake, case, trial)
    except Exception:
        return False
    for name, result in results.items():
        received = trial.received.get(name)
        if received is None or not _close(received, np.asarray(result), case, trial.exact.magnitudes[name]):
            return False
    return True


def _asked(mistake: "Mistake", case: Case, trial: "Trial") -> dict[str, Any]:
    arrays = [None if a is None else np.array(a, order="C") for a in case.arrays.values()]
    if not mistake.backward:
        return {"y": mistake.function(*arrays, **case.options)}
    grad = np.array(case.grad_output(trial.exact.values["y"].shape), order="C")
    results = mistake.function(grad, *arrays, **case.options)
    floats = [name for name in case.operation.floats if case.arrays[name] is not None]
    if isinstance(results, dict):
        return {grad_name(name): results[name] for name in floats}
    results = results if isinstance(results, tuple) else (results,)
    if len(results) == len(case.operation.floats):
        results = [one for name, one in zip(case.operation.floats, results, strict=True) if name in floats]
    return {grad_name(name): one for name, one in zip(floats, results, strict=True)}


def _close(received: np.ndarray, result: np.ndarray, case: Case, magnitude: np.ndarray | None) -> bool:
    if received.shape != result.shape:
        return False
    with np.errstate(all="ignore"):
        a, b = received.astype(np.float64), result.astype(np.float64)
        size = np.maximum(np.abs(a), np.abs(b))
        if magnitude is not None and magnitude.shape == a.shape:
            size = np.maximum(size, magnitude)
        near = np.abs(a - b) <= CLOSE * np.finfo(case.dtype).eps * size
        return bool((near | (a == b) | (np.isnan(a) & np.isnan(b))).all())
