"""A judge of convolutions, and of what else a network is made of, to point at code of one's own.

    from minicnn.testing import check_conv2d

    check_conv2d(my_conv2d)      # my_conv2d(x, weight, bias, stride, padding, dilation, groups) -> y

raises AssertionError with what is wrong and the smallest case that shows it, drawn beside the right answer; `judge`
returns the same as a `Verdict`, and `minicnn check` prints it. PyTorch answers what is right where it is installed.
Needs the extra `check`. The strategies that minicnn's own tests draw from are in `minicnn.testing.cases`.
"""

from minicnn.testing.bounds import assert_within_bound
from minicnn.testing.checks import (
    check_adaptive_avg_pool2d,
    check_avg_pool2d,
    check_batch_norm,
    check_conv2d,
    check_conv_transpose2d,
    check_cross_entropy,
    check_fold,
    check_layer_norm,
    check_linear,
    check_log_softmax,
    check_max_pool2d,
    check_pad,
    check_relu,
    check_softmax,
    check_unfold,
)
from minicnn.testing.judge import judge
from minicnn.testing.process import CannotTryError
from minicnn.testing.verdict import Verdict

__all__ = [
    "CannotTryError",
    "Verdict",
    "assert_within_bound",
    "check_adaptive_avg_pool2d",
    "check_avg_pool2d",
    "check_batch_norm",
    "check_conv2d",
    "check_conv_transpose2d",
    "check_cross_entropy",
    "check_fold",
    "check_layer_norm",
    "check_linear",
    "check_log_softmax",
    "check_max_pool2d",
    "check_pad",
    "check_relu",
    "check_softmax",
    "check_unfold",
    "judge",
]
