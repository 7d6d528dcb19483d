"""Products, diagonals and triangles of matrices; distances."""

from ..draft import Draft
from ..table import value, view


def _matrix(draft: Draft) -> str:
    return draft.tensor(2, where=lambda t: t.numel() > 0)


@value(weight=2)
def products(draft: Draft) -> str:
    x = _matrix(draft)
    inner = draft.shape(x)[-1]
    y, v = draft.weight((inner, draft.size()), inner), draft.weight((inner,), inner)
    return draft.pick([f"{x}.mm({y})", f"{x}.mv({v})", f"T.mm({x}, {y})", f"T.outer({v}, {v})", f"{v}.dot({v})"])


@value
def stacks(draft: Draft) -> str:
    x = draft.tensor(3, where=lambda t: t.numel() > 0)
    batch, _, inner = draft.shape(x)
    y = draft.weight((batch, inner, draft.size()), inner)
    return draft.pick([f"{x}.bmm({y})", f"T.einsum('bij,bjk->bik', {x}, {y})", f"T.einsum('bij,bjk->ki', {x}, {y})"])


@value
def added_products(draft: Draft) -> str:
    x = _matrix(draft)
    rows, inner = draft.shape(x)
    columns = draft.size()
    y, z = draft.weight((inner, columns), inner), draft.like((rows, columns), broadcast=True)
    return f"T.addmm({z}, {x}, {y}, beta={draft.number()}, alpha={draft.number()})"


@value(weight=2)
def einsum(draft: Draft) -> str:
    x = _matrix(draft)
    equation = draft.pick(["ij->ji", "ij->i", "ij->", "ij,ij->j", "ij,ik->jk", "ij,kj->ik", "...j,...j->...", "ij,ij"])
    if "," not in equation:
        return f"T.einsum('{equation}', {x})"
    return f"T.einsum('{equation}', {x}, {x}) / 8"


@view
def diagonal(draft: Draft, x: str) -> str:
    if len(draft.shape(x)) < 2:
        return x
    first, second = draft.permutation(len(draft.shape(x)))[:2]
    return f"{x}.diagonal({draft.integer(-2, 2)}, {first}, {second})"


@value
def triangle(draft: Draft) -> str:
    x = draft.tensor(2, 3)
    return f"{x}.{draft.pick(['tril', 'triu'])}({draft.integer(-2, 2)})"


@value
def diagonals(draft: Draft) -> str:
    x = draft.tensor(1, 2)
    return draft.pick([f"T.diag({x}, {draft.integer(-1, 1)})", f"T.diag_embed({x})"])


@value
def distances(draft: Draft) -> str:
    x = _matrix(draft)
    y = draft.like((draft.size(), draft.shape(x)[1]))
    return f"T.cdist({x}, {y}, {draft.pick(['2.0', '1.0'])})"


@value
def normalized(draft: Draft) -> str:
    x = draft.tensor(2, 3, where=lambda t: t.numel() > 0)
    return f"F.normalize({x}, dim={draft.axis(x)}, eps=0.125)"  # a smaller norm would amplify rounding errors
