"""How cases are drawn: every number and word of a case is a named choice among options that stand simplest first.

A draft function asks `choose("KH", (1, 2, 3), wide=(1, 2, 3, 5, 7))` for each. What comes back depends on who draws: a
seeded generator for the themes of the judge, hypothesis where it steers or where a test wants its shrinking.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EVERYTHING = "*"


@dataclass
class Choices:
    """Draws named values.

    Attributes:
        pick: takes one of several options.
        wide: the names that draw from all their options instead of the few simple ones; EVERYTHING for all names.
        fixed: options to draw a name from instead.
        most: the number of products a case may have.
        drawn: what was drawn so far.
    """

    pick: Callable[[Sequence[Any]], Any]
    wide: frozenset[str] = frozenset()
    fixed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    most: int = 2**17
    drawn: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self, name: str, small: Sequence[Any], wide: Sequence[Any] | None = None, most: int | None = None
    ) -> Any:
        """One of the options.

        Args:
            name: of the choice.
            small: the options unless the choice is a wide one.
            wide: all options.
            most: leave out numbers above it, unless they all are.
        """
        options = self.fixed.get(name)
        if options is None:
            far = wide is not None and (name in self.wide or EVERYTHING in self.wide)
            options = wide if far and wide is not None else small
            if most is not None:
                options = [option for option in options if option <= most] or [min(options)]
        value = options[0] if len(options) == 1 else self.pick(options)
        self.drawn[name] = value
        return value


def generator(*seed: Any) -> random.Random:
    """A generator of its own for everything that is drawn under one name."""
    return random.Random(" ".join(map(str, seed)))
