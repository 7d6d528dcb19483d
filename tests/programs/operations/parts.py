"""Normalisation of parts, sequences, resizing and sampling of images, tables of vectors, distances."""

from typing import Any

from ..draft import Draft
from ..table import value
from .windows import axis, groups_of


def _parts_vary(t: Any) -> bool:
    """Whether every channel of every example varies: a norm makes anything of the rounding errors of a constant one."""
    return t.numel() > 0 and t.shape[2:].numel() > 1 and _varies(t.detach().flatten(2))


def _varies(rows: Any) -> bool:
    var, mean = rows.var(-1), rows.mean(-1)
    return bool((var >= 1e-3 + 1e-4 * mean**2).all())


def _affine(draft: Draft, shape: tuple[int, ...]) -> str:
    return draft.pick(["", f", {draft.like(shape)}, {draft.like(shape)}", f", {draft.like(shape)}"])


@value(weight=2)
def instance_norm(draft: Draft) -> str:
    x = draft.tensor(4, 3, where=_parts_vary)
    C = draft.shape(x)[1]
    affine = draft.pick(["", f", None, None, {draft.like((C,))}, {draft.like((C,))}"])
    return f"F.instance_norm({x}{affine}{draft.pick(['', ', eps=0.125'])})"


@value(weight=2)
def group_norm(draft: Draft) -> str:
    x = draft.tensor(4, 3, where=_parts_vary)
    C = draft.shape(x)[1]
    return f"F.group_norm({x}, {groups_of(draft, C)}{_affine(draft, (C,))})"


@value(weight=2)
def layer_norm(draft: Draft) -> str:
    x = draft.tensor(2, 3, 4, where=lambda t: t.numel() > 0 and t.shape[-1] > 1 and _varies(t.detach()))
    shape = draft.shape(x)[-draft.integer(1, draft[x].dim() - 1) :]
    return f"F.layer_norm({x}, {tuple(shape)}{_affine(draft, tuple(shape))})"


@value
def rms_norm(draft: Draft) -> str:
    x = draft.tensor(2, 3, 4, where=lambda t: t.numel() > 0 and bool((t.detach().square().mean(-1) > 1e-3).all()))
    n = draft.shape(x)[-1]
    return f"F.rms_norm({x}, ({n},){draft.pick(['', f', {draft.like((n,))}'])})"


@value
def local_response_norm(draft: Draft) -> str:
    x = draft.tensor(3, 4)
    return f"F.local_response_norm({x}, {draft.integer(1, 5)}{draft.pick(['', ', alpha=0.5, beta=0.75, k=2.0'])})"


def _sequence(draft: Draft) -> str:
    return draft.tensor(3, where=lambda t: t.numel() > 0)


