"""The smallest case that still shows a mistake: every part of a case made simpler for as long as the finding stays."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.testing.case import Case, built, place_of
from minicnn.testing.findings import Finding
from minicnn.testing.search import Search
from minicnn.testing.values import placed

SIMPLEST = {
    "layout": "contiguous", "laid": "all", "dtype": "float32", "values": "nonzero", "pairs": False, "bias": False,
}  # fmt: skip
"""Of the words among the fields."""
ORDER = ("pairs", "layout", "dtype", "values", "bias", "laid")
ASKS = 700
SECONDS = 10.0


class Shrinker:
    """Tries simpler cases, as many as there is time for."""

    def __init__(self, search: Search, label: tuple[str, str]) -> None:
        self.search, self.label = search, label
        self.left = ASKS
        self.until = time.monotonic() + min(SECONDS, max(search.seconds / 4, 2.0))

    def finding(self, case: Case | None) -> Finding | None:
        """The finding in a case, if it is there too."""
        if case is None or self.left <= 0 or time.monotonic() > self.until:
            return None
        self.left -= 1
        if not self.search.narrowing.allows(self.search.operation, case.fields):
            return None
        return next((one for one in self.search.trial(case).findings if one.label == self.label), None)

    def of_fields(self, best: Finding) -> Finding:
        """Simpler words and smaller numbers, until none helps any more."""
        progress = True
        while progress:
            progress = False
            for name in self._names(best.case):
                while (found := self._with_simpler(name, best.case)) is not None:
                    best, progress = found, True
            for fields in together(best.case):
                found = self.finding(built(self.search.operation, fields, best.case.theme))
                if found is not None:
                    best, progress = found, True
                    break
        return best

    def _with_simpler(self, name: str, case: Case) -> Finding | None:
        """The finding with one field simpler."""
        for value in simpler(name, case):
            for more in (0, 1):  # other numbers, too: these may hide the mistake by chance
                fields = {**case.fields, name: value, "seed": case.fields["seed"] + more}
                found = self.finding(built(self.search.operation, fields, case.theme))
                if found is not None:
                    return found
        return None

    def of_values(self, best: Finding) -> Finding:
        """Zeros, then ones, instead of other numbers: half an array at a time, then one by one."""
        for name, array in list(best.case.arrays.items()):
            if array is None or array.dtype.kind != "f" or self.search.operation.values is not None:
                continue
            for new in (0, 1):
                size = max(array.size // 2, 1)
                while size and self.left > 0:
                    for start in range(0, array.size, size):
                        found = self.finding(with_values(best.case, name, slice(start, start + size), new))
                        best = found or best
                    size //= 2
        return best

    def _names(self, case: Case) -> list[str]:
        numbers = [name for name, value in case.fields.items() if name not in ORDER and name != "seed"]
        return [*(name for name in ORDER if name in case.fields), *numbers]


def smallest(search: Search, finding: Finding, label: tuple[str, str]) -> Finding:
    """The finding in the smallest case that can be found in a few seconds."""
    shrinker = Shrinker(search, label)
    if finding.kind in ("hung", "memory"):
        shrinker.left = 6  # each costs seconds
    finding = shrinker.of_fields(finding)
    return shrinker.of_values(finding) if finding.kind == "values" else finding


def simpler(name: str, case: Case) -> Iterator[Any]:
    """Values to try instead of a field's, the simplest first."""
    value = case.fields[name]
    if name in SIMPLEST:
        if value != SIMPLEST[name]:
            yield SIMPLEST[name]
        return
    least = case.operation.least.get(name, 1)
    if isinstance(value, bool):
        if value:
            yield False
    elif isinstance(value, int):
        if name == "N" and not value:
            yield 1
        for smaller in dict.fromkeys((least, value // 2, value - 1)):
            if least <= smaller < value:
                yield smaller
    elif name in case.operation.simplest and value != case.operation.simplest[name]:
        yield case.operation.simplest[name]


def together(case: Case) -> Iterator[dict[str, Any]]:
    """Fields that only get smaller together: a kernel with its image."""
    for names in case.operation.joint:
        values = [case.fields.get(name) for name in names]
        if all(isinstance(value, int) and value > 1 for value in values):
            yield {**case.fields, **{name: value - 1 for name, value in zip(names, values, strict=True) if value}}


def with_values(case: Case, name: str, where: slice, value: float) -> Case | None:
    """The case with other numbers at a few positions; None if they are that simple already."""
    old = case.arrays[name]
    assert old is not None
    flat = np.array(old, order="C").reshape(-1)
    keep = (flat[where] == 0) | (flat[where] == value)
    if keep.all():
        return None
    flat[where] = np.where(keep, flat[where], value)
    here = place_of(case.operation, case.fields, name)
    return dataclasses.replace(case, arrays={**case.arrays, name: placed(flat.reshape(old.shape), here)})
