"""Elementwise operations and products of matrices."""

from ..draft import Draft
from ..table import value


def _unary(draft: Draft, form: str) -> str:
    return form.format(draft.tensor())


@value
def negative(draft: Draft) -> str:
    return _unary(draft, "-{}")


@value
def absolute(draft: Draft) -> str:
    return _unary(draft, draft.pick(["{}.abs()", "T.abs({})"]))


@value
def exp(draft: Draft) -> str:
    return _unary(draft, "T.exp({} / 64)")


@value
def log(draft: Draft) -> str:
    return _unary(draft, "T.log({}.abs() + 0.5)")


@value
def sqrt(draft: Draft) -> str:
    return _unary(draft, "({}.abs() + 0.5).sqrt()")


@value
def sigmoid(draft: Draft) -> str:
    return _unary(draft, draft.pick(["F.sigmoid({})", "{}.sigmoid()"]))


@value
def tanh(draft: Draft) -> str:
    return _unary(draft, draft.pick(["T.tanh({})", "{}.tanh()"]))


@value(weight=2)
def relu(draft: Draft) -> str:
    return _unary(draft, draft.pick(["F.relu({})", "{}.relu()"]))


@value
def leaky_relu(draft: Draft) -> str:
    return _unary(draft, draft.pick(["F.leaky_relu({})", "F.leaky_relu({}, 0.25)"]))


@value
def clamp(draft: Draft) -> str:
    return _unary(draft, draft.pick(["{}.clamp(-1, 2)", "{}.clamp(min=0)", "T.clamp({}, max=1.5)"]))


@value
def power(draft: Draft) -> str:
    return _unary(draft, draft.pick(["{} ** 2", "{}.pow(3)", "({}.abs() + 0.5) ** -0.5", "{} ** 0", "{} ** 1"]))


@value
def dropout(draft: Draft) -> str:
    return _unary(draft, draft.pick(["F.dropout({}, 0.0)", "F.dropout({}, 0.5, training=False)"]))


@value
def with_number(draft: Draft) -> str:
    form = draft.pick(["{x} * {c}", "{x} + {c}", "{c} - {x}", "{x} / {c}", "{c} / ({x}.abs() + 0.5)"])
    return form.format(x=draft.tensor(), c=draft.number())


@value(weight=2)
def residual(draft: Draft) -> str:
    x = draft.tensor()
    return f"{x} + {draft.like(draft.shape(x))}"


@value(weight=3)
def broadcast(draft: Draft) -> str:
    x = draft.tensor()
    y = draft.like(draft.shape(x), broadcast=True)
    form = draft.pick(["{x} + {y}", "{y} - {x}", "{x} * {y}", "{x} / ({y}.abs() + 0.5)", "{x}.add({y}, alpha=2)"])
    return form.format(x=x, y=y)


@value
def mutual_broadcast(draft: Draft) -> str:
    """A row and a column."""
    x = draft.tensor(1, 2, 3)
    shape = [draft.size() if n == 1 else 1 for n in draft.shape(x)]
    return f"{x} * {draft.leaf([*shape[: draft.integer(1, len(shape))], 1])}"


@value
def extremum(draft: Draft) -> str:
    x = draft.tensor()
    return f"T.{draft.pick(['max', 'min'])}({x}, {draft.like(draft.shape(x), broadcast=True)})"


@value
def where(draft: Draft) -> str:
    x = draft.tensor()
    y = draft.like(draft.shape(x), broadcast=True)
    return f"T.where({x} {draft.pick(['>', '<=', '=='])} {draft.pick(['0', y])}, {x}, {y})"


@value
def comparison(draft: Draft) -> str:
    x = draft.tensor()
    return f"{x} {draft.pick(['>', '<', '==', '!='])} {draft.like(draft.shape(x), broadcast=True)}"


@value(weight=2)
def linear(draft: Draft) -> str:
    x = draft.tensor(2, 1, 3)
    features, outputs = draft.shape(x)[-1], draft.channels()
    return f"F.linear({x}, {draft.weight((outputs, features), features)}, {draft.bias(outputs)})"


@value
def matmul(draft: Draft) -> str:
    x = draft.tensor(2, 3, 1, 4)
    inner = draft.shape(x)[-1]
    batch = draft.shape(x)[:-2] if draft.chance(3) else ()
    shape = (inner,) if not batch and draft.chance(3) else (*batch, inner, draft.size())
    y = draft.weight(shape, inner)
    return draft.pick([f"{x} @ {y}", f"T.matmul({x}, {y})", f"{x}.matmul({y})"])


@value
def gram(draft: Draft) -> str:
    x = draft.tensor(2)
    return f"{x} @ {x}.T / 8"
