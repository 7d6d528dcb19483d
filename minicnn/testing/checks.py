"""Checks for tests: `check_conv2d(my_conv2d)` raises AssertionError with the judge's verdict if it is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.testing.judge import EXAMPLES, judge


def _checker(operation: str) -> Callable[..., None]:
    """The check of one operation."""

    def check(
        function: Callable,
        backward: Callable | None = None,
        *,
        dtype: Any = None,
        c: float | None = None,
        max_examples: int = EXAMPLES,
        **options: Any,
    ) -> None:
        __tracebackhide__ = True
        if dtype is not None:
            options["fixed"] = {**options.get("fixed", {}), "dtype": (np.dtype(dtype).name,)}
        verdict = judge(function, operation, backward, examples=max_examples, factor=c, **options)
        if not verdict.passed:
            raise AssertionError(verdict.text(verdict.write_reproducer()))

    check.__name__ = check.__qualname__ = f"check_{operation}"
    check.__doc__ = f"""Search for a case where a `{operation}` is wrong; return if there is none.

    Args:
        function: takes NumPy arrays and options as `minicnn.nn.functional.{operation}` does, by name or in its order;
            what it has no parameter for isn't asked.
        backward: takes the gradient with respect to the output first, then the same; returns the gradients. They aren't
            judged if it is left out.
        dtype: float32 or float64; both if None.
        c: factor of the rounding bound, for methods that rearrange sums; equality isn't demanded then.
        max_examples: how many cases to try.
        options: further ones of `minicnn.testing.judge`, such as `seed` or `without=["same"]`.

    Raises:
        AssertionError: with the verdict: what is wrong, and the smallest case.
        CannotTryError: the function can't be judged.
    """
    return check


check_conv2d = _checker("conv2d")
check_conv_transpose2d = _checker("conv_transpose2d")
check_linear = _checker("linear")
check_max_pool2d = _checker("max_pool2d")
check_avg_pool2d = _checker("avg_pool2d")
check_adaptive_avg_pool2d = _checker("adaptive_avg_pool2d")
check_batch_norm = _checker("batch_norm")
check_layer_norm = _checker("layer_norm")
check_relu = _checker("relu")
check_softmax = _checker("softmax")
check_log_softmax = _checker("log_softmax")
check_cross_entropy = _checker("cross_entropy")
check_pad = _checker("pad")
check_unfold = _checker("unfold")
check_fold = _checker("fold")