@value(weight=2)
def conv1d(draft: Draft) -> str:
    x = _sequence(draft)
    _, C, L = draft.shape(x)
    a, groups = axis(draft, L), groups_of(draft, C)
    outputs = groups * draft.integer(1, 3)
    weight = draft.weight((outputs, C // groups, a.kernel), C // groups * a.kernel)
    options = f"stride={a.stride}, padding={a.padding}, dilation={a.dilation}, groups={groups}"
    return f"F.conv1d({draft.plain(x)}, {draft.plain(weight)}, {draft.bias(outputs)}, {options})"


@value
def conv_transpose1d(draft: Draft) -> str:
    x = _sequence(draft)
    C, outputs, kernel, stride = draft.shape(x)[1], draft.integer(1, 4), draft.integer(1, 3), draft.integer(1, 2)
    weight = draft.weight((C, outputs, kernel), C * kernel)
    options = f"stride={stride}, output_padding={draft.integer(0, stride - 1)}"
    return f"F.conv_transpose1d({draft.plain(x)}, {draft.plain(weight)}, {draft.bias(outputs)}, {options})"


@value
def pool1d(draft: Draft) -> str:
    x = _sequence(draft)
    a = axis(draft, draft.shape(x)[-1], pooling=True)
    name, more = draft.pick([("max", f", dilation={a.dilation}"), ("avg", "")])
    if name == "avg":
        a.dilation = 1
    return f"F.{name}_pool1d({x}, {a.kernel}, stride={a.stride}, padding={a.padding}{more})"


@value
def adaptive_pool1d(draft: Draft) -> str:
    return f"F.adaptive_{draft.pick(['avg', 'max'])}_pool1d({_sequence(draft)}, {draft.integer(1, 5)})"


@value(weight=2)
def interpolate(draft: Draft) -> str:
    mode, ndim = draft.pick(
        [
            ("nearest", 4),
            ("nearest-exact", 4),
            ("bilinear", 4),
            ("bicubic", 4),
            ("area", 4),
            ("nearest", 3),
            ("linear", 3),
        ]
    )
    # of images a single pixel wide, or to be, PyTorch confuses rows and columns when it resizes them with antialias
    x = draft.tensor(ndim, where=lambda t: t.numel() > 0)
    wide = min(draft.shape(x)[2:]) > 1
    options = f", mode={mode!r}"
    if mode in ("linear", "bilinear", "bicubic"):
        options += draft.pick(["", ", align_corners=True", ", align_corners=False"])
        options += ", antialias=True" if ndim == 4 and wide and draft.chance(4) else ""
    if draft.chance(2):
        return f"F.interpolate({x}, scale_factor={draft.pick([2, 3, 1.5, 2.0])}{options})"
    sizes = tuple(draft.integer(2 if "antialias" in options else 1, 9) for _ in range(ndim - 2))
    return f"F.interpolate({x}, size={sizes}{options})"


@value
def pixel_shuffle(draft: Draft) -> str:
    r = draft.integer(1, 3)
    x = draft.like((draft.integer(1, 2), draft.integer(1, 2) * r * r, draft.integer(1, 4), draft.integer(1, 4)))
    return f"F.pixel_shuffle({x}, {r})"


@value
def pixel_unshuffle(draft: Draft) -> str:
    r = draft.integer(1, 3)
    x = draft.like((draft.integer(1, 2), draft.integer(1, 2), draft.integer(1, 3) * r, draft.integer(1, 3) * r))
    return f"F.pixel_unshuffle({x}, {r})"


@value
def channel_shuffle(draft: Draft) -> str:
    x = draft.tensor(3, 4, where=lambda t: t.numel() > 0)
    return f"F.channel_shuffle({x}, {groups_of(draft, draft.shape(x)[1])})"


@value
def grid_sample(draft: Draft) -> str:
    x = draft.tensor(4, where=lambda t: t.numel() > 0)
    theta = draft.like((draft.shape(x)[0], 2, 3))
    size = (*draft.shape(x)[:2], draft.integer(1, 4), draft.integer(2, 4))
    aligned = draft.pick(["True", "False"])
    grid = f"F.affine_grid({theta}, {size}, align_corners={aligned})"
    options = f"mode={draft.pick(['bilinear', 'bicubic'])!r}, padding_mode={draft.pick(['zeros', 'border'])!r}"
    return f"F.grid_sample({x}, {grid}, {options}, align_corners={aligned})"


@value
def embedding(draft: Draft) -> str:
    weight = draft.tensor(2, where=lambda t: t.numel() > 0)
    rows = draft.shape(weight)[0]
    indices = [draft.integer(0, rows - 1) for _ in range(draft.integer(1, 6))]
    options = draft.pick(["", f", padding_idx={draft.integer(0, rows - 1)}", ", scale_grad_by_freq=True"])
    return f"F.embedding(T.tensor({indices}), {weight}{options})"


@value
def cosine_similarity(draft: Draft) -> str:
    x = draft.tensor(2, 3, 4, where=lambda t: t.numel() > 0 and bool((t.detach().norm(dim=1) > 0.1).all()))
    other = draft.like(draft.shape(x))
    if not bool((draft[other].detach().norm(dim=1) > 0.1).all()):
        other = x
    return f"F.cosine_similarity({x}, {other}{draft.pick(['', ', dim=1'])})"


@value
def pairwise_distance(draft: Draft) -> str:
    x = draft.tensor(2, 3, where=lambda t: t.numel() > 0)
    other = draft.like(draft.shape(x))
    apart = (draft[x].detach() - draft[other].detach()).norm(dim=-1)
    if not bool((apart > 0.1).all()):  # the gradient of a distance near 0 makes anything of rounding errors
        return f"F.pairwise_distance({x}, -{x} + 1.5, p=1.0)"
    return f"F.pairwise_distance({x}, {other}{draft.pick(['', ', keepdim=True'])})"


@value
def bilinear(draft: Draft) -> str:
    x = draft.tensor(2, where=lambda t: t.numel() > 0)
    N, width = draft.shape(x)
    J, O = draft.integer(1, 3), draft.integer(1, 3)
    return f"F.bilinear({x}, {draft.like((N, J))}, {draft.weight((O, width, J), width * J)}, {draft.bias(O)})"
