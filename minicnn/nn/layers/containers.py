"""Modules made of modules in a row: `Sequential` calls them in turn, `ModuleList` only holds them."""

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from minicnn.nn.module import Module, indented
from minicnn.tensor import Tensor


class _Row(Module):
    """What `Sequential` and `ModuleList` share: children in order, reached by position."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def _name_at(self, index: Any) -> str:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} modules")
        return list(self._modules)[index]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            del self._modules[name]
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list) -> None:
        self._modules.clear()
        self._modules.update((str(position), module) for position, module in enumerate(modules))

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError

    def append(self, module: Module) -> Any:
        """Add a module at the end and return this container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end and return this container.

        Raises:
            TypeError: where `modules` can't be iterated over or holds something that is no Module.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}.extend needs an iterable of modules, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before position `index` and return this container.

        Raises:
            IndexError: for a position that there isn't.
            TypeError: where `module` is no Module.
        """
        if not isinstance(module, Module):
            raise TypeError(f"module should be a Module, got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index: int | slice) -> Any:
        """Take out the module at a position, or those of a slice, and return it."""
        taken = self[index]
        del self[index]
        return taken


class Sequential(_Row):
    """Calls its modules one after another, each on the result of the one before.

    Args:
        args: modules, named "0", "1", ...; or one `OrderedDict` of names and modules.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = list(args[0].items())
        else:
            named = [(str(position), module) for position, module in enumerate(args)]
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """The last module's result."""
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __add__(self, other: "Sequential") -> "Sequential":
        return Sequential(*self, *self._checked(other))

    def __iadd__(self, other: "Sequential") -> "Sequential":
        return self.extend(self._checked(other))

    def __mul__(self, count: int) -> "Sequential":
        return Sequential(*list(self) * self._checked_count(count))

    def __rmul__(self, count: int) -> "Sequential":
        return self * count

    def __imul__(self, count: int) -> "Sequential":
        return self.extend(list(self) * (self._checked_count(count) - 1))

    def _checked(self, other: Any) -> "Sequential":
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return other

    def _checked_count(self, count: Any) -> int:
        if not isinstance(count, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(count)}")
        if count <= 0:
            raise ValueError(f"Non-positive multiplication factor {count} for {type(self)}")
        return count


class ModuleList(_Row):
    """A list of modules whose parameters are found; what to do with them is the owner's business.

    Args:
        modules: the modules to begin with.
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name_at(index)]

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> "ModuleList":
        return self.extend(modules)

    def __repr__(self) -> str:
        runs: list[list] = []  # [first position, last position, text]
        for position, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = position
            else:
                runs.append([position, position, text])
        lines = [
            f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        body = "".join(f"\n  {indented(line)}" for line in lines) + "\n" if lines else ""
        return f"{self._get_name()}({body})"


class Identity(Module):
    """Returns its input.

    Args:
        args, kwargs: anything, so that it can stand in for any layer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input itself."""
        return input
