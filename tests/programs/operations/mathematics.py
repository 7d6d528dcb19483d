"""Elementwise mathematics, rounding, logic, and all of it in place."""

from ..draft import Draft
from ..table import statement, value
from .writing import written


@value(weight=3)
def smooth_function(draft: Draft) -> str:
    x = draft.tensor()
    method = draft.pick(["sin", "cos", "atan", "asinh", "erf", "erfc", "sinc", "square", "deg2rad"])
    tamed = {
        "expm1": f"({x} / 64)",
        "exp2": f"({x} / 64)",
        "sinh": f"({x} / 64)",
        "cosh": f"({x} / 64)",
        "tan": f"({x} / 1024)",
        "asin": f"({x} / 1024)",
        "acos": f"({x} / 1024)",
        "atanh": f"({x} / 1024)",
        "logit": f"({x} / 4096 + 0.5)",
        "acosh": f"({x}.abs() + 1.5)",
        "lgamma": f"({x}.abs() + 0.5)",
        "digamma": f"({x}.abs() + 0.5)",
        "log1p": f"({x}.abs() + 0.5)",
        "log2": f"({x}.abs() + 0.5)",
        "log10": f"({x}.abs() + 0.5)",
        "rsqrt": f"({x}.abs() + 0.5)",
    }
    if draft.chance(2):
        method, x = draft.pick(list(tamed.items()))
    return f"T.{method}({x})" if draft.chance(2) else f"{x}.{method}()"


@value(weight=2)
def stepped_function(draft: Draft) -> str:
    """What jumps, moved so that it seldom jumps where whole numbers are."""
    method = draft.pick(["floor()", "ceil()", "trunc()", "round()", "round(decimals=1)", "frac()", "sign()"])
    return f"({draft.tensor()} * 0.75 + 0.3).{method}"


@value(weight=2)
def function_of_two(draft: Draft) -> str:
    x = draft.tensor()
    y = draft.like(draft.shape(x), broadcast=True)
    form = draft.pick(
        [
            "T.maximum({x}, {y})",
            "{x}.minimum({y})",
            "T.fmax({x}, {y})",
            "{x}.fmin({y})",
            "T.atan2({x}, {y}.abs() + 0.5)",
            "T.hypot({x}, {y}.abs() + 0.5)",
            "T.logaddexp({x}, {y})",
            "{x}.logaddexp2({y})",
            "T.xlogy({x}, {y}.abs() + 0.5)",
            "T.copysign({x}, {y} + 0.3)",
            "T.fmod({x}, 3.3)",
            "T.remainder({x}, 3.3)",
            "T.sub({x}, {y}, alpha=0.5)",
            "T.rsub({x}, {y}, alpha=2)",
            "T.div({x}, 1.7, rounding_mode='trunc')",
            "T.div({x} + 0.3, {y}.abs() + 0.7, rounding_mode='floor')",
            "T.clamp({x}, min={y})",
            "{x}.clamp_max({y})",
        ]
    )
    return form.format(x=x, y=y)


@value(weight=2)
def function_of_three(draft: Draft) -> str:
    x = draft.tensor()
    y, z = (draft.like(draft.shape(x), broadcast=True) for _ in range(2))
    form = draft.pick(
        [
            "T.lerp({x}, {y}, 0.25)",
            "{x}.lerp({y}, {z} / 64)",
            "T.addcmul({x}, {y}, {z}, value=0.5)",
            "{x}.addcdiv({y}, {z}.abs() + 0.5, value=-2)",
            "T.clamp({x}, {y}, {z})",
        ]
    )
    return form.format(x=x, y=y, z=z)


@value
def logic(draft: Draft) -> str:
    x = draft.tensor()
    y = draft.like(draft.shape(x), broadcast=True)
    form = draft.pick(
        [
            "T.logical_and({x} > 0, {y} > 0)",
            "({x} > 1) ^ ({y} < 0)",
            "T.logical_not({x})",
            "~({x} > 0)",
            "T.isfinite({x})",
            "T.isclose({x}, {x} + 1e-12)",
            "T.where(T.isnan({x}), 0.0, {x})",
            "T.nan_to_num({x})",
            "({x} - 0.03125).signbit()",
        ]
    )
    return form.format(x=x, y=y)


@statement(weight=2)
def function_in_place(draft: Draft) -> str:
    method = draft.pick(
        ["sin", "cos", "atan", "erf", "square", "neg", "abs", "tanh", "sigmoid", "asinh", "sinc", "floor", "sign"]
    )
    return f"{written(draft)}.{method}_()"


@statement(weight=2)
def function_of_several_in_place(draft: Draft) -> str:
    x = written(draft)
    y, z = (draft.apart(x, draft.shape(x), broadcast=True) for _ in range(2))
    form = draft.pick(
        [
            "lerp_({y}, 0.25)",
            "lerp_({y}, {z} / 64)",
            "addcmul_({y}, {z}, value=0.5)",
            "addcdiv_({y}, {z}.abs() + 0.5)",
            "sub_({y}, alpha=2)",
            "atan2_({y}.abs() + 0.5)",
            "clamp_min_(-0.3)",
            "clamp_max_({y})",
            "fmod_(3.3)",
            "div_(1.7, rounding_mode='floor')",
            "gt_({y} + 0.3)",
            "nan_to_num_()",
            "round_(decimals=1)",
        ]
    )
    return f"{x}.{form.format(y=y, z=z)}"
