"""The search for cases that a function gets wrong: theme by theme, then at random, then steered by the error."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.testing.case import Case, built
from minicnn.testing.choices import Choices, generator
from minicnn.testing.command import Program
from minicnn.testing.expected import Expected, expected, grad_name
from minicnn.testing.findings import Finding, error_of, examine, judge_result
from minicnn.testing.laws import Law, adjoint_gap
from minicnn.testing.operations.operation import Operation, Theme
from minicnn.testing.process import Local, Process, Reply, Result, without_missing
from minicnn.testing.target import Binding, request
from minicnn.testing.values import SPECIAL

LARGEST = 2**17
"""Products in the largest cases."""
ENDINGS = 3
"""After so many crashes or hangs the search is over."""
REDRAWS = 60


class _NoAnswer(Exception):  # noqa: N818  (it never leaves this module)
    """A function failed where a law asked it."""


@dataclass(frozen=True)
class Trial:
    """A case that was tried.

    Attributes:
        case: what was asked.
        findings: what is wrong.
        gradients: whether gradients were asked too.
        received: the results by name, those that are arrays.
        exact: the right ones.
        law: the law that was asked, too.
        notes: what else is peculiar about the calls, for the function and for its backward.
    """

    case: Case
    findings: tuple[Finding, ...]
    gradients: bool
    received: Mapping[str, np.ndarray]
    exact: Expected
    notes: Mapping[str, tuple]
    law: str = ""

    def fails(self, label: tuple[str, str]) -> bool:
        """Whether there is a finding of that label."""
        return any(one.label == label for one in self.findings)


@dataclass
class Narrowing:
    """What isn't asked: by row of the coverage table the reason, and the choices that are fixed for it."""

    reasons: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, Sequence[Any]] = field(default_factory=dict)

    def leave_out(self, operation: Operation, row: str, reason: str) -> None:
        """Ask nothing of a row."""
        self.reasons.setdefault(row, reason)
        for name, options in operation.narrow.get(row, {}).items():
            allowed = [one for one in self.fixed.get(name, options) if one in options]
            self.fixed[name] = allowed or options

    def allows(self, operation: Operation, fields: Mapping[str, Any]) -> bool:
        """Whether no row that a case counts in is left out."""
        return not any(operation.rows[row](fields) for row in self.reasons if row in operation.rows)


