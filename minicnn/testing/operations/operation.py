"""What the judge has to know about an operation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.testing.choices import Choices
from minicnn.testing.laws import Law

Fields = Mapping[str, Any]
Plan = tuple[dict[str, tuple[int, ...] | None], dict[str, Any]]


@dataclass(frozen=True)
class Theme:
    """What a share of the cases is drawn for.

    Attributes:
        row: the row of the coverage table that it serves.
        count: its cases in a run of the default length.
        wide: the names of choices that draw from all their options.
        fixed: options for a choice, instead of its own.
        each: options that the theme's cases take in turn, so that none is left out.
    """

    row: str
    count: int
    wide: tuple[str, ...] = ()
    fixed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    each: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """An operation, as `minicnn.nn.functional` and `torch.nn.functional` name it.

    Attributes:
        name: in both modules.
        arrays: its arrays' names, in order; `optional` ones may be None.
        options: its other parameters with their defaults (`...` where there is none), in order.
        order: all parameters in F's order.
        call: `call(F, arrays, options)` computes it with one of the two modules.
        draft: draws the fields of a case.
        build: the arrays' shapes and the options that fields describe; None if they don't fit together.
        work: how many products a case takes.
        terms: how many terms its longest sum has, that of a gradient included.
        rows: the coverage table's rows, and which fields count in each.
        needs: rows that need parameters of the judged function: by row, the parameters' names.
        narrow: which choices lose all but these options when a parameter is missing: by parameter.
        themes: what cases are drawn for.
        features: what a condition for a mistake can be made of: by phrase, whether fields have it.
        counts: numbers in the fields with the words for them, for conditions such as "17 or more channels".
        blocks: those numbers of which a remainder may be lost.
        exact: sums of products of whole numbers, and nothing else, make the result.
        magnitude: the sizes for the scaled bound; the operation on absolute values, if left out.
        values: other values than the usual for an array: `values(name, fields, shape)`; None for the usual.
        floats: the arrays that have gradients.
        updates: arrays that the operation changes in place, whose new values are results.
        views: whether a result that lies in an input's memory is acceptable.
        copies: its results are numbers of its inputs, so that they are exact whatever the values.
        defaults: rows to leave out where a parameter's own default isn't F's: by parameter.
        unasked: rows that make no sense for it.
        least: how small the numbers among the fields get in a smallest case, where that isn't 1.
        simplest: the simplest of the words among the fields.
        joint: fields that get smaller together.
        laws: equations that its answers fulfil.
        bilinear: it is linear in input and weight, so that its gradients are adjoint to it.
        explain: the products whose sum an element of the output is, each as factors (array, position).
    """

    name: str
    arrays: tuple[str, ...]
    optional: frozenset[str]
    options: Mapping[str, Any]
    order: tuple[str, ...]
    call: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any]
    draft: Callable[[Choices], dict[str, Any]]
    build: Callable[[Fields], Plan | None]
    work: Callable[[Fields], int]
    terms: Callable[[Fields], int]
    rows: Mapping[str, Callable[[Fields], bool]]
    needs: Mapping[str, tuple[str, ...]]
    narrow: Mapping[str, Mapping[str, Sequence[Any]]]
    themes: tuple[Theme, ...]
    features: Mapping[str, Callable[[Fields], bool]]
    counts: Mapping[str, str]
    blocks: tuple[str, ...] = ()
    exact: bool = True
    magnitude: Callable[..., Any] | None = None
    values: Callable[[str, Fields, tuple[int, ...]], np.ndarray | None] | None = None
    floats: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    views: bool = False
    copies: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)
    simplest: Mapping[str, Any] = field(default_factory=dict)
    joint: tuple[tuple[str, ...], ...] = ()
    laws: tuple[Law, ...] = ()
    bilinear: bool = False
    explain: Callable[[Fields, tuple[int, ...]], list[list[tuple[str, tuple[int, ...]]]]] | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The parameters that every call needs."""
        arrays = tuple(name for name in self.arrays if name not in self.optional)
        return arrays + tuple(name for name, default in self.options.items() if default is ...)
