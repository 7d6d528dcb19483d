"""A verdict, and its text: what is wrong, the smallest case drawn, the right answer, and what was asked."""

import re
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from minicnn.testing.diagnosis import Condition
from minicnn.testing.drawing import drawn, expression
from minicnn.testing.findings import Finding
from minicnn.testing.operations.operation import Operation
from minicnn.testing.reproducer import by_itself, script
from minicnn.testing.target import How

if TYPE_CHECKING:
    from minicnn.testing.wrong.mistake import Mistake

WIDTH = 100
LINES = 25
COLUMNS = 3


@dataclass(frozen=True)
class Row:
    """One row of the coverage table: how many cases asked about an option, and if none did, why."""

    option: str
    cases: int
    passed: int
    failed: int
    not_asked_because: str = ""

    def __str__(self) -> str:
        if not self.cases:
            return f"{self.option:<15} not asked: {self.not_asked_because}"
        return f"{self.option:<15}{self.cases:>5}{self.passed:>5}{self.failed or '–':>4}"


@dataclass(frozen=True)
class Verdict:
    """What the judge found.

    Attributes:
        target: what was judged.
        operation: what it should compute.
        passed: whether nothing is wrong.
        findings: one of each kind, the most telling first.
        coverage: the rows of the closing table.
        cases: how many were tried.
        examples_needed: how many were until the first finding; None if there is none.
        mistake: the known mistake whose answers equal the function's in every case.
        partly: where there is none, the known mistakes that explain single results, by name.
        seconds: that it took.
        condition: when the first finding shows.
        smallest: the first finding in the smallest case.
        oracle: who gave the right answers.
        how: how the function was reached.
        seed: of everything drawn.
        in_time: whether all cases were tried before time was up.
        counts: how many cases showed each finding, by its label.
    """

    target: str
    operation: Operation
    passed: bool
    findings: tuple[Finding, ...]
    coverage: tuple[Row, ...]
    cases: int
    examples_needed: int | None
    mistake: "Mistake | None"
    seconds: float
    condition: Condition | None
    smallest: Finding | None
    oracle: str
    how: How
    seed: int
    in_time: bool
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    partly: "Mapping[str, Mistake]" = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What is wrong, in one or two sentences."""
        if self.passed:
            return f"{self.target} is right in all {self.cases} cases."
        if not self.findings:
            return f"{self.target} was asked nothing."
        first = self.smallest or self.findings[0]
        assert self.condition is not None
        told = f"{self.target} is wrong {self.condition.sentence}: {first.message}"
        if first.place:
            told += f" ({first.place})"
        mistake = self.mistake or self.partly.get(first.what)
        if mistake is not None:
            told += f".\nThis is {mistake.sentence}"
        return told if told.endswith("?") else told.rstrip(".") + "."

    def text(self, reproducer: Path | None = None) -> str:
        """The verdict for a person: at most about 25 lines of 100 columns."""
        for rows in (8, 6, 5, 4):
            lines = self._lines(reproducer, rows)
            if len(lines) <= LINES:
                break
        return "\n".join(lines)

    def _lines(self, reproducer: Path | None, rows: int) -> list[str]:
        lines = _wrapped(self.sentence)
        for other in self.findings[1:3]:
            also = f"Also, in {cases(self.counts[other.label])}: {other.message.rstrip('.')}."
            mistake = self.partly.get(other.what)
            lines += _wrapped(also if mistake is None else f"{also} This is {mistake.sentence.rstrip('.')}.")
        if self.smallest is not None:
            lines += ["", *drawn(self.smallest, WIDTH, rows)]
            lines += _wrapped(f"In PyTorch: {expression(self.smallest)}", "  ")
        lines += ["", *self.table()]
        end = f"{cases(self.cases)}, {self.oracle}, seed {self.seed}, {self.seconds:.1f} s"
        lines += _wrapped(end if self.in_time else f"{end}; time was up before all cases were tried")
        if reproducer is not None and self.smallest is not None:
            alone = by_itself(self.smallest, self.how)
            lines.append(f"Reproduce: python {reproducer}" + ("" if alone else " (first put the function into it)"))
        return lines

    def reproducer(self) -> str | None:
        """The text of a script that shows the mistake; None if there is none."""
        return None if self.smallest is None else script(self.smallest, self.sentence, self.how)

    def write_reproducer(self, path: Path | None = None) -> Path | None:
        """Write the script that shows the mistake, among temporary files if no path is given; None if there is none.

        Raises:
            OSError: it can't be written.
        """
        text = self.reproducer()
        if text is None:
            return None
        name = re.sub(r"\W+", "_", self.target).strip("_")[:80]
        path = path or Path(tempfile.gettempdir()) / f"minicnn_check_{name}.py"
        path.write_text(text)
        return path

    def table(self) -> list[str]:
        """The coverage table, in several columns; what wasn't asked comes below."""
        asked = [row for row in self.coverage if row.cases]
        height = -(-len(asked) // COLUMNS)
        columns = [asked[i * height : (i + 1) * height] for i in range(COLUMNS)]
        head = f"{'':<15}{'cases':>5}{'pass':>5}{'fail':>5}"
        lines = ["   ".join(head for column in columns if column)] if asked else []
        for i in range(height):
            cells = [f"{row.option:<15}{row.cases:>5}{row.passed:>5}{row.failed or '–':>5}"
                     for column in columns for row in column[i : i + 1]]  # fmt: skip
            lines.append("   ".join(cells))
        reasons: dict[str, list[str]] = {}
        for row in self.coverage:
            if not row.cases:
                reasons.setdefault(row.not_asked_because, []).append(row.option)
        told = "; ".join(f"{', '.join(rows)} ({reason})" for reason, rows in reasons.items())
        left = sorted({name for binding in self.how.bindings.values() for name in binding.left})
        if left and told:
            told += f". Left at its default: {', '.join(left)}; --map {left[0]}=OPTION says what it is"
        return lines + (_wrapped(f"Not asked: {told}") if told else [])


def cases(count: int) -> str:
    """So many cases, in words."""
    return f"{count} case{'s' * (count != 1)}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return [part for line in text.splitlines() for part in textwrap.wrap(line, WIDTH, subsequent_indent=indent) or [""]]
