"""What is to be judged: where it is, how it wants to be called, and therefore what it can be asked."""

import importlib.util
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from minicnn.testing.case import Case
from minicnn.testing.operations import OPERATIONS
from minicnn.testing.operations.operation import Operation
from minicnn.testing.process import CannotTryError, packed

ALIASES = {
    "input": ("x", "image", "images", "inputs", "a", "logits"),
    "weight": ("w", "weights", "kernel", "kernels", "filters", "filter", "gamma"),
    "bias": ("b", "beta"),
    "target": ("targets", "y", "labels"),
    "grad_output": ("g", "dy", "dout", "grad", "grad_y", "upstream"),
    "stride": ("strides", "s"),
    "padding": ("p", "pads"),
    "dilation": ("d", "dilations"),
    "kernel_size": ("k", "ksize", "size", "window", "pool_size"),
}
"""Other names that parameters go by; those of F come first, and `--map` before all."""


def operation_of(name: str, asked: str | None) -> Operation:
    """The operation of that name, or the one that the function's name tells.

    Raises:
        CannotTryError: there is none.
    """
    if asked is not None:
        if asked not in OPERATIONS:
            raise CannotTryError(f"the operation {asked!r} is unknown; there are {', '.join(OPERATIONS)}")
        return OPERATIONS[asked]
    plain = name.rpartition(":")[2].rpartition(".")[2]
    by_length = sorted(OPERATIONS, key=len, reverse=True)
    found = [one for one in by_length if _plain(one) in _plain(plain)]
    if not found:
        known = ", ".join(OPERATIONS)
        raise CannotTryError(f"the name {plain} does not tell the operation; say --op with one of {known}")
    return OPERATIONS[found[0]]


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("2d", "")


def located(target: str) -> dict[str, str]:
    """Where a target is: {"file" or "module": …, "name": …}.

    Raises:
        CannotTryError: it isn't of the form file.py:function or package.module:function, or there is no such file.
    """
    place, _, name = target.rpartition(":")
    if not place or not name:
        if Path(target).suffix == ".py" and Path(target).is_file():
            raise CannotTryError(f"{target} is a file; say {target}:FUNCTION")
        raise CannotTryError(f"{target!r} names no function; write file.py:function or package.module:function")
    if place.endswith(".py") or "/" in place:
        if not Path(place).is_file():
            raise CannotTryError(f"there is no file {place}")
        return {"file": place, "name": name}
    try:
        found = importlib.util.find_spec(place.partition(".")[0]) is not None
    except (ImportError, ValueError):
        found = False
    if not found and not Path(*place.split(".")).with_suffix(".py").is_file():
        raise CannotTryError(f"there is no module {place}; name a file as path/to/file.py:function")
    return {"module": place, "name": name}


@dataclass(frozen=True)
class Binding:
    """How a function is called.

    Attributes:
        positional: F's names of what goes by position.
        named: F's names by the function's own.
        own: the same of all parameters, positional ones too.
        whole: F's names of what is annotated as an int.
        left: the function's names of what F has not, left at its default.
    """

    positional: tuple[str, ...]
    named: Mapping[str, str]
    own: Mapping[str, str] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()

    @property
    def takes(self) -> frozenset[str]:
        """What the function can be asked, by F's names."""
        return frozenset(self.positional) | frozenset(self.named.values())


@dataclass(frozen=True)
class How:
    """How the judged functions were reached.

    Attributes:
        places: the callables, or where they are, by "forward" and "backward".
        bindings: how they are called.
        takes: what their arrays are.
        factor: of the rounding bound, if stated.
        folder: in which commands were run and modules found.
    """

    places: Mapping[str, Any]
    bindings: Mapping[str, Binding]
    takes: str
    factor: float | None
    folder: str = field(default_factory=os.getcwd)


