"""The table of operations: what a line of a random program can be.

An operation is a function that takes the draft of a program and returns one line of source. It chooses tensors, shapes
and options by asking the draft, and nothing else needs to be written: the line itself is what minicnn and PyTorch run
and what a counterexample shows.

    @value
    def cumsum(draft):
        x = draft.tensor()
        return f"{x}.cumsum({draft.axis(x)})"

- `@value` returns an expression; its result becomes a new tensor.
- `@statement` returns a whole statement: it writes in place, walks the graph, or makes several tensors.
- `@view` takes an expression beside the draft and returns an expression that shares memory with it. It is used as a
  value, and by the statements that write through one or several views.

`weight=` says how often an operation is drawn, compared with the others (1). A new file of operations is imported in
`operations/__init__.py`; `test_programs.py` checks that every operation of the table occurs in drawn programs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

VALUE, STATEMENT, VIEW = "value", "statement", "view"


@dataclass(frozen=True)
class Operation:
    """One entry of the table.

    Attributes:
        name: what the histogram calls it.
        write: gives the source from a draft (and an expression, for views).
        kind: VALUE, STATEMENT or VIEW.
        weight: how often it is drawn.
    """

    name: str
    write: Callable[..., str]
    kind: str
    weight: int


OPERATIONS: dict[str, Operation] = {}


def _entry(kind: str) -> Callable:
    def decorate(function: Callable | None = None, *, weight: int = 1) -> Any:
        def register(function: Callable) -> Callable:
            name = function.__name__.strip("_")
            if name in OPERATIONS:
                raise ValueError(f"the table has an operation {name!r} already")
            OPERATIONS[name] = Operation(name, function, kind, weight)
            return function

        return register if function is None else register(function)

    return decorate


value = _entry(VALUE)
statement = _entry(STATEMENT)
view = _entry(VIEW)
