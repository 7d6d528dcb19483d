"""einsum: sums of products over named dimensions, from left to right.

Two operands at a time become matrices: (batch, own, contracted) of the first times (batch, contracted, own) of the
second, and the product is unfolded again.
"""

from typing import Any

import numpy as np

from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import Multiply
from minicnn.operators.diagonals import Diagonal
from minicnn.operators.matmul import matmul
from minicnn.operators.operands import alone, array_of
from minicnn.operators.reduction import sum
from minicnn.operators.shape import Contiguous, permute, reshape

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
Labels = tuple[str, ...]
"""A letter for each dimension; those that an ellipsis covers are "...0" for the last, "...1" for the one before it."""


def einsum(*args: Any) -> Any:
    """Sums of products over named dimensions: `einsum("ij,jk->ik", a, b)` is a matrix product.

    Args:
        args: the equation and the operands, one by one or in a list. A letter names a dimension of every operand that
            has it; what stands behind "->" remains, in that order; by default the letters that occur once, in
            alphabetical order. "..." stands for dimensions without names. A letter twice in one operand takes the
            diagonal. Or, without an equation, each operand followed by a list of numbers for letters, and a list for
            the result.

    Raises:
        ShapeError: for an equation that can't be read, or that doesn't fit the operands.
        TypeError: for something else than Tensors.
    """
    equation, operands = _arguments(args)
    for operand in operands:
        array_argument(operand, "einsum")
    inputs, output = _read(equation, [array_of(operand).ndim for operand in operands])
    terms = [_without_repeats(operand, labels) for operand, labels in zip(operands, inputs, strict=True)]
    terms = _without_ones(terms) if len(terms) > 1 else terms
    value, labels = terms[0]
    for i, (other, other_labels) in enumerate(terms[1:], 2):
        needed = {label for _, later in terms[i:] for label in later} | set(output)
        value, labels = _contracted(value, labels, other, other_labels, needed)
    left, labels = _summed(value, labels, set(output))
    own = len(terms) > 1 or left is not value
    value = left
    present = [label for label in output if label in labels]
    order = tuple(labels.index(label) for label in present)
    value = permute(value, order) if labels else value
    if len(terms) > 1 and order != tuple(sorted(order)):
        value = Contiguous.apply(value)
    if len(present) < len(output):  # dimensions of size 1 in every operand
        sizes = dict(zip(present, array_of(value).shape, strict=True))
        value = reshape(value, tuple(sizes.get(label, 1) for label in output))
    return alone(value) if own else value


def _arguments(args: tuple) -> tuple[str, list]:
    if not args:
        raise ShapeError("einsum needs an equation and at least one operand")
    if isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
        if not operands:
            raise ShapeError("einsum needs at least one operand behind the equation")
        return args[0].replace(" ", ""), list(operands)
    lists, operands = list(args[1::2]), list(args[::2])
    if len(operands) > len(lists):
        output = operands.pop()
        return ",".join(map(_letters, lists)) + "->" + _letters(output), operands
    return ",".join(map(_letters, lists)), operands


def _letters(numbers: Any) -> str:
    """A list of numbers below 52 and at most one ellipsis as the letters of an equation."""
    if not isinstance(numbers, (list, tuple)):
        raise TypeError(f"einsum needs an equation, or a list of numbers behind each operand, got {numbers!r}")
    for number in numbers:
        if number is not Ellipsis and not (isinstance(number, int) and 0 <= number < len(LETTERS)):
            raise ShapeError(f"einsum needs numbers from 0 to 51 in its lists, got {number!r}")
    return "".join("..." if number is Ellipsis else LETTERS[number] for number in numbers)


def _read(equation: str, dims: list[int]) -> tuple[list[Labels], Labels]:
    """The labels of every operand and of the result."""
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(dims):
        raise ShapeError(f"einsum: {equation!r} names {len(parts)} operands, got {len(dims)}")
    inputs = [_labels(part, ndim, equation) for part, ndim in zip(parts, dims, strict=True)]
    covered = sorted({label for labels in inputs for label in labels if label.startswith(".")}, key=_distance)[::-1]
    named = [label for labels in inputs for label in labels if not label.startswith(".")]
    if not arrow:
        return inputs, (*covered, *sorted(label for label in set(named) if named.count(label) == 1))
    if right.count(".") not in (0, 3) or right.count("...") != right.count(".") // 3:
        raise ShapeError(f"einsum: the result of {equation!r} has a '.' outside of an ellipsis")
    before, dots, after = right.partition("...")
    output = (*before, *(covered if dots else ()), *after)
    for label in (*before, *after):
        if label not in named:
            raise ShapeError(f"einsum: {label!r} of the result of {equation!r} appears in no operand")
        if output.count(label) > 1:
            raise ShapeError(f"einsum: {label!r} appears more than once in the result of {equation!r}")
    return inputs, output


