"""minicnn's own operations under the judge that users point at theirs, every rung of convolution among them."""

import functools

import pytest

import minicnn.nn.functional as F
from minicnn.testing import judge
from minicnn.testing.operations import OPERATIONS

RUNGS = ("naive", "im2col", "tiled", "packed", "registers", "implicit")
FUNCTIONS = {
    **{name: (name, getattr(F, name), {}) for name in OPERATIONS},
    **{
        f"{name} by {rung}": (name, functools.partial(getattr(F, name), algorithm=rung), {})
        for name in ("conv2d", "conv_transpose2d")
        for rung in RUNGS
    },
    "conv2d by winograd": (
        "conv2d",
        functools.partial(F.conv2d, algorithm="winograd"),
        {
            "factor": 64.0,
            "fixed": {"KH": (3,), "KW": (3,), "groups": (1,)},
            "without": ["stride", "dilation", "groups"],
        },
    ),
}


USUAL = "conv2d", "conv_transpose2d", "linear", "max_pool2d", "batch_norm", "cross_entropy"
"""Judged whenever the suite runs; the others take as long again, most of it compiling."""


@pytest.mark.parametrize(
    "name", [*USUAL, *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(FUNCTIONS.keys() - set(USUAL)))]
)
def test_the_judge_acquits(name, request):
    operation, function, options = FUNCTIONS[name]
    seed = int(request.config.option.hypothesis_seed)
    verdict = judge(
        function, operation, takes="minicnn", examples=60, seed=seed, seconds=600, isolated=False, **options
    )
    assert verdict.passed, verdict.text()
    gradients = next(row for row in verdict.coverage if row.option == "gradients")
    assert gradients.passed > 30