@dataclass
class Search:
    """Asks a function case after case and keeps what came of it.

    Attributes:
        operation: what it should compute.
        process: where it runs.
        bindings: how its forward and its backward are called; a missing one isn't asked.
        narrowing: what isn't asked.
        seed: of everything drawn.
        seconds: when to stop.
        factor: of the rounding bound, if stated.
        graph: the arrays to differentiate, where the function records a graph itself.
    """

    operation: Operation
    process: Process | Program | Local
    bindings: Mapping[str, Binding]
    narrowing: Narrowing
    seed: int = 0
    seconds: float = 60.0
    factor: float | None = None
    graph: bool = False
    stop_at_first: bool = False
    trials: list[Trial] = field(default_factory=list)
    endings: int = 0
    first: int | None = None
    started: float = field(default_factory=time.monotonic)
    _fixed_most: int | None = None
    _most: int = LARGEST
    _slow: int = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.started)

    @property
    def over(self) -> bool:
        """Whether to stop: time is up, or the function ended its process too often."""
        return self.left <= 0 or self.endings >= ENDINGS or (self.stop_at_first and self.first is not None)

    @property
    def most(self) -> int:
        """How many products a case may have; fewer once cases took more than a hundredth of the time."""
        return self._most if self._fixed_most is None else self._fixed_most

    def _learn(self, seconds: float, work: int) -> None:
        """Make cases smaller if calls are slow: of a fast function, how fast the machine is decides about no case."""
        allowed = self.seconds / 100
        self._slow += seconds > allowed
        if seconds > 4 * allowed or (seconds > allowed and self._slow > 1):  # one that is a little late is chance
            while self._most > max(2**9, allowed / seconds * work):
                self._most //= 4

    def run(self, examples: int) -> None:
        """Try about so many cases."""
        steered, times = examples // 8, max(1, examples // 160)
        lawful = times * len(self.operation.laws) if self._lawful else 0
        for theme, turn in self._plan(max(1, examples - steered - lawful)):
            if self.over:
                return
            case = self._drawn(theme, turn)
            if case is not None:
                self.record(self.trial(case))
        if lawful:
            self._ask_laws(times)
        if not self.over and steered:
            self._steer(steered)

    @property
    def _lawful(self) -> bool:
        return "laws" not in self.narrowing.reasons and "forward" in self.bindings

    def _ask_laws(self, times: int) -> None:
        """A few cases for every law, and for adjointness of the gradients."""
        for number, law in enumerate(self.operation.laws):
            asked = all(name in self.bindings["forward"].takes for name in law.needs)
            theme = Theme("laws", times, ("PH", "PW", "SH", "SW", "KH", "KW"), law.fixed)
            for turn in range(times if asked else 0):
                rng = generator(self.seed, "law", number, turn)
                case = self.draft(rng.choice, theme)
                if case is None or self.over or not _within(case, law):
                    continue
                trial = self.trial(case)
                broken = [] if trial.findings else self._broken(law, trial)
                self.record(dataclasses.replace(trial, law=law.name, findings=(*trial.findings, *broken)))

    def _broken(self, law: Law, trial: Trial) -> list[Finding]:
        """What a law has against a function that answered well, if anything.

        The case of the finding is the one on the way that the function gets wrong by the oracle, too, if there is one.
        """
        case = trial.case
        answers: list[tuple[Case, np.ndarray]] = []

        def call(arrays: Mapping[str, Any], options: Mapping[str, Any]) -> np.ndarray:
            other = dataclasses.replace(case, arrays=arrays, options=options)
            reply = self._ask(case, request(other, self.bindings["forward"], "forward"))
            if reply.outcome != "answered" or reply.results[0].array is None:
                raise _NoAnswer(reply.message or f"it returns a {reply.results[0].type}")
            answers.append((other, reply.results[0].array))
            return reply.results[0].array

        try:
            left, right = law.sides(call, case.arrays, case.options)
        except _NoAnswer as error:
            return [Finding("law", law.name, f"on its way to {law.name} it fails: {error}", case)]
        size = 4 * np.finfo(case.dtype).eps * np.abs(right).max(initial=1)
        slack = 0.0 if self.factor is None else self.factor * size
        if left.shape != right.shape or not (np.abs(left.astype(np.float64) - right) <= slack).all():
            wrong = Finding("law", law.name, f"it breaks {law.name}: {law.equation}", case)
            return [next(filter(None, (self._by_the_oracle(wrong, *one) for one in answers)), wrong)]
        if self.operation.bilinear and trial.gradients and case.arrays["bias"] is None and self.factor is None:
            grad = case.grad_output(trial.exact.values["y"].shape)
            arrays = {name: array for name, array in case.arrays.items() if array is not None}
            gap = adjoint_gap(arrays, trial.received["y"], grad, trial.received)
            return [Finding("law", "adjointness", gap, case)] if gap else []
        return []

    def _by_the_oracle(self, finding: Finding, case: Case, received: np.ndarray) -> Finding | None:
        """The finding with an answer that led to it, if that is wrong by itself."""
        exact = expected(case, False, self.factor)
        found = judge_result(case, "y", Result("ndarray", received), exact, self.factor)
        if not found:
            return None
        wanted, wrong = exact.values["y"], found[0].wrong
        return dataclasses.replace(finding, case=case, received=received, wanted=wanted, wrong=wrong)

    def record(self, trial: Trial) -> None:
        """Keep what came of a case."""
        self.trials.append(trial)
        if trial.findings and self.first is None:
            self.first = len(self.trials)
        self.endings += any(one.kind in ("died", "hung", "memory") for one in trial.findings)

    def trial(self, case: Case) -> Trial:
        """Ask one case: the oracle first, on copies of its own, then the function."""
        gradients = self.asks_gradients and case.fields["values"] not in SPECIAL
        exact = expected(case, gradients, self.factor)
        names = list(exact.values)
        findings: list[Finding] = []
        received: dict[str, np.ndarray] = {}
        notes = {}
        forward = [name for name in names if not name.startswith("the gradient")]
        if "forward" in self.bindings:
            reply = self._ask(case, request(case, self.bindings["forward"], "forward"))
            findings += examine(case, reply, forward, exact, self.factor)
            notes["forward"] = reply.notes
            received |= _arrays(forward, reply)
        if gradients:
            grad = case.grad_output(exact.values["y"].shape)
            wanted = [grad_name(name) for name in self.operation.floats if case.arrays[name] is not None]
            if "backward" in self.bindings:
                asked = request(case, self.bindings["backward"], "backward", grad)
                offered = [grad_name(n) for n in self.operation.floats if n in self.bindings["backward"].takes]
            else:
                graph = tuple(name for name in self.operation.floats if case.arrays[name] is not None)
                asked, offered = request(case, self.bindings["forward"], "forward", grad, graph), wanted
            reply = self._ask(case, asked)
            if "backward" in self.bindings:
                reply = reply.with_keys(self.bindings["backward"].own)
            reply = without_missing(reply, offered, wanted)
            for one in examine(case, reply, wanted, exact, self.factor):
                what = "the gradients" if one.what == "y" else one.what
                findings.append(dataclasses.replace(one, what=what, which="backward"))
            received |= _arrays(wanted, reply)
            notes["backward"] = reply.notes
        return Trial(case, tuple(findings), gradients, received, exact, notes)

    @property
    def asks_gradients(self) -> bool:
        """Whether there is anything to differentiate with."""
        return "gradients" not in self.narrowing.reasons and ("backward" in self.bindings or self.graph)

    def _ask(self, case: Case, asked: dict[str, Any]) -> Reply:
        reply = self.process.ask(asked, patience=3.0 if not self.trials else 1.0)
        if reply.outcome == "hung" and not self.endings:  # it may have been compiling
            reply = self.process.ask(asked, patience=3.0)
        if reply.outcome == "answered" and len(self.trials) > 2:  # the first calls may compile
            self._learn(reply.seconds, self.operation.work(case.fields))
        return reply

    def _plan(self, examples: int) -> Iterator[tuple[Theme, int]]:
        """Themes with the number of their case, in rounds, so that all have had a turn when time is up."""
        themes = [one for one in self.operation.themes if one.row not in self.narrowing.reasons]
        if not themes:
            return
        usual = sum(one.count for one in themes)
        counts = [max(1, round(one.count * min(1.0, examples / usual))) for one in themes]
        done = 0
        for turn in range(max(counts)):
            for theme, count in zip(themes, counts, strict=True):
                if turn < count and done < examples:
                    done += 1
                    yield theme, turn
        mixed = themes[-1]
        for turn in range(examples - done):
            yield mixed, mixed.count + turn

    def _drawn(self, theme: Theme, turn: int) -> Case | None:
        """A theme's case; None if the theme has none that may be asked."""
        number = self.operation.themes.index(theme)
        for attempt in range(REDRAWS):
            rng = generator(self.seed, number, turn, attempt)
            case = self.draft(rng.choice, theme, turn)
            if case is not None:
                return case
        return None

    def draft(self, pick: Callable, theme: Theme, turn: int | None = None) -> Case | None:
        """A case out of what `pick` picks; None if it isn't one that may be asked."""
        turns = {} if turn is None else {name: (every[turn % len(every)],) for name, every in theme.each.items()}
        fixed = {**theme.fixed, **turns, **self.narrowing.fixed}
        choose = Choices(pick, frozenset(theme.wide), fixed, self.most)
        fields = self.operation.draft(choose)
        if not self.narrowing.allows(self.operation, fields):
            return None
        return built(self.operation, fields, theme.row)

    def _steer(self, examples: int) -> None:
        """Let hypothesis climb towards cases with large errors."""
        from hypothesis import HealthCheck, Phase, given, seed, settings, target
        from hypothesis import strategies as st

        free = Theme("mixed", 0, ("*",), {"values": ("normals", "reals", "normals", "integers")})
        quiet = settings(
            max_examples=examples, deadline=None, database=None, derandomize=False,
            phases=(Phase.generate, Phase.target), suppress_health_check=list(HealthCheck),
        )  # fmt: skip

        @seed(self.seed)
        @quiet
        @given(st.data())
        def climb(data: Any) -> None:
            case = self.draft(lambda options: data.draw(st.sampled_from(options)), free)
            if case is None or self.over:  # what is drawn may not depend on the time left
                return
            trial = self.trial(case)
            self.record(trial)
            if "y" in trial.received:
                target(error_of(case, trial.received["y"], trial.exact), label="scaled error")

        self._fixed_most = self.most  # what hypothesis draws from may not change on the way
        climb()


def _within(case: Case, law: Law) -> bool:
    """Whether a case is one in which the law holds, although choices were fixed for other reasons."""
    return all(case.fields[name] in options for name, options in law.fixed.items() if name in case.fields)


def _arrays(names: Iterable[str], reply: Reply) -> dict[str, np.ndarray]:
    return {name: result.array for name, result in zip(names, reply.results, strict=False) if result.array is not None}
