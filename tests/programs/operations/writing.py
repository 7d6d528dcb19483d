"""Changes in place, of tensors and through views of them."""

from collections.abc import Callable
from typing import Any

from ..draft import Draft
from ..table import statement
from .shapes import basic_key, index_key


def _target(draft: Draft, where: Callable[[Any], bool] = lambda _: True) -> str:
    """A tensor that may be written to: not a leaf that requires a gradient, but for once in a while."""

    def writable(t: Any) -> bool:
        return t.numel() > 0 and not (t.is_leaf and t.requires_grad) and where(t)

    found = draft.tensors("f", writable)
    if found and not draft.chance(40):
        return found[0] if draft.chance(2) else draft.pick(found)
    x = draft.tensor(1, 2, 3, 4)
    if draft.chance(20):
        return x
    name = draft.new_name()
    draft.add(f"{name} = {x} * 1.5")
    return name


def written(draft: Draft) -> str:
    """Something to write to: a tensor, or what one or several views of it show."""
    x = _target(draft)
    return draft.through_views(x) if draft.chance(2) else x


@statement(weight=2)
def relu_in_place(draft: Draft) -> str:
    x = written(draft)
    return draft.pick([f"{x}.relu_()", f"F.relu({x}, inplace=True)", f"F.leaky_relu({x}, 0.25, inplace=True)"])


@statement(weight=3)
def arithmetic_in_place(draft: Draft) -> str:
    x = written(draft)
    y = draft.pick([str(draft.number()), draft.apart(x, draft.shape(x), broadcast=True)])
    method = draft.pick(["add_", "mul_", "sub_", "copy_"])
    if method == "copy_" and not y.startswith("t"):
        return f"{x}.fill_({y})"
    return f"{x}.{method}({y})"


@statement
def dividing_in_place(draft: Draft) -> str:
    return f"{written(draft)}.div_({draft.number()})"


@statement
def power_in_place(draft: Draft) -> str:
    return f"{written(draft)}.pow_(2)"


@statement
def clamping_in_place(draft: Draft) -> str:
    return f"{written(draft)}.clamp_({draft.pick(['-1, 2', 'min=0', 'max=1.5'])})"


@statement
def dropout_in_place(draft: Draft) -> str:
    return f"F.dropout({written(draft)}, {draft.pick(['0.0', '0.5, training=False'])}, inplace=True)"


@statement
def zeroing(draft: Draft) -> str:
    return f"{written(draft)}.zero_()"


@statement(weight=3)
def augmented(draft: Draft) -> str:
    """x += y, x[key] *= y"""
    x = _target(draft)
    if draft.shape(x) and draft.chance(2):
        x = f"{x}[{basic_key(draft, draft.shape(x))}]"
    y = draft.pick([str(draft.number()), draft.apart(x, draft.shape(x), broadcast=True)])
    return f"{x} {draft.pick(['+=', '*=', '-='])} {y}"


@statement(weight=4)
def assigned(draft: Draft) -> str:
    """x[key] = y, of a view of x at times"""
    x = _target(draft, lambda t: t.dim() > 0)
    if draft.chance(3):
        viewed = draft.through_views(x)
        x = viewed if draft.shape(viewed) else x
    key = f"{x}[{basic_key(draft, draft.shape(x))}]"
    y = draft.pick([str(draft.number()), draft.apart(key, draft.shape(key), broadcast=True)])
    return f"{key} = {y}"


@statement
def assigned_everywhere(draft: Draft) -> str:
    x = written(draft)
    return f"{x}[...] = {draft.apart(x, draft.shape(x), broadcast=True)}"


@statement(weight=2)
def assigned_by_index(draft: Draft) -> str:
    # PyTorch writes to a tensor that refers to one place several times, and then fails in its backward pass.
    x = _target(draft, lambda t: t.dim() > 0 and all(t.stride()))
    key = f"{x}[{index_key(draft, x)}]"
    y = draft.pick([str(draft.number()), draft.apart(x, draft.shape(key)[1:], broadcast=True, moved=True)])
    if not y.startswith("t"):
        return f"{key} {draft.pick(['=', '=', '*='])} {y}"
    return f"{key} = {y}"


@statement
def named_view_written(draft: Draft) -> str:
    """A view that keeps a name of its own is written to; both must follow."""
    x, name = _target(draft), draft.new_name()
    draft.add(f"{name} = {draft.through_views(x)}")
    return f"{name}.mul_({draft.number()})" if not draft.error else f"{x}.mul_({draft.number()})"
