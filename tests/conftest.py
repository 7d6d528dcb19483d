"""Hypothesis profiles, threads, and where the real data sets are."""

import os
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest
import torch
from hypothesis import HealthCheck, settings

import minicnn

settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile(
    "ci", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", deadline=None, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))

# The tests' arrays are tiny, and several workers share the machine. Tests that are about threads ask for more.
torch.set_num_threads(1)
minicnn.set_num_threads(1)


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Compute on two threads, where Numba has them."""
    minicnn.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield
    minicnn.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the official MNIST, Fashion-MNIST and CIFAR-10 files, from $MINICNN_DATA."""
    folder = os.environ.get("MINICNN_DATA")
    if not folder:
        pytest.skip("set MINICNN_DATA to a folder with the real data sets")
    return Path(folder)
