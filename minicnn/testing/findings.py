"""What is wrong about an answer: every way in which it can be, found by looking at it beside the expected one."""

from dataclasses import dataclass, field

import numpy as np

from minicnn.testing.bounds import C, scaled_error
from minicnn.testing.case import Case
from minicnn.testing.expected import Expected, factor_of
from minicnn.testing.process import Reply, Result

KINDS = (
    "exited", "died", "hung", "memory", "type", "count", "values", "shape", "input changed", "raised", "undetermined",
    "previous", "alias", "overrun", "dtype", "law",
)  # fmt: skip
"""Kinds of findings, the most telling first."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong about an answer.

    Attributes:
        kind: out of KINDS.
        what: the result that is wrong, such as "y"; or the input that was changed.
        message: a clause, such as "it returned float64 where the arrays are float32".
        case: what was asked.
        received, wanted: arrays, where values differ; `wrong` marks where.
        place: the line of the judged file that raised.
        which: "forward" or "backward": which of the two was called.
    """

    kind: str
    what: str
    message: str
    case: Case
    received: np.ndarray | None = None
    wanted: np.ndarray | None = None
    wrong: np.ndarray | None = None
    place: str = field(default="", compare=False)
    which: str = field(default="forward", compare=False)

    @property
    def label(self) -> tuple[str, str]:
        """Findings of one label are about one mistake."""
        return self.kind, self.what


def examine(case: Case, reply: Reply, names: list[str], exact: Expected, factor: float | None) -> list[Finding]:
    """All findings about a reply.

    Args:
        case: what was asked.
        reply: what came of it.
        names: the results that were asked for, by the names they have in `exact`.
        exact: the right ones.
        factor: of the rounding bound, if the function's author states one.
    """
    if reply.outcome != "answered":
        return [Finding(reply.outcome, "y", reply.message, case, place=reply.place)]
    found = [Finding("input changed", name, f"it changes its argument {name}", case) for name in reply.changed]
    found += [Finding("overrun", name, f"it writes outside of {name}", case) for name in reply.overrun]
    if not case.operation.views:
        found += [
            Finding("alias", name, f"what it returns lies in the memory of its argument {name}", case)
            for name in reply.aliases
        ]
    if reply.previous:
        message = "what it returns lies in the memory of what it returned before, which changes with every call"
        found.append(Finding("previous", "y", message, case))
    results = dict(_named(reply, names))
    if None in results or len(results) != len(names):
        message = f"it returns {len(reply.results)} results, expected {len(names)}: {', '.join(names)}"
        return [*found, Finding("count", "y", message, case)]
    wrong = []
    for name in names:
        wrong += judge_result(case, name, results[name], exact, factor)
    if reply.again is not None:
        wrong += _undetermined(case, reply, names, exact, factor, bool(wrong))
    return wrong + found


def _named(reply: Reply, names: list[str]) -> list[tuple[str | None, Result]]:
    """Results by name; in order where they came without."""
    if reply.keys is None:
        return list(
            zip(names if len(names) == len(reply.results) else [None] * len(names), reply.results, strict=False)
        )
    known = {name.rpartition(" ")[2]: name for name in names}
    found: list[tuple[str | None, Result]] = []
    for key, result in zip([*reply.keys, *names[len(reply.keys) :]], reply.results, strict=False):
        found.append((known.get(key.rpartition(" ")[2].removeprefix("grad_")), result))
    return found


def judge_result(case: Case, name: str, result: Result, exact: Expected, factor: float | None) -> list[Finding]:
    """What is wrong about one result."""
    wanted = exact.values[name]
    subject = "it" if name == "y" else name
    if result.array is None or result.type != "ndarray":
        if _scalar(result, wanted):
            return []
        return [Finding("type", name, _type_message(subject, result), case)]
    received, found = result.array, []
    if received.dtype != case.dtype:
        message = f"{_returns(subject)} {received.dtype} where the arrays are {case.dtype}"
        found.append(Finding("dtype", name, message, case, received))
    if received.shape != wanted.shape:
        message = f"{_returns(subject)} shape {received.shape}, expected {wanted.shape}"
        return [*found, Finding("shape", name, message, case, received, wanted)]
    if received.dtype.kind == "c":
        return found
    wrong = wrong_elements(case, received, wanted, exact.magnitudes[name], factor)
    if wrong.any():
        message = f"{name} has wrong numbers"
        found.insert(0, Finding("values", name, message, case, received, wanted, wrong))
    return found


def wrong_elements(
    case: Case, received: np.ndarray, wanted: np.ndarray, magnitude: np.ndarray | None, factor: float | None
) -> np.ndarray:
    """Where a result leaves the scaled bound, or differs at all where every sum is exact."""
    with np.errstate(all="ignore"):
        rounded = wanted.astype(case.dtype)
        same = (received == rounded) | (np.isnan(received) & np.isnan(wanted))
        error = np.abs(received.astype(np.float64) - wanted)
        return ~(same | (error <= allowed_error(case, wanted, magnitude, factor)))


def allowed_error(case: Case, wanted: np.ndarray, magnitude: np.ndarray | None, factor: float | None) -> np.ndarray:
    """How far each number of a result may be off: zero where every sum is exact, unless a factor is stated."""
    if magnitude is None and factor is None:
        return np.zeros(wanted.shape)
    size = np.abs(wanted) if magnitude is None else magnitude
    if factor is not None:  # what rearranges sums mixes them: an error is as large as the largest of them
        size = np.full(wanted.shape, size.max(initial=0))
    info = np.finfo(case.dtype)
    lost = max(C, case.operation.terms(case.fields)) * info.smallest_subnormal  # where eps says nothing any more
    with np.errstate(all="ignore"):
        return np.broadcast_to(factor_of(case, factor) * info.eps * size + lost, wanted.shape)


def error_of(case: Case, received: np.ndarray, exact: Expected) -> float:
    """The scaled error of a value, for the search to climb."""
    magnitude = exact.magnitudes["y"]
    if magnitude is None or received.shape != exact.values["y"].shape:
        return 0.0
    return min(scaled_error(received, exact.values["y"], magnitude, case.dtype), 1e6)


def _returns(subject: str) -> str:
    return "it returns" if subject == "it" else f"{subject} has"


def _scalar(result: Result, wanted: np.ndarray) -> bool:
    return wanted.ndim == 0 and result.type in ("float", "int") and result.array is not None


def _type_message(subject: str, result: Result) -> str:
    if result.type == "NoneType":
        return "it returns nothing (None); is a return missing?" if subject == "it" else f"{subject} is None"
    kind = {"list": "a list", "numpy.ma.MaskedArray": "a masked array"}.get(result.type.split(" of ")[0])
    kind = kind or f"a {result.type}"
    return f"{'it returns' if subject == 'it' else subject + ' is'} {kind}, not an array"


def _undetermined(
    case: Case, reply: Reply, names: list[str], exact: Expected, factor: float | None, already: bool
) -> list[Finding]:
    """Whether two calls gave answers so different that not both are right, or that have different types."""
    message = "two calls with the same arrays give different answers"
    again = reply.again or ()
    if already:
        return [Finding("undetermined", "y", message, case)]
    for name, result in zip(names, again, strict=False):
        if judge_result(case, name, result, exact, factor):
            return [Finding("undetermined", "y", message, case)]
    return []
