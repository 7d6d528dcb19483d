"""Activations, dropout where it draws nothing, and padding."""

from ..draft import Draft
from ..table import statement, value
from .writing import written

PLAIN = ["softsign", "tanhshrink", "silu", "mish", "hardswish", "hardsigmoid", "relu6", "selu", "logsigmoid"]
WITH_ARGUMENTS = [
    "elu({}, 0.5)", "celu({}, 2.0)", "gelu({})", "gelu({}, approximate='tanh')", "hardtanh({}, -2, 1.5)",
    "softplus({})", "softplus({}, 2, 3)", "softshrink({})", "hardshrink({}, 1.5)", "threshold({}, 0.25, 2)",
    "rrelu({}, 0.25, 0.25)", "leaky_relu({}, -0.5)",
]  # fmt: skip


@value(weight=3)
def activation(draft: Draft) -> str:
    form = draft.pick([f"{name}({{}})" for name in PLAIN] + WITH_ARGUMENTS)
    return "F." + form.format(draft.tensor())


@value
def prelu(draft: Draft) -> str:
    x = draft.tensor(2, 3, 4)
    slopes = draft.shape(x)[1] if draft.chance(2) else 1
    return f"F.prelu({x}, {draft.leaf([slopes])})"


@value
def glu(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4, where=lambda t: t.shape[-1] % 2 == 0)
    return f"F.glu({x}, -1)" if draft.shape(x)[-1] % 2 == 0 else f"{x} * 2"


@value
def softmin(draft: Draft) -> str:
    x = draft.tensor(1, 2, 3, 4)
    return f"F.softmin({x} / 16, {draft.axis(x)})"


@statement
def activation_in_place(draft: Draft) -> str:
    x = written(draft)
    form = draft.pick(
        ["F.elu_({}, 0.5)", "F.selu({}, inplace=True)", "F.silu({}, inplace=True)", "F.hardtanh_({}, -2, 1.5)",
         "F.hardswish({}, inplace=True)", "F.mish({}, inplace=True)", "F.threshold_({}, 0.25, 2)",
         "{}.sigmoid_()", "{}.tanh_()", "F.relu6({}, inplace=True)", "F.celu_({})"]
    )  # fmt: skip
    return form.format(x)


@value
def channel_dropout(draft: Draft) -> str:
    form = draft.pick(
        ["F.alpha_dropout({})", "F.dropout2d({}, 0.5, False)", "F.dropout1d({}, 0.0)", "F.dropout({}, 1.0)"]
    )
    return form.format(draft.tensor(3))
