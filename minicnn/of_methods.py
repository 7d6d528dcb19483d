"""Functions that PyTorch has as methods, too, and that need no more: `minicnn.exp_(x)` is `x.exp_()`."""

import functools
from collections.abc import Callable
from typing import Any

from minicnn.tensor import Tensor

NAMES = (
    *("abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_"),
    *("asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "clone", "cos_"),
    *("cosh_", "deg2rad_", "detach", "detach_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_", "floor_"),
    *("frac_", "gcd_", "get_device", "i0_", "index_put_", "is_conj", "is_inference", "is_neg", "is_same_size"),
    *("is_signed", "lcm_", "ldexp_", "log10_", "log1p_", "log2_", "log_", "logit_", "nan_to_num_", "neg_"),
    *("negative_", "numel", "rad2deg_", "reciprocal_", "round_", "rsqrt_", "sin_", "sinc_", "sinh_", "sqrt_"),
    *("square_", "tan_", "trunc_", "xlogy_", "zero_"),
)
"""The methods of Tensor that are functions of `minicnn` just so."""


def function_of(name: str) -> Callable:
    """A method of Tensor as a function.

    Raises, when it is called:
        TypeError: for a first argument that is no Tensor.
    """
    method = getattr(Tensor, name)

    @functools.wraps(method)
    def function(input: Any, *arguments: Any, **named: Any) -> Any:
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        return method(input, *arguments, **named)

    function.__name__ = function.__qualname__ = name
    return function


FUNCTIONS = {name: function_of(name) for name in NAMES}
