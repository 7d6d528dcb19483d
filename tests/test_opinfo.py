"""Whatever minicnn shares with PyTorch agrees on PyTorch's own samples; see `opinfo.py`."""

import pytest
import torch
from opinfo import databases, dtypes_of, modules, operations, tally, tally_module

try:
    databases()
except ImportError as error:
    pytest.skip(f"this torch carries no OpInfo samples: {error}", allow_module_level=True)

FIRST = 2
"""How many samples of each kind the short run takes."""

MOST = 12
"""How many samples of each kind the long run takes; a few operations have thousands."""

OPERATIONS = [
    pytest.param(op, variant, id=f"{variant.name}-{op.variant_test_name}".rstrip("-")) for op, variant in operations()
]
MODULES = [pytest.param(info, id=info.module_cls.__name__) for info in modules()]


def fail_on(tallies: list) -> None:
    """Fail with the first failures, where there are any."""
    failures = [failure for tally in tallies for failure in tally.failures]
    assert not failures, f"{len(failures)} cases differ, among them:\n" + "\n".join(failures[:5])
    if not any(tally.counts for tally in tallies):
        pytest.skip("PyTorch has no sample for this way of calling it")


@pytest.mark.parametrize(("op", "variant"), OPERATIONS)
def test_first_samples_of_an_operation(op, variant):
    """Two that compute, and two that must raise."""
    fail_on([tally(op, variant, dtypes_of(op)[0], ("sample", "error"), FIRST)])


@pytest.mark.parametrize("info", MODULES)
def test_first_samples_of_a_module(info):
    """Two in float32, in training."""
    fail_on([tally_module(info, torch.float32, True, limit=FIRST)])


@pytest.mark.slow
@pytest.mark.parametrize(("op", "variant"), OPERATIONS)
def test_operation(op, variant):
    """Samples in every dtype, in several memory orders, and what must raise."""
    fail_on([tally(op, variant, dtype, limit=MOST) for dtype in dtypes_of(op)])


@pytest.mark.slow
@pytest.mark.parametrize("info", MODULES)
def test_module(info):
    """Inputs in float32 and float64, in training and evaluation: forward, gradients and state."""
    fail_on(
        [
            tally_module(info, dtype, training, MOST)
            for dtype in (torch.float32, torch.float64)
            for training in (True, False)
        ]
    )
