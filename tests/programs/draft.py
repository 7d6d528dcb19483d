"""A program while it is being drawn.

The draft runs every line on PyTorch as soon as it is written. So an operation sees shapes, strides and values of what
there is, and none has to say what the shape of its result will be.
"""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

import torch

from .running import execute, names_of
from .table import OPERATIONS, VIEW

MOST_ELEMENTS = 3000
LARGEST = 1000.0
"""Tensors with more elements, or larger ones, are compared but not computed with."""

T = TypeVar("T")
NUMBERS = {"f": torch.float64, "i": torch.int64, "b": torch.bool}


class RefusedError(Exception):
    """PyTorch raises for an expression that an operation wanted to go on with."""


class Draft:
    """The lines so far, PyTorch's tensors, and choices.

    Args:
        random: what chooses.

    Attributes:
        lines: source.
        names: what the lines named, and the names that every program starts with.
        error: what the last line raised, or None.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.lines: list[str] = []
        self.names: dict[str, Any] = names_of(torch)
        self.error: Exception | None = None
        self._count = 0
        self._tame: dict[tuple[int, int], bool] = {}

    # Lines

    def add(self, line: str) -> None:
        """Write a line and run it."""
        self.lines.append(line)
        try:
            execute(line, self.names)
        except Exception as error:
            self.error = error

    def undo(self, length: int) -> None:
        """Back to the first `length` lines."""
        lines, self.lines = self.lines[:length], []
        self.names, self.error, self._tame = names_of(torch), None, {}
        for line in lines:
            self.add(line)

    def new_name(self) -> str:
        """A name for a tensor."""
        self._count += 1
        return f"t{self._count - 1}"

    def __getitem__(self, expression: str) -> Any:
        """PyTorch's tensor of this name; expressions over names are evaluated."""
        if expression in self.names:
            return self.names[expression]
        try:
            return eval(expression, dict(self.names))
        except Exception:
            raise RefusedError(expression) from None

    def shape(self, expression: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return tuple(self[expression].shape)

    # Choices

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return self._random.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return self._random.choice(options)

    def chance(self, one_in: int) -> bool:
        """True once in `one_in` times."""
        return self._random.randrange(one_in) == 0

    def permutation(self, n: int) -> list[int]:
        """The numbers below n in any order."""
        return self._random.sample(range(n), n)

    def number(self) -> float:
        """A factor or a term that is exact in binary and not 0."""
        return self.pick([2.0, 0.5, -1.0, 1.5, -0.25, 3.0])

    def size(self) -> int:
        """A size, ones and small ones more often."""
        return self.pick([2, 1, 3, 4, 5, 1, 2, 6, 7, 8, 9])

    def channels(self) -> int:
        """A number of channels, beyond one vector at times."""
        return self.pick([2, 1, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17])

    def axis(self, x: str) -> int:
        """A dimension of x, from the front or from the back; 0 where it has none."""
        n = self[x].dim()
        return self.integer(-n, n - 1) if n else 0

    def pair(self, a: int, b: int) -> str:
        """Two numbers as an argument: a pair, or one number for both."""
        return f"{a}" if a == b and not self.chance(3) else f"({a}, {b})"

    # Tensors

    def roots(self) -> list[str]:
        """The names of tensors that a backward pass can start from, newest first."""
        return self.tensors("f", lambda t: t.grad_fn is not None and t.numel() > 0)

    def tensors(self, kind: str = "f", where: Callable[[Any], bool] = lambda _: True) -> list[str]:
        """The names of tame tensors of a kind of dtype (f, i, b) that fulfil `where`, newest first."""

        def fits(t: Any) -> bool:
            try:
                return isinstance(t, torch.Tensor) and t.dtype == NUMBERS[kind] and where(t) and self._is_tame(t)
            except RuntimeError:  # a view whose place in the graph PyTorch refuses to tell
                return False

        return [name for name, t in reversed(self.names.items()) if fits(t)]

    def _is_tame(self, t: torch.Tensor) -> bool:
        """Whether a tensor is worth computing with: not large, its numbers neither."""
        key = id(t), t._version
        if key not in self._tame:
            values = t.detach()
            self._tame[key] = t.numel() <= MOST_ELEMENTS and (
                t.dtype != torch.float64 or not t.numel() or bool(values.abs().max() < LARGEST)
            )
        return self._tame[key]

    def tensor(self, *ndims: int, where: Callable[[Any], bool] = lambda _: True) -> str:
        """The name of a floating-point tensor, a new leaf where none fulfils `where`.

        Args:
            ndims: how many dimensions it may have; any number by default.
            where: what else it must fulfil; a new leaf that doesn't is given nevertheless.
        """
        fits = self.tensors("f", lambda t: (not ndims or t.dim() in ndims) and where(t))
        if fits and not self.chance(10):
            return fits[0] if self.chance(3) else self.pick(fits)
        return self.leaf(self.new_shape(self.pick(ndims or (4, 2, 3, 1, 0))))

    def image(self, smallest: int = 1) -> str:
        """The name of a batch of images, or of one without a batch, of at least `smallest` rows and columns."""
        large = [smallest, smallest + 1]

        def fits(t: Any) -> bool:
            return t.numel() > 0 and all(side >= smallest for side in t.shape[-2:])

        found = self.tensors("f", lambda t: t.dim() == 4 and fits(t))
        alone = self.tensors("f", lambda t: t.dim() == 3 and fits(t))
        if alone and self.chance(8):
            return self.pick(alone)
        if found and not self.chance(10):
            return found[0] if self.chance(2) else self.pick(found)
        N, C, H, W = self.new_shape(4)
        return self.leaf((N, C, max(H, self.pick(large)), max(W, self.pick(large))))

    def new_shape(self, ndim: int) -> tuple[int, ...]:
        """A shape of so many dimensions; four are images."""
        if ndim == 4:
            return self.integer(1, 3), self.channels(), self.size(), self.size()
        return tuple(self.size() for _ in range(ndim))

    def leaf(self, shape: Sequence[int], divide: int = 1, requires_grad: bool | None = None) -> str:
        """The name of a new leaf, in any order of memory.

        Args:
            shape: its shape.
            divide: a power of two that its values are divided by.
            requires_grad: drawn where it isn't given.
        """
        array = self.array(shape)
        if divide > 1:
            array = f"{array} / {divide}"
        wanted = not self.chance(4) if requires_grad is None else requires_grad
        name = self.new_name()
        self.add(f"{name} = T.from_numpy({array})" + (".requires_grad_()" if wanted else ""))
        return name

    def array(self, shape: Sequence[int]) -> str:
        """The source of an array of numbers, in any order of memory."""
        kind, seed = self.pick(["reals", "integers", "reals"]), self.integer(0, 9)
        layout = self.pick(["plain", "plain", "plain", "permuted", "channels_last", "gaps"])
        order = list(range(len(shape)))
        if layout == "permuted":
            order = self.permutation(len(shape))
        elif layout == "channels_last" and len(shape) > 2:
            order = [*order[:-3], *order[-2:], order[-3]]
        array = f"{kind}({''.join(f'{shape[i]}, ' for i in order)}seed={seed})"
        if order != sorted(order):
            back = tuple(order.index(i) for i in range(len(order)))
            return f"{array}.transpose({', '.join(map(str, back))})"
        return f"strided({array})" if shape and layout == "gaps" else array

    def like(self, shape: Sequence[int], broadcast: bool = False) -> str:
        """The name of a floating-point tensor of this shape, or of one that broadcasts to it."""
        shape = tuple(shape)

        def fits(t: Any) -> bool:
            return tuple(t.shape) == shape or (broadcast and broadcasts(tuple(t.shape), shape))

        found = self.tensors("f", fits)
        if found and not self.chance(4):
            return self.pick(found)
        if broadcast and self.chance(2):
            shape = tuple(1 if self.chance(2) else n for n in shape[self.integer(0, len(shape)) :])
        return self.leaf(shape)

    def apart(self, x: str, shape: Sequence[int], broadcast: bool = False, moved: bool = False) -> str:
        """A floating-point tensor of this shape, or one that broadcasts to it, to be written to x.

        Where x shows some of its memory, but not as it does, or elements are `moved` on their way, it is a copy:
        minicnn reads all before it writes, and what PyTorch reads while it writes depends on its order.
        """
        name = self.like(shape, broadcast)
        target, source = self[x], self[name]
        same = source.untyped_storage().data_ptr() == target.untyped_storage().data_ptr()
        alike = (source.data_ptr(), source.shape, source.stride()) == (target.data_ptr(), target.shape, target.stride())
        return f"{name}.clone()" if same and (moved or not alike) else name

    def weight(self, shape: Sequence[int], fan_in: int) -> str:
        """The name of a weight, an old or a new one, whose products with `fan_in` numbers stay tame."""
        found = self.tensors("f", lambda t: tuple(t.shape) == tuple(shape))
        if found and self.chance(2):
            return self.pick(found)
        return self.leaf(shape, divide=1 << (fan_in.bit_length() // 2))

    def bias(self, n: int) -> str:
        """The name of a vector of n numbers, or None."""
        return "None" if self.chance(3) else self.like((n,))

    def plain(self, x: str) -> str:
        """x, in row-major order for PyTorch, some of whose own gradients are wrong in other orders."""
        return x if self[x].is_contiguous() else f"{x}.contiguous()"

    def through_views(self, x: str, most: int = 3) -> str:
        """An expression that shares memory with x through up to `most` views."""
        views = [operation for operation in OPERATIONS.values() if operation.kind == VIEW]
        for _ in range(self.integer(0, most)):
            x = self.pick(views).write(self, x)
        return x


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another one, leaving that as it is."""
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(to), strict=False))


TOKEN = re.compile(r"(?<![\w.])(?:-?\d+|t\d+)\b(?![.\w])")
"""A whole number or the name of a tensor in a line."""
