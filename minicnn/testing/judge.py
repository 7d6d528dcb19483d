"""`judge`: whether a function is right, and if not, what is wrong about it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minicnn.testing.case import Case
from minicnn.testing.command import Program, is_command
from minicnn.testing.diagnosis import condition
from minicnn.testing.expected import one_thread, oracle_name
from minicnn.testing.findings import KINDS, Finding
from minicnn.testing.naming import named_mistake, named_results
from minicnn.testing.operations.common import LAYOUT_ROWS
from minicnn.testing.operations.operation import Operation
from minicnn.testing.process import MEMORY, CannotTryError, Local, Process
from minicnn.testing.search import Narrowing, Search
from minicnn.testing.shrink import smallest
from minicnn.testing.target import ALIASES, Binding, How, bound, located, operation_of, title
from minicnn.testing.values import SPECIAL
from minicnn.testing.verdict import Row, Verdict
from minicnn.testing.worker import load

EXAMPLES = 480
TELLING = {"values": 3, "shape": 2, "input changed": 2, "raised": 1}
"""Kinds of findings that the verdict speaks of first if they are the more frequent, with their weights."""
NO_TENSORS = {
    "torch": ("reversed", "read-only", "unaligned"),
    "minicnn": ("unaligned",),
    "numpy": (),
    "files": tuple(LAYOUT_ROWS),
}
"""Memory layouts that tensors and files don't have."""


PAIRS = frozenset(("kernel_size", "stride", "padding", "dilation", "output_padding", "output_size"))
"""Parameters that take a pair of numbers beside one for both."""
SIZES = ("float32", "kernel sizes", "one-wide images", "block sizes", "batches", "real numbers")
"""Rows of the coverage table that `only` doesn't leave out: nothing that a function may want to do without."""


def judge(
    target: str | Callable | None,
    operation: str | None = None,
    backward: str | Callable | None = None,
    *,
    examples: int = EXAMPLES,
    seconds: float = 60.0,
    seed: int = 0,
    factor: float | None = None,
    only: Sequence[str] = (),
    takes: str = "numpy",
    mapping: Mapping[str, str] | None = None,
    timeout: float = 20.0,
    isolated: bool = True,
    without: Sequence[str] = (),
    fixed: Mapping[str, Sequence[Any]] | None = None,
    stop_at_first: bool = False,
) -> Verdict:
    """Judge an implementation of an operation.

    Args:
        target: "file.py:function", "package.module:function", a callable, or a command with IN.npz and OUT.npz in it;
            None to judge a backward alone.
        operation: its name in `minicnn.nn.functional`; the function's name tells it otherwise.
        backward: likewise; called with (grad_output, the arrays, the options), it returns the gradients.
        examples: how many cases to try.
        seconds: how long to go on, at most; cases are made so small that they fit.
        seed: of everything that is drawn.
        factor: of the rounding bound, for methods that rearrange sums. The bound is relative to the result's largest
            sum then; equality isn't demanded, nor are NaN, infinity and the limits of the dtype asked.
        only: rows of the coverage table to restrict the cases to.
        takes: what the function's arrays are: "numpy", "torch" or "minicnn".
        mapping: F's parameter names by the function's own, where they differ.
        timeout: seconds after which a call counts as hung.
        isolated: run the function in a process of its own. In this one a debugger sees it, but a crash ends everything.
        without: rows of the coverage table to leave out.
        fixed: options for the choices that cases are drawn from, such as {"dtype": ("float64",)}.
        stop_at_first: don't go on after the first finding, nor look for the smallest case.

    Raises:
        CannotTryError: the function can't be judged.
    """
    _need_hypothesis()
    started = time.monotonic()
    targets = {which: one for which, one in (("forward", target), ("backward", backward)) if one is not None}
    places = {which: _place(one) for which, one in targets.items()}
    names = [one.split(" ")[0] if isinstance(one, str) else getattr(one, "__name__", "") for one in targets.values()]
    op = operation_of(names[0], operation)
    process = _process(places, takes, timeout, isolated)
    if isinstance(process, Program):
        takes = "files"
    with one_thread():
        try:
            process.start()
            _refuse_gradient(process.parameters.get("forward"), names[0])
            bindings = _bindings(op, process.parameters, mapping or {})
            narrowing = _narrowing(op, bindings, only, without, takes, factor, fixed or {})
            search = Search(op, process, bindings, narrowing, seed, seconds, factor, stop_at_first=stop_at_first)
            search.graph = takes not in ("numpy", "files") and "backward" not in bindings and _records(search)
            if not search.asks_gradients:
                narrowing.reasons.setdefault("gradients", _why_no_gradients(takes))
            search.run(examples)
            how = How(places, bindings, takes, factor)
            return _verdict(search, title(target if target is not None else backward or ""), how, started)
        finally:
            process.stop()