def bound(
    operation: Operation,
    parameters: list | None,
    mapping: Mapping[str, str],
    first: tuple[str, ...] = (),
) -> Binding:
    """How to call a function with these parameters.

    Args:
        operation: what it computes.
        parameters: as the worker tells them; None for a function that hides them, which is called as F's is.
        mapping: F's names by the function's own, where they differ.
        first: arrays that come before the operation's, such as "grad_output".

    Raises:
        CannotTryError: a parameter is nothing that the operation has, or one that it needs is missing.
    """
    order = (*first, *operation.order)
    arrays = (*first, *operation.arrays)
    unknown = [name for name in mapping.values() if name not in order]
    if unknown:
        raise CannotTryError(f"{operation.name} has no parameter {unknown[0]}; it has {', '.join(order)}")
    if parameters is None:
        return Binding(arrays, {name: name for name in order if name not in arrays})
    kinds = [kind for _, kind, *_ in parameters]
    if "VAR_POSITIONAL" in kinds:
        return Binding(order, {})
    names = [name for name, kind, *_ in parameters if kind != "VAR_KEYWORD"]
    try:
        binding = _by_names(operation, parameters, mapping, arrays, order)
    except CannotTryError:
        if len(names) != len(order) or mapping:
            raise
        own = dict(zip(names, order, strict=True))  # names of its own for as many parameters as F has
        return Binding(order, {}, own, _annotated(parameters, own))
    if "VAR_KEYWORD" in kinds:
        named = dict(binding.named) | {n: n for n in order if n not in binding.takes and n not in operation.arrays}
        binding = replace(binding, named=named)
    missing = [name for name in (*first, *operation.required) if name not in binding.takes]
    if missing:
        raise CannotTryError(
            f"the function has no parameter for {missing[0]}; if it is named otherwise, say --map NAME={missing[0]}"
        )
    return binding


def _by_names(
    operation: Operation, parameters: list, mapping: Mapping[str, str], arrays: tuple[str, ...], order: tuple[str, ...]
) -> Binding:
    known = {name: name for name in order} | dict(mapping)
    aliases = {alias: name for name in order for alias in ALIASES.get(name, ())}
    waiting = [name for name in arrays if name not in mapping.values()]
    taken: set[str] = set()
    positional: list[str] = []
    named: dict[str, str] = {}
    left: list[str] = []
    own: dict[str, str] = {}
    for name, kind, optional, default, _ in parameters:
        if kind == "VAR_KEYWORD":
            continue
        meant = known.get(name) or aliases.get(name)
        if meant is None or meant in taken:
            free = [one for one in waiting if one not in taken]
            if free and not (optional and default is not None):
                meant = free[0]
            elif optional:  # something of its own
                left.append(name)
                continue
            else:
                raise CannotTryError(
                    f"the parameter {name} is none of {operation.name}'s ({', '.join(order)}); say --map {name}=…"
                )
        taken.add(meant)
        own[name] = meant
        if kind == "POSITIONAL_ONLY" or (meant in arrays and kind != "KEYWORD_ONLY" and not named and not left):
            positional.append(meant)
        else:
            named[name] = meant
    return Binding(tuple(positional), named, own, _annotated(parameters, own), tuple(left))


def _annotated(parameters: list, own: Mapping[str, str]) -> frozenset[str]:
    """F's names of the parameters that are annotated as ints."""
    return frozenset(own[name] for name, *_, whole in parameters if whole and name in own)


def request(case: Case, binding: Binding, which: str, grad: Any = None, graph: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the worker is sent to call a function on a case."""
    given: dict[str, Any] = dict(case.arrays)
    if grad is not None:
        given["grad_output"] = grad

    def value(name: str) -> tuple[str, Any]:
        if name in given:
            return ("array", name)
        return ("value", case.options.get(name, case.operation.options[name]))

    arrays = {name: packed(array, case.shift) for name, array in given.items() if array is not None}
    return {
        "function": which,
        "operation": case.operation.name,
        "arrays": arrays,
        "positional": [value(name) for name in binding.positional],
        "named": {own: value(name) for own, name in binding.named.items()},
        "many": which == "backward",
        "may_change": [name for name in case.operation.updates if name in arrays],
        "updates": [name for name in case.operation.updates if name in arrays and which == "forward" and not graph],
        "graph": graph,
    }


def title(target: str | Callable) -> str:
    """What a target is called in the verdict."""
    if isinstance(target, str):
        return target
    name = getattr(target, "__qualname__", None) or type(target).__name__
    try:
        file = inspect.getsourcefile(target)
    except TypeError:
        file = None
    return f"{Path(file).name}:{name}" if file else name
