"""Elements chosen by indices, masks and order; others put in their place."""

from ..draft import Draft
from ..table import statement, value
from .writing import _target


def _indices(draft: Draft, n: int, count: int) -> list[int]:
    return [draft.integer(0, max(n - 1, 0)) for _ in range(count)]


def _index_like(draft: Draft, shape: list[int], n: int) -> str:
    """The source of an index of a shape, with numbers below n."""
    total = 1
    for size in shape:
        total *= size
    numbers = ", ".join(map(str, _indices(draft, n, total)))
    return f"T.tensor([{numbers}]).reshape({', '.join(map(str, shape))})"


def _along(draft: Draft, x: str, axis: int) -> str:
    """An index for gather and scatter: as x but along the axis, where it has one to four places."""
    shape = list(draft.shape(x))
    n = shape[axis]
    shape[axis] = draft.integer(1, 4)
    return _index_like(draft, shape, n)


def _filled(draft: Draft, *ndims: int) -> str:
    return draft.tensor(*(ndims or (1, 2, 3)), where=lambda t: 0 < t.numel() <= 200)


@value(weight=2)
def gather(draft: Draft) -> str:
    x = _filled(draft)
    axis = draft.axis(x)
    return f"{x}.gather({axis}, {_along(draft, x, axis)})"


@value(weight=2)
def scatter(draft: Draft) -> str:
    x = _filled(draft)
    axis = draft.axis(x)
    size = draft.shape(x)[axis]
    # each place once: which of several is written PyTorch leaves open
    shape = list(draft.shape(x))
    shape[axis] = 1
    index = _index_like(draft, shape, size)
    source = draft.pick([str(draft.number()), draft.like(shape)])
    return f"{x}.scatter({axis}, {index}, {source})"


@value(weight=2)
def scatter_add(draft: Draft) -> str:
    x = _filled(draft)
    axis = draft.axis(x)
    index = _along(draft, x, axis)
    source = draft.like(draft.shape(index))
    reduce = draft.pick(["sum", "mean", "amax", "amin"])
    include = draft.pick(["True", "False"])
    return draft.pick(
        [
            f"{x}.scatter_add({axis}, {index}, {source})",
            f"{x}.scatter_reduce({axis}, {index}, {source}, '{reduce}', include_self={include})",
        ]
    )


@value(weight=2)
def index_select(draft: Draft) -> str:
    x = _filled(draft)
    axis = draft.axis(x)
    numbers = _indices(draft, draft.shape(x)[axis], draft.integer(1, 5))
    return f"{x}.index_select({axis}, T.tensor({numbers}))"


@value
def index_put_together(draft: Draft) -> str:
    x = _filled(draft)
    axis = draft.axis(x)
    size = draft.shape(x)[axis]
    numbers = draft.permutation(size)[: draft.integer(1, size)]
    shape = list(draft.shape(x))
    shape[axis] = len(numbers)
    index, source = f"T.tensor({numbers})", draft.like(shape)
    return draft.pick(
        [
            f"{x}.index_add({axis}, {index}, {source}, alpha={draft.number()})",
            f"{x}.index_copy({axis}, {index}, {source})",
            f"{x}.index_fill({axis}, {index}, {draft.number()})",
        ]
    )


@value
def masked(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 0)
    mask = f"{x} > {draft.pick(['0', '0.5'])}"
    return draft.pick(
        [f"{x}.masked_fill({mask}, {draft.number()})", f"{x}.masked_select({mask})", f"T.where({mask}, {x}, 0.5)"]
    )


@value
def taken(draft: Draft) -> str:
    x = _filled(draft)
    n = draft[x].numel()
    numbers = [draft.integer(-n, n - 1) for _ in range(draft.integer(1, 4))]
    return f"{x}.take(T.tensor({numbers}))"


@statement(weight=2)
def changed_at_indices(draft: Draft) -> str:
    x = _target(draft, lambda t: 0 < t.dim() < 4 and t.numel() <= 200 and all(t.stride()))
    if not draft.shape(x):
        return f"{x}.mul_(2.0)"
    axis = draft.axis(x)
    size = draft.shape(x)[axis]
    numbers = draft.permutation(size)[: draft.integer(1, size)] if size else []
    shape = list(draft.shape(x))
    shape[axis] = len(numbers)
    index, source = f"T.tensor({numbers}, dtype=T.int64)", draft.apart(x, shape, moved=True)
    whole = list(draft.shape(x))
    whole[axis] = 1
    choices = [
        f"{x}.index_add_({axis}, {index}, {source})",
        f"{x}.index_copy_({axis}, {index}, {source})",
        f"{x}.index_fill_({axis}, {index}, {draft.number()})",
        f"{x}.masked_fill_({x} > 0.5, {draft.number()})",
    ]
    if 0 not in whole:
        choices += [
            f"{x}.scatter_({axis}, {_index_like(draft, whole, size)}, {draft.number()})",
            f"{x}.scatter_add_({axis}, {_index_like(draft, whole, size)}, {draft.apart(x, whole, moved=True)})",
        ]
    return draft.pick(choices)


@statement(weight=2)
def in_order(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    values, indices = draft.new_name(), draft.new_name()
    axis = draft.axis(x)
    return f"{values}, {indices} = {x}.sort(dim={axis}, descending={draft.pick(['True', 'False'])}, stable=True)"


@statement(weight=2)
def chosen_by_order(draft: Draft) -> str:
    """The indices of equal elements are left open: only tensors without any."""
    x = draft.tensor(1, 2, 3, where=lambda t: 0 < t.numel() == t.detach().unique().numel())
    if not draft.shape(x) or draft[x].detach().unique().numel() != draft[x].numel() or not draft[x].numel():
        return f"{draft.new_name()} = {x} * 1.0"
    values, indices = draft.new_name(), draft.new_name()
    axis = draft.axis(x)
    size = draft.shape(x)[axis]
    call = draft.pick(
        [
            f"topk({draft.integer(1, size)}, {axis}, largest={draft.pick(['True', 'False'])})",
            f"kthvalue({draft.integer(1, size)}, {axis}{draft.pick(['', ', True'])})",
            f"median({axis}{draft.pick(['', ', True'])})",
            f"cummax({axis})",
            f"cummin({axis})",
        ]
    )
    return f"{values}, {indices} = {x}.{call}"


@value
def middle(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, where=lambda t: t.numel() > 0)
    interpolation = draft.pick(["linear", "lower", "higher", "midpoint", "nearest"])
    if draft[x].detach().unique().numel() < draft[x].numel():
        return f"{x}.median()"  # equal elements share its gradient
    return f"{x}.quantile({draft.pick(['0.25', '0.5', '0.8'])}, {draft.axis(x)}, interpolation='{interpolation}')"