def _need_hypothesis() -> None:
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise CannotTryError('judging needs hypothesis, which is not installed: pip install "minicnn[check]"') from None


def _place(target: str | Callable) -> Any:
    return target if callable(target) or is_command(target) else located(target)


def _process(places: dict[str, Any], takes: str, timeout: float, isolated: bool) -> Process | Program | Local:
    """Where the function runs, or the program that it is."""
    programs = [one for one in places.values() if is_command(one)]
    if not programs and not isolated:
        return Local({which: one if callable(one) else load(one) for which, one in places.items()}, takes)
    if not programs:
        return Process(_alike(places), takes, timeout)
    if len(programs) < len(places):
        raise CannotTryError("a program's gradients come from a program, too: --backward './mine IN.npz OUT.npz'")
    return Program(dict(places), timeout, MEMORY)


def _alike(places: dict[str, Any]) -> dict[str, Any]:
    """Targets that are all names or all callables: one callable makes the other one, too."""
    if any(callable(one) for one in places.values()):
        return {which: one if callable(one) else load(one) for which, one in places.items()}
    return places


def _bindings(operation: Operation, parameters: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Binding]:
    found = {}
    for which, names in parameters.items():
        first = ("grad_output",) if which == "backward" else ()
        mine = {own: meant for own, meant in mapping.items() if names is None or own in [name for name, *_ in names]}
        found[which] = bound(operation, names, mine, first)
    known = None if None in parameters.values() else {name for found in parameters.values() for name, *_ in found}
    strange = [own for own in mapping if known is not None and own not in known]
    if strange:
        raise CannotTryError(f"the function has no parameter {strange[0]}, which --map speaks of")
    return found


def _refuse_gradient(parameters: list | None, name: str) -> None:
    """Raise CannotTryError where what should compute an operation computes its gradient, by names."""
    first = parameters[0][0] if parameters else ""
    if first in ("grad_output", *ALIASES["grad_output"]) and ("backward" in name or "grad" in name):
        raise CannotTryError(f"{name} computes gradients; say --backward {name}")


def _narrowing(
    operation: Operation, bindings: Mapping[str, Binding], only: Sequence[str], without: Sequence[str], takes: str,
    factor: float | None, fixed: Mapping[str, Sequence[Any]],
) -> Narrowing:  # fmt: skip
    narrowing = Narrowing(fixed=dict(fixed))
    rows = [*operation.rows, *(("laws",) if operation.laws else ()), "gradients"]
    wanted = [_row(rows, name) for name in only]
    unwanted = [_row(rows, name) for name in without]
    for row in operation.unasked:
        narrowing.leave_out(operation, row, "not for this operation")
    for row in rows:
        missing = [name for name in operation.needs.get(row, ()) if any(name not in b.takes for b in bindings.values())]
        if row in unwanted or (wanted and row not in wanted and row not in SIZES):
            narrowing.leave_out(operation, row, "left out")
        elif missing:
            narrowing.leave_out(operation, row, f"no parameter {missing[0]}")
        elif row in LAYOUT_ROWS and row in NO_TENSORS[takes]:
            narrowing.leave_out(operation, row, "no such files" if takes == "files" else "no such tensors")
        elif factor is not None and row in ("NaN", "infinity", "extreme values"):
            narrowing.leave_out(operation, row, "factor given")
    for name in sorted(frozenset().union(*(b.whole for b in bindings.values())) & PAIRS):
        narrowing.leave_out(operation, "pairs", f"{name}: int")
        if name == "padding":
            narrowing.leave_out(operation, "same", "padding: int")
    for name, options in fixed.items():
        for row in rows:
            served = {value for theme in operation.themes if theme.row == row for value in theme.fixed.get(name, ())}
            if served and not served & set(options):
                narrowing.leave_out(operation, row, "left out")
    return narrowing


def _row(rows: Sequence[str], name: str) -> str:
    found = [row for row in rows if row.lower() == name.strip().lower()]
    if not found:
        raise CannotTryError(f"nothing is called {name!r}; --only takes {', '.join(rows)}")
    return found[0]


