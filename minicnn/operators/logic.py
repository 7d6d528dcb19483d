"""Logic: on truth, and on the bits of integers."""

from typing import Any

import numpy as np

from minicnn.errors import DtypeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.binary import comparing
from minicnn.operators.out import deliver
from minicnn.operators.unary import without_gradient

logical_and = comparing("logical_and", "Whether neither input nor other is 0", np.logical_and, "none")
logical_or = comparing("logical_or", "Whether input or other isn't 0", np.logical_or, "none")
logical_xor = comparing("logical_xor", "Whether exactly one of input and other is 0", np.logical_xor, "none")
bitwise_and = comparing("bitwise_and", "The bits set in input and other", np.bitwise_and, "either", "iub")
bitwise_or = comparing("bitwise_or", "The bits set in input or other", np.bitwise_or, "either", "iub")
bitwise_xor = comparing("bitwise_xor", "The bits set in one of input and other", np.bitwise_xor, "either", "iub")
bitwise_left_shift = comparing(
    "bitwise_left_shift", "The bits of input moved up by other places", np.left_shift, "either", "iu"
)
bitwise_right_shift = comparing(
    "bitwise_right_shift", "The bits of input moved down by other places", np.right_shift, "either", "iu"
)


def logical_not(input: Any, *, out: Any = None) -> Any:
    """Whether x is 0, elementwise.

    Args:
        input: any shape.
        out: a Tensor that receives the result.
    """
    return deliver(without_gradient(np.logical_not, input), out)


def bitwise_not(input: Any, *, out: Any = None) -> Any:
    """All bits of x the other way, elementwise; of a bool, whether it is False.

    Args:
        input: any shape, integers or bools.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: for floating point.
    """
    dtype = array_argument(input, "bitwise_not").dtype
    if dtype.kind == "f":
        raise DtypeError(f"bitwise_not is not defined for {dtype}")
    return deliver(without_gradient(np.invert, input), out, same_dtype=True)
