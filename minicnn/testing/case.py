"""One case: an operation's arguments, and what it was drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.testing.values import EXACT, drawn_array, placed, shift_of

if TYPE_CHECKING:
    from minicnn.testing.operations.operation import Operation


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments of an operation.

    Attributes:
        operation: what is computed.
        fields: the choices that the case was built from, by name.
        arrays: by F's names, in F's order; None for what is left out. Their memory layout is part of the case.
        options: by F's names; those that are left out have their defaults.
        theme: what it was drawn for.
    """

    operation: "Operation"
    fields: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray | None]
    options: Mapping[str, Any]
    theme: str = ""

    @property
    def exact(self) -> bool:
        """Whether every sum is exact, whatever its order, so that equality is demanded."""
        return self.operation.exact and self.fields["values"] in EXACT

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.fields["dtype"])

    @property
    def shift(self) -> int:
        """By how many bytes the arrays are out of line."""
        return shift_of(self.fields["layout"])

    def grad_output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A gradient with respect to the output, of the output's shape."""
        values = drawn_array(self.fields["values"], shape, self.fields["dtype"], self.fields["seed"], "grad", False)
        return placed(values, self.fields["layout"])


def place_of(operation: "Operation", fields: Mapping[str, Any], name: str) -> str:
    """The memory layout of an array. One that the operation writes to is neither read-only nor several in one place."""
    here = fields["layout"] if fields["laid"] in ("all", name) else "contiguous"
    return "contiguous" if name in operation.updates and here in ("broadcast", "read-only") else here


def built(operation: "Operation", fields: Mapping[str, Any], theme: str = "") -> Case | None:
    """The case that `fields` describe, or None if the operation doesn't take such arguments."""
    plan = operation.build(fields)
    if plan is None:
        return None
    shapes, options = plan
    arrays: dict[str, np.ndarray | None] = {}
    for place, name in enumerate(operation.arrays):
        shape = shapes.get(name)
        if shape is None:
            arrays[name] = None
            continue
        values = operation.values(name, fields, shape) if operation.values else None
        if values is None:
            values = drawn_array(fields["values"], shape, fields["dtype"], fields["seed"], name, place == 0)
        arrays[name] = placed(values, place_of(operation, fields, name))
    return Case(operation, dict(fields), arrays, options, theme)