def _records(search: Search) -> bool:
    """Whether the function's result can be differentiated."""
    search.graph = True
    theme = search.operation.themes[0]
    case = search._drawn(theme, 0)
    if case is None:
        return False
    trial = search.trial(case)
    return not any("does not require grad" in one.message for one in trial.findings)


def _why_no_gradients(takes: str) -> str:
    return "no --backward" if takes in ("numpy", "files") else "no graph"


def _verdict(search: Search, name: str, how: How, started: float) -> Verdict:
    counts = Counter(label for trial in search.trials for label in {one.label for one in trial.findings})
    findings = _ranked([one for trial in search.trials for one in trial.findings], counts)
    smallest_finding = clause = mistake = None
    partly = {}
    if findings:
        label = findings[0].label
        clause = condition(search.operation, search.trials, label)
        mistake = named_mistake(search.operation, search.trials)
        partly = {} if mistake else named_results(search.operation, search.trials)
        smallest_finding = findings[0]
        if not search.stop_at_first:
            smallest_finding = smallest(search, _first(search, label), label)
    return Verdict(
        target=name,
        operation=search.operation,
        passed=not findings and bool(search.trials),
        findings=tuple(findings),
        coverage=tuple(_coverage(search)),
        cases=len(search.trials),
        examples_needed=search.first,
        mistake=mistake,
        partly=partly,
        seconds=time.monotonic() - started,
        condition=clause,
        smallest=smallest_finding,
        oracle=oracle_name(),
        how=how,
        seed=search.seed,
        in_time=search.left > 0,
        counts=counts,
    )


def _ranked(findings: list[Finding], counts: Counter) -> list[Finding]:
    """One finding of each label, the most telling kind first."""
    by_label: dict[tuple[str, str], Finding] = {}
    for one in findings:
        by_label.setdefault(one.label, one)
    totals: Counter = Counter()
    for (kind, _), count in counts.items():
        totals[kind] += count
    kinds = list(KINDS)
    often = sorted(TELLING, key=lambda kind: -TELLING[kind] * totals[kind])
    first = min(map(kinds.index, often))
    kinds = [*kinds[:first], *often, *(kind for kind in kinds[first:] if kind not in often)]
    if totals["undetermined"] and 2 * totals["undetermined"] >= totals["values"]:  # that is why numbers are wrong
        kinds.sort(key=lambda kind: kind != "undetermined")
    if any(_imprecise(one) for one in findings):
        kinds.sort(key=lambda kind: kind != "dtype")
    return sorted(by_label.values(), key=lambda one: (kinds.index(one.kind), one.what != "y"))


def _imprecise(finding: Finding) -> bool:
    """Whether a result has a dtype of fewer digits than it should, which explains wrong numbers."""
    received = finding.received
    return finding.kind == "dtype" and received is not None and received.dtype.itemsize < finding.case.dtype.itemsize


def _first(search: Search, label: tuple[str, str]) -> Finding:
    """The finding of that label in the case with the least work."""
    found = [one for trial in search.trials for one in trial.findings if one.label == label]
    return min(found, key=lambda one: _size(one.case))


def _size(case: Case) -> tuple[bool, int]:
    """What makes one case simpler to start from than another: some products, but few."""
    work = case.operation.work(case.fields)
    return not work, work


def _coverage(search: Search) -> list[Row]:
    rows = []
    for row, counts in search.operation.rows.items():
        trials = [trial for trial in search.trials if counts(trial.case.fields)]
        rows.append(_row_of(row, trials, [bool(trial.findings) for trial in trials], search))
    if search.operation.laws:
        trials = [trial for trial in search.trials if trial.law]
        rows.append(_row_of("laws", trials, [bool(trial.findings) for trial in trials], search))
    trials = [trial for trial in search.trials if trial.gradients]
    failed = [any("gradient" in one.what for one in trial.findings) for trial in trials]
    return [*rows, _row_of("gradients", trials, failed, search)]


def _row_of(name: str, trials: list, failed: list[bool], search: Search) -> Row:
    reason = search.narrowing.reasons.get(name, "")
    if not trials and not reason:
        reason = "time was up" if search.left <= 0 else "stopped" if search.over else "too few cases"
    return Row(name, len(trials), len(trials) - sum(failed), sum(failed), reason if not trials else "")


__all__ = ["EXAMPLES", "SPECIAL", "judge"]
