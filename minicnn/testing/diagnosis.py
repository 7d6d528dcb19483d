"""When a function is wrong: the shortest condition that holds in every failing case and in no passing one."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minicnn.testing.operations.operation import Operation
    from minicnn.testing.search import Trial

MULTIPLES = (16, 8, 4, 32, 2)


MOSTLY = 0.8
"""The share of failing cases that a condition must explain if none explains all."""
FEW = 3
"""A mistake may show only where numbers are so small, or where they are large."""


@dataclass(frozen=True)
class Condition:
    """When a mistake shows.

    Attributes:
        text: such as 'padding="same" and an even kernel'; empty if nothing tells the failing cases apart.
        failed: in how many cases it is wrong.
        among: how many of these are among those in which the condition holds; held: how many those are.
        tried: how many cases there were.
    """

    text: str
    failed: int
    among: int
    held: int
    tried: int

    @property
    def sentence(self) -> str:
        """The condition as the end of "It is wrong …"."""
        if self.failed == self.tried:
            return f"in every case ({self.failed} of {self.tried})"
        if not self.text:
            return f"in {self.failed} of {self.tried} cases"
        if self.among < self.failed:
            such = f"{self.among} of {self.held} such cases, and {self.failed - self.among} others"
            return f"mostly with {self.text} ({such})"
        of = f"in all {self.held}" if self.failed == self.held else f"in {self.failed} of {self.held}"
        return f"with {self.text} ({of} such cases, and in no other)"


def condition(operation: "Operation", trials: Sequence["Trial"], label: tuple[str, str]) -> Condition:
    """What the cases that show a finding have in common that no passing case has."""
    about_gradients = "gradient" in label[1]
    asked = [trial for trial in trials if trial.gradients or not about_gradients]
    failing = [trial.case.fields for trial in asked if trial.fails(label)]
    passing = [trial.case.fields for trial in asked if not trial.findings]
    fields = failing + passing
    chosen: tuple[str, ...] = ()
    known = phrases(operation, fields, failing)
    held = {phrase: np.array([bool(holds(one)) for one in fields]) for phrase, holds in known.items()}
    count = len(failing)
    for share in (1.0, MOSTLY):
        table = {
            phrase: values
            for phrase, values in held.items()
            if values[:count].mean() >= share and not values[count:].all()
        }
        chosen = _fewest({phrase: values[count:] for phrase, values in table.items()}, count / 5)
        if chosen:
            break
    kept = np.logical_and.reduce([held[phrase] for phrase in chosen]) if chosen else np.ones(len(fields), bool)
    return Condition(joined(chosen), count, int(kept[:count].sum()), int(kept.sum()), len(fields))


def phrases(
    operation: "Operation", fields: Sequence[Mapping[str, Any]], failing: Sequence[Mapping[str, Any]]
) -> dict[str, Callable[[Mapping[str, Any]], bool]]:
    """Everything a condition can be made of: the operation's features, the dtype, and thresholds for its numbers."""
    found = dict(operation.features)
    for dtype in ("float32", "float64"):
        found[f"{dtype} arrays"] = partial(_of_dtype, dtype)
    for name, word in operation.counts.items():
        least = min((one[name] for one in failing), default=0)
        most = max((one[name] for one in failing), default=0)
        if least == most > 1:
            found[f"exactly {least} {word}"] = partial(_exactly, name, least)
        if least > 1:
            found[f"{least} or more {word}"] = partial(_at_least, name, least)
        if most <= FEW < max((one[name] for one in fields), default=0):
            found[f"{most} or fewer {word}" if most else f"no {word}"] = partial(_at_most, name, most)
        for m in MULTIPLES if least > 1 and name in operation.blocks else ():
            found[f"a number of {word} that is no multiple of {m}"] = partial(_no_multiple, name, m)
    return found


def _of_dtype(dtype: str, f: Mapping[str, Any]) -> bool:
    return f["dtype"] == dtype


def _at_least(name: str, least: int, f: Mapping[str, Any]) -> bool:
    return f[name] >= least


def _at_most(name: str, most: int, f: Mapping[str, Any]) -> bool:
    return f[name] <= most


def _exactly(name: str, number: int, f: Mapping[str, Any]) -> bool:
    return f[name] == number


def _no_multiple(name: str, m: int, f: Mapping[str, Any]) -> bool:
    return f[name] % m != 0


def _fewest(table: Mapping[str, np.ndarray], few: float) -> tuple[str, ...]:
    """The phrases, at most three, that together hold in the fewest passing cases; fewer phrases where they do as well.

    Args:
        table: by phrase, in which passing cases it holds.
        few: so many passing cases that look alike are chance.
    """
    if not table:
        return ()
    best: tuple[str, ...] = min(((one,) for one in table), key=lambda one: table[one[0]].sum())
    left = int(table[best[0]].sum())
    if left > few:
        likely = sorted(table, key=lambda one: table[one].sum())[:40]
        rank = {one: place for place, one in enumerate(table)}
        pair = min(
            itertools.combinations(likely, 2),
            key=lambda two: ((table[two[0]] & table[two[1]]).sum(), rank[two[0]] + rank[two[1]]),
            default=best,
        )
        both = np.logical_and.reduce([table[one] for one in pair])
        if both.sum() < 0.7 * left:
            best, left = pair, int(both.sum())
            third = min(likely, key=lambda one: (both & table[one]).sum())
            if left > few and (both & table[third]).sum() < 0.5 * left:
                best = (*best, third)
    return tuple(sorted(best, key=list(table).index))


def joined(words: Sequence[str]) -> str:
    """Words with commas and "and" between them."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
