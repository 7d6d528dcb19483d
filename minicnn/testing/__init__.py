"""A merciless oracle for convolution and pooling, to point at code of one's own.

    from minicnn.testing import check_conv2d

    check_conv2d(my_conv2d)            # my_conv2d(x, weight, bias, stride, padding, dilation, groups) -> y

searches, with hypothesis, for the smallest case where `my_conv2d` and PyTorch disagree. The strategies and
comparisons that the search is made of are here too; minicnn's own tests are built on them. Needs the extra
`test` (torch and hypothesis).
"""

from minicnn.testing.bounds import assert_within_bound
from minicnn.testing.cases import (
    ConvolutionCase,
    PoolingCase,
    convolutions,
    layouts,
    poolings,
    real_arrays,
    transposed_convolutions,
)
from minicnn.testing.checks import check_avg_pool2d, check_conv2d, check_max_pool2d
from minicnn.testing.judge import judge
from minicnn.testing.process import CannotTryError
from minicnn.testing.verdict import Verdict

__all__ = [
    "CannotTryError",
    "ConvolutionCase",
    "PoolingCase",
    "Verdict",
    "assert_within_bound",
    "check_avg_pool2d",
    "check_conv2d",
    "check_max_pool2d",
    "convolutions",
    "judge",
    "layouts",
    "poolings",
    "real_arrays",
    "transposed_convolutions",
]
