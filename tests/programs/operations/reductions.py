"""Sums, means, extremes."""

from ..draft import Draft
from ..table import statement, value


def _dims(draft: Draft, x: str, several: bool = True) -> str:
    """The `dim` argument and `keepdim`, or nothing."""
    ndim = len(draft.shape(x))
    if not ndim or draft.chance(4):
        return ""
    if several and ndim > 1 and draft.chance(2):
        chosen = draft.permutation(ndim)[: draft.integer(1, ndim)]
        dim = f"({', '.join(str(d - ndim if draft.chance(2) else d) for d in chosen)},)"
    else:
        dim = str(draft.axis(x))
    return dim + draft.pick(["", ", keepdim=True"])


@value(weight=2)
def sum_of(draft: Draft) -> str:
    x = draft.tensor()
    return f"{x}.sum({_dims(draft, x)})"


@value(weight=2)
def mean(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 0)
    return f"{x}.mean({_dims(draft, x)})"


@value
def var(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 1)
    dims = _dims(draft, x)
    correction = draft.pick(["", "unbiased=False", "correction=0"])
    return f"{x}.var({', '.join(part for part in (dims, correction) if part)})"


@value
def std(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    return f"T.std({x}, {draft.axis(x)}, unbiased=False)"


@value
def centred(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4)
    return f"{x} - {x}.mean({draft.axis(x)}, keepdim=True)"


@statement(weight=2)
def extreme_along(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4, where=lambda t: t.numel() > 0)
    values, indices = draft.new_name(), draft.new_name()
    keep = draft.pick(["", ", keepdim=True"])
    return f"{values}, {indices} = {x}.{draft.pick(['max', 'min'])}({draft.axis(x)}{keep})"


@value
def extreme_of_all(draft: Draft) -> str:
    return f"{draft.tensor(where=lambda t: t.numel() > 0)}.{draft.pick(['max', 'min'])}()"


@value
def argmax(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 0)
    return f"{x}.{draft.pick(['argmax', 'argmin'])}({_dims(draft, x, several=False)})"


@value
def softmax(draft: Draft) -> str:
    x = draft.tensor()
    return f"F.softmax({x}, {draft.axis(x)})"


@value
def log_softmax(draft: Draft) -> str:
    x = draft.tensor()
    return f"{x}.log_softmax({draft.axis(x)})"


@value
def product(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    return f"{x}.prod({draft.axis(x)}{draft.pick(['', ', True'])})"


@value(weight=2)
def norm(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 0)
    order = draft.pick(["2", "1", "2", "float('inf')", "3"])
    return f"{x}.norm({order}, {draft.axis(x)}{draft.pick(['', ', True'])})" if draft.shape(x) else f"{x}.norm()"


@value
def extreme_over(draft: Draft) -> str:
    x = draft.tensor(where=lambda t: t.numel() > 0)
    return f"{x}.{draft.pick(['amax', 'amin'])}({_dims(draft, x)})"


@value
def logsumexp(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, where=lambda t: t.numel() > 0)
    return f"{x}.logsumexp({draft.axis(x)}{draft.pick(['', ', True'])})"


@value
def running(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    axis = draft.axis(x)
    scan = draft.pick(["cumsum", "cumsum", "cumprod", "logcumsumexp"])
    return draft.pick([f"{x}.{scan}({axis})", f"{x}.diff(dim={axis})"])
