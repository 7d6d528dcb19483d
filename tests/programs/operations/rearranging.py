"""Parts of tensors, axes in another order, repetitions, windows: more views and copies in other shapes."""

from typing import Any

from ..draft import Draft
from ..table import statement, value, view
from .shapes import factors


def has_axes(x: Any) -> bool:
    """Whether a tensor has dimensions and elements."""
    return bool(x.dim() and x.numel())


@view
def narrowed(draft: Draft, x: str) -> str:
    if not draft.shape(x):
        return x
    axis = draft.axis(x)
    n = draft.shape(x)[axis]
    start = draft.integer(0, n)
    return f"{x}.narrow({axis}, {start}, {draft.integer(0, n - start)})"


@view
def selected(draft: Draft, x: str) -> str:
    if not has_axes(draft[x]):
        return x
    axis = draft.axis(x)
    n = draft.shape(x)[axis]
    return f"{x}.select({axis}, {draft.integer(-n, n - 1)})"


@view
def moved(draft: Draft, x: str) -> str:
    n = len(draft.shape(x))
    count = draft.integer(1, n) if n else 0
    source, target = draft.permutation(n)[:count], draft.permutation(n)[:count]
    return f"{x}.movedim({tuple(source)}, {tuple(target)})" if count else x


@view
def swapped(draft: Draft, x: str) -> str:
    method = draft.pick(["swapaxes", "swapdims"])
    return f"{x}.{method}({draft.axis(x)}, {draft.axis(x)})"


@view
def matrices_transposed(draft: Draft, x: str) -> str:
    return f"{x}.{draft.pick(['mT', 'mH', 'adjoint()'])}" if len(draft.shape(x)) > 1 else f"{x}.ravel()"


@view
def unflattened(draft: Draft, x: str) -> str:
    if not draft.shape(x) or len(draft.shape(x)) > 4:
        return x
    axis = draft.axis(x)
    return f"{x}.unflatten({axis}, {tuple(factors(draft, draft.shape(x)[axis], 2))})" if draft.shape(x)[axis] else x


@view
def part_of_several(draft: Draft, x: str) -> str:
    """One of the parts that `tensor_split` makes one by one."""
    if not draft.shape(x):
        return x
    count = draft.integer(1, 3)
    return f"{x}.tensor_split({count}, {draft.axis(x)})[{draft.integer(0, count - 1)}]"


@view
def at_least(draft: Draft, x: str) -> str:
    return f"T.atleast_{draft.integer(1, 3)}d({x})"


@value(weight=2)
def windows_of_elements(draft: Draft) -> str:
    """Sliding windows: elements occur in several, so they aren't written to."""
    x = draft.tensor(1, 2, 3, where=has_axes)
    axis = draft.axis(x)
    size = draft.integer(1, draft.shape(x)[axis])
    return f"{x}.unfold({axis}, {size}, {draft.integer(1, 3)})"


def splitting(draft: Draft, x: str) -> tuple[str, int]:
    """An expression that splits x along an axis, and how many parts it makes."""
    axis = draft.axis(x)
    n = draft.shape(x)[axis]
    size, first = draft.integer(1, max(n, 1)), draft.integer(0, n)
    options = [f"{x}.split({size}, {axis})", f"{x}.split([{first}, {n - first}], {axis})", f"{x}.chunk({size}, {axis})"]
    text = draft.pick([*options, f"{x}.unbind({axis})"])
    return text, len(draft[text])


@value(weight=2)
def one_part(draft: Draft) -> str:
    """One of several parts that are made at once."""
    text, count = splitting(draft, draft.tensor(1, 2, 3, 4, where=has_axes))
    return f"{text}[{draft.integer(0, count - 1)}]"


@value
def parts_joined_again(draft: Draft) -> str:
    """As in a channel shuffle: the parts of a tensor in another order."""
    x = draft.tensor(1, 2, 3, 4, where=has_axes)
    axis = draft.axis(x)
    return f"T.cat({x}.chunk({draft.integer(1, 3)}, {axis})[::-1], {axis})"


@statement
def part_written(draft: Draft) -> str:
    """Refused, where gradients flow; a change otherwise."""
    text, count = splitting(draft, draft.tensor(1, 2, 3, where=has_axes))
    return f"{text}[{draft.integer(0, count - 1)}].mul_({draft.number()})"


@value
def flipped(draft: Draft) -> str:
    x = draft.tensor()
    n = len(draft.shape(x))
    return f"{x}.flip({draft.permutation(n)[: draft.integer(0, n)]})"


@value
def rolled(draft: Draft) -> str:
    x = draft.tensor()
    if not draft.shape(x) or draft.chance(4):
        return f"{x}.roll({draft.integer(-3, 9)})"
    return f"{x}.roll(({draft.integer(-3, 9)}, {draft.integer(-3, 9)}), ({draft.axis(x)}, {draft.axis(x)}))"


@value
def turned_by_right_angles(draft: Draft) -> str:
    x = draft.tensor(2, 3, 4)
    first, second = draft.permutation(len(draft.shape(x)))[:2]
    return f"{x}.rot90({draft.integer(-2, 4)}, ({first}, {second}))"


@value
def repeated(draft: Draft) -> str:
    x = draft.tensor(0, 1, 2, 3)
    counts = tuple(draft.pick([1, 1, 2, 3, 0]) for _ in range(len(draft.shape(x)) + draft.integer(0, 1)))
    return f"{x}.{draft.pick(['repeat', 'tile'])}({counts})"


@value
def repeated_side_by_side(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    axis = draft.axis(x)
    counts = [draft.pick([1, 1, 2, 0, 3]) for _ in range(draft.shape(x)[axis])]
    repeats = draft.pick(["2", "3", f"T.tensor({counts}, dtype=T.int64)"])
    return f"{x}.repeat_interleave({repeats}, {axis})"


@value
def stacked(draft: Draft) -> str:
    x = draft.tensor(0, 1, 2, 3)
    parts = [x, *[draft.like(draft.shape(x)) for _ in range(draft.integer(0, 2))]]
    return f"T.{draft.pick(['hstack', 'vstack', 'dstack', 'column_stack'])}([{', '.join(parts)}])"


@value
def grid(draft: Draft) -> str:
    x, y = draft.tensor(1), draft.tensor(0, 1)
    return f"T.meshgrid({x}, {y}, indexing='{draft.pick(['ij', 'xy'])}')[{draft.integer(0, 1)}]"


@value
def block_diagonal(draft: Draft) -> str:
    # PyTorch's gradient of blocks without elements is another block's.
    blocks = [draft.tensor(0, 1, 2, where=lambda t: t.numel() > 0) for _ in range(draft.integer(1, 3))]
    return f"T.block_diag({', '.join(blocks)})"


@statement(weight=2)
def shape_changed_in_place(draft: Draft) -> str:
    """A new tensor takes another shape.

    Views from before lead their gradients through the new shape in PyTorch, where it may be retained, and through the
    former one in minicnn, so there are none here; `test_shapes.py` has them.
    """
    name, x = draft.new_name(), draft.tensor(0, 1, 2, 3, 4)
    draft.add(f"{name} = {x} * {draft.number()}")
    options = [f"{name}.squeeze_()", f"{name}.unsqueeze_({draft.integer(-1, len(draft.shape(x)))})"]
    options += [f"{name}.transpose_({draft.axis(x)}, {draft.axis(x)})", f"{name}.squeeze_({draft.axis(x)})"]
    return draft.pick([*options, f"{name}.t_()"] if len(draft.shape(x)) < 3 else options)
