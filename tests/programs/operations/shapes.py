"""Views and copies in other shapes."""

from math import prod

from ..draft import Draft
from ..table import value, view


def factors(draft: Draft, n: int, ndim: int) -> list[int]:
    """A shape of n elements and so many dimensions; one of them may be told as -1."""
    shape = []
    for _ in range(ndim - 1):
        divisors = [d for d in range(1, n + 1) if n % d == 0] or [0]
        shape.append(draft.pick(divisors))
        n //= shape[-1] or 1
    shape.append(n)
    if prod(shape) and draft.chance(3):
        shape[draft.integer(0, ndim - 1)] = -1
    return shape


def as_arguments(shape: list[int]) -> str:
    return ", ".join(map(str, shape))


@view(weight=2)
def viewed(draft: Draft, x: str) -> str:
    shape = factors(draft, draft[x].numel(), draft.integer(1, 3))
    return f"{x}.view({as_arguments(shape)})" if draft[x].is_contiguous() else f"{x}.reshape({as_arguments(shape)})"


@view
def split_or_merged(draft: Draft, x: str) -> str:
    """A view that keeps the first dimension, as a classifier flattens: of what isn't contiguous too."""
    first = draft.shape(x)[0] if draft.shape(x) else 1
    return f"{x}.view({first}, -1)" if first and draft[x].numel() else x


@view
def reshaped(draft: Draft, x: str) -> str:
    return f"{x}.reshape({as_arguments(factors(draft, draft[x].numel(), draft.integer(1, 3)))})"


@view(weight=2)
def flattened(draft: Draft, x: str) -> str:
    ndim = len(draft.shape(x))
    start = draft.integer(0, max(ndim - 1, 0))
    return f"{x}.flatten({draft.pick(['', f'{start}', f'{start}, {draft.integer(start, max(ndim - 1, start))}'])})"


@view
def permuted(draft: Draft, x: str) -> str:
    return f"{x}.permute({as_arguments(draft.permutation(len(draft.shape(x))))})" if draft.shape(x) else x


@view(weight=2)
def transposed(draft: Draft, x: str) -> str:
    return f"{x}.transpose({draft.axis(x)}, {draft.axis(x)})"


@view
def turned(draft: Draft, x: str) -> str:
    return f"{x}.T" if len(draft.shape(x)) == 2 else x


@view
def squeezed(draft: Draft, x: str) -> str:
    return f"{x}.squeeze({draft.pick(['', str(draft.axis(x))])})"


@view
def unsqueezed(draft: Draft, x: str) -> str:
    return f"{x}.unsqueeze({draft.integer(-1, len(draft.shape(x)))})" if len(draft.shape(x)) < 5 else x


@view
def expanded(draft: Draft, x: str) -> str:
    sizes = [draft.integer(1, 3) if n == 1 else draft.pick([n, -1]) for n in draft.shape(x)]
    front = [draft.integer(1, 3)] if len(sizes) < 4 and draft.chance(3) else []
    return f"{x}.expand({as_arguments(front + sizes)})" if front + sizes else x


def a_slice(draft: Draft, n: int) -> str:
    """A slice along a dimension of size n; seldom empty."""
    start = draft.integer(-n, max(n - 1, 0))
    start_text = draft.pick(["", str(start)])
    stop = draft.pick(["", "", str(draft.integer(-n, n))])
    return f"{start_text}:{stop}{draft.pick(['', '', ':2', ':3'])}"


def basic_key(draft: Draft, shape: tuple[int, ...]) -> str:
    """Integers, slices, None and an ellipsis."""
    parts, covered = [], draft.integer(1, len(shape))
    at_end = covered < len(shape) and draft.chance(3)
    for n in shape[-covered:] if at_end else shape[:covered]:
        kind = draft.pick(["slice", "whole", "integer", "none"])
        if kind == "integer" and n:
            parts.append(str(draft.integer(-n, n - 1)))
        else:
            parts.append(a_slice(draft, n) if kind == "slice" else ":")
            parts += ["None"] if kind == "none" else []
    return ", ".join(["...", *parts] if at_end else parts)


@view(weight=3)
def sliced(draft: Draft, x: str) -> str:
    return f"{x}[{basic_key(draft, draft.shape(x))}]" if draft.shape(x) else f"{x}[...]"


def index_key(draft: Draft, x: str) -> str:
    """Index arrays and masks, slices beside them."""
    shape = draft.shape(x)
    if draft.chance(4):
        return f"{x} > {draft.pick(['0', '0.5'])}"
    parts, arrays = [], 0
    for n in shape[: draft.integer(1, len(shape))]:
        if arrays and not draft.chance(2):
            parts.append(draft.pick([":", a_slice(draft, n)]))
            continue
        numbers = [draft.integer(-n, n - 1) for _ in range(3 if arrays else draft.pick([3, 3, 1]))] if n else []
        parts.append(f"T.tensor({numbers})" if draft.chance(3) else f"{numbers}")
        arrays += 1
    return ", ".join(parts)


@value(weight=2)
def picked(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4, where=lambda t: t.numel() > 0)
    return f"{x}[{index_key(draft, x)}]"


@value(weight=2)
def cat(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4)
    axis = draft.axis(x)
    parts = [x]
    for _ in range(draft.integer(1, 2)):
        shape = list(draft.shape(x))
        if draft.chance(3):
            shape[axis] = draft.size()
        parts.append(draft.pick([x, draft.like(shape)]))
    return f"T.cat([{', '.join(parts)}], {axis})"


@value
def stack(draft: Draft) -> str:
    x = draft.tensor(0, 1, 2, 3)
    parts = [x, *[draft.like(draft.shape(x)) for _ in range(draft.integer(1, 2))]]
    return f"T.stack([{', '.join(parts)}], {draft.integer(0, len(draft.shape(x)))})"


@value
def contiguous(draft: Draft) -> str:
    return f"{draft.tensor()}.contiguous()"


@value
def clone(draft: Draft) -> str:
    return f"{draft.tensor()}.clone()"