def _distance(label: str) -> int:
    """How far a dimension of an ellipsis is from the last one."""
    return int(label[3:])


def _labels(part: str, ndim: int, equation: str) -> Labels:
    before, dots, after = part.partition("...")
    if any(letter not in LETTERS for letter in before + after):
        raise ShapeError(f"einsum: subscripts must be letters and one ellipsis for each operand, got {equation!r}")
    covered = ndim - len(before) - len(after)
    if covered < 0 or (covered and not dots):
        raise ShapeError(f"einsum: {part!r} of {equation!r} names {len(before + after)} of {ndim} dimensions")
    return (*before, *(f"...{i}" for i in reversed(range(covered))), *after)


def _without_repeats(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """An operand with the diagonal in the place of two dimensions of one name."""
    for label in labels:
        while labels.count(label) > 1:
            first, second = [i for i, other in enumerate(labels) if other == label][:2]
            sizes = array_of(x).shape
            if sizes[first] != sizes[second]:
                raise ShapeError(f"einsum: {label!r} names dimensions of sizes {sizes[first]} and {sizes[second]}")
            x = Diagonal.apply(x, 0, first, second)
            labels = (*(other for i, other in enumerate(labels) if i not in (first, second)), label)
    return x, labels


def _without_ones(terms: list) -> list:
    """The operands without dimensions of size 1, which broadcast.

    Raises:
        ShapeError: where sizes of one name differ.
    """
    sizes: dict[str, int] = {}
    for x, labels in terms:
        for label, size in zip(labels, array_of(x).shape, strict=True):
            if size != 1 and sizes.setdefault(label, size) != size:
                raise ShapeError(f"einsum: {label!r} names dimensions of sizes {sizes[label]} and {size}")
    result = []
    for x, labels in terms:
        shape = array_of(x).shape
        if 1 in shape:
            x = reshape(x, tuple(size for size in shape if size != 1))
            labels = tuple(label for label, size in zip(labels, shape, strict=True) if size != 1)
        result.append((x, labels))
    return result


def _summed(x: Any, labels: Labels, needed: set[str]) -> tuple[Any, Labels]:
    """An operand summed over the dimensions that nobody else names."""
    axes = tuple(i for i, label in enumerate(labels) if label not in needed)
    if axes:
        x = sum(x, axes)
    return x, tuple(label for label in labels if label in needed)


def _contracted(a: Any, a_labels: Labels, b: Any, b_labels: Labels, needed: set[str]) -> tuple[Any, Labels]:
    """Two operands as one: their product, summed over what nobody else needs."""
    a, a_labels = _summed(a, a_labels, needed | set(b_labels))
    b, b_labels = _summed(b, b_labels, needed | set(a_labels))
    batch = tuple(label for label in a_labels if label in b_labels and label in needed)
    inner = tuple(label for label in a_labels if label in b_labels and label not in needed)
    rows = tuple(label for label in a_labels if label not in b_labels)
    columns = tuple(label for label in b_labels if label not in a_labels)
    sizes = dict(zip((*a_labels, *b_labels), (*array_of(a).shape, *array_of(b).shape), strict=True))

    def count(labels: Labels) -> int:
        return int(np.prod([sizes[label] for label in labels], dtype=np.int64))

    def laid(x: Any, labels: Labels, order: Labels, shape: tuple[int, ...]) -> Any:
        return reshape(permute(x, tuple(map(labels.index, order))) if labels else x, shape)

    result = (*batch, *rows, *columns)
    if not inner:
        left = laid(a, a_labels, (*batch, *rows), (count(batch), count(rows), 1))
        right = laid(b, b_labels, (*batch, *columns), (count(batch), 1, count(columns)))
        product = Multiply.call(left, right)
    else:
        left = laid(a, a_labels, (*batch, *rows, *inner), (count(batch), count(rows), count(inner)))
        right = laid(b, b_labels, (*batch, *inner, *columns), (count(batch), count(inner), count(columns)))
        product = matmul(left, right)
    return reshape(product, tuple(sizes[label] for label in result)), result
