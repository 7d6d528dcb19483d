"""Losses."""

from math import prod

from ..draft import Draft
from ..table import value


def _reduction(draft: Draft) -> str:
    return draft.pick(["", ", reduction='sum'", ", reduction='none'"])


def _logits(draft: Draft) -> str:
    return draft.tensor(2, 1, 3, 4, where=lambda t: t.numel() > 0)


def _classes(draft: Draft, x: str) -> str:
    """Targets for scores x, ignored ones (-100) among them."""
    shape = draft.shape(x)
    C, places = (shape[0], ()) if len(shape) == 1 else (shape[1], (shape[0], *shape[2:]))
    numbers = [-100 if draft.chance(12) else draft.integer(0, C - 1) for _ in range(min(prod(places), 4))]
    if not places:
        return f"T.tensor({numbers[0]})"
    repeated = [numbers[i % len(numbers)] for i in range(prod(places))]
    return f"T.tensor({repeated}).view{places}" if len(places) > 1 else f"T.tensor({repeated})"


def _class_weight(draft: Draft, x: str) -> str:
    shape = draft.shape(x)
    C = shape[0] if len(shape) == 1 else shape[1]
    return f", T.from_numpy(reals({C}, seed={draft.integer(0, 9)}) ** 2 + 0.5)" if draft.chance(3) else ""


@value
def cross_entropy(draft: Draft) -> str:
    x = _logits(draft)
    options = _class_weight(draft, x) + _reduction(draft) + draft.pick(["", ", label_smoothing=0.25"])
    return f"F.cross_entropy({draft.plain(x)}, {_classes(draft, x)}{options})"


@value
def soft_cross_entropy(draft: Draft) -> str:
    x = _logits(draft)
    target = f"F.softmax({draft.like(draft.shape(x))}, {min(len(draft.shape(x)) - 1, 1)})"
    return f"F.cross_entropy({draft.plain(x)}, {target}{_class_weight(draft, x)}{_reduction(draft)})"


@value
def nll_loss(draft: Draft) -> str:
    x = _logits(draft)
    return f"F.nll_loss({draft.plain(x)}, {_classes(draft, x)}{_class_weight(draft, x)}{_reduction(draft)})"


@value
def mse_loss(draft: Draft) -> str:
    x = draft.tensor()
    return f"F.mse_loss({x}, {draft.like(draft.shape(x))}{_reduction(draft)})"


@value
def l1_loss(draft: Draft) -> str:
    x = draft.tensor()
    return f"F.l1_loss({x}, {draft.like(draft.shape(x))}{_reduction(draft)})"


@value
def kl_div(draft: Draft) -> str:
    x = draft.tensor()
    y = draft.like(draft.shape(x))
    target = draft.pick([f"{y} / 256, log_target=True", f"{y}.abs() + 0.5", f"{y}.relu()"])
    reduction = draft.pick(["", ", reduction='batchmean'", ", reduction='sum'"])
    return f"F.kl_div({x}, {target}{reduction})"


@value(weight=2)
def loss_of_differences(draft: Draft) -> str:
    x = draft.tensor()
    form = draft.pick(
        ["F.smooth_l1_loss({}, {}{})", "F.smooth_l1_loss({}, {}{}, beta=0.5)", "F.huber_loss({}, {}{}, delta=2.0)"]
    )
    return form.format(x, draft.like(draft.shape(x)), _reduction(draft))


@value
def loss_of_logits(draft: Draft) -> str:
    x = draft.tensor()
    target = f"F.sigmoid({draft.like(draft.shape(x))})"
    weight = f", pos_weight=T.tensor({draft.pick([0.5, 2.0])})" if draft.chance(2) else ""
    return f"F.binary_cross_entropy_with_logits({x} / 16, {target}{weight}{_reduction(draft)})"


@value
def loss_of_probabilities(draft: Draft) -> str:
    x = draft.tensor()
    target = f"F.sigmoid({draft.like(draft.shape(x))})"
    return f"F.binary_cross_entropy(0.25 + F.sigmoid({x} / 64) / 2, {target}{_reduction(draft)})"


@value
def loss_of_margins(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3)
    y = draft.like(draft.shape(x))
    form = draft.pick(
        [
            "F.margin_ranking_loss({x}, {y}, T.ones({shape}), 0.5{r})",
            "F.hinge_embedding_loss({x}, -T.ones({shape}), 2.0{r})",
            "F.soft_margin_loss({x} / 64, T.ones({shape}){r})",
            "F.multilabel_soft_margin_loss({x} / 16, T.ones({shape}){r})",
            "F.poisson_nll_loss({x} / 64, {y}.abs(){r})",
        ]
    )
    return form.format(x=x, y=y, shape=list(draft.shape(x)), r=_reduction(draft))


@value
def loss_of_triplets(draft: Draft) -> str:
    x = draft.tensor(2)
    shape = draft.shape(x)
    swap = draft.pick(["", ", swap=True"])
    return f"F.triplet_margin_loss({x}, {draft.like(shape)}, {draft.like(shape)}{swap}{_reduction(draft)})"
