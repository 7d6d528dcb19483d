"""Kernels compiled by two processes before a training."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minicnn
from minicnn import nn
from minicnn.cli.compiling import Helper, compile_ahead

TRAINING = """
import os, pathlib
import minicnn
import minicnn.nn.functional as F
from minicnn.cli.compiling import Helper, compile_ahead

def kept():
    return {path.name for path in pathlib.Path(os.environ["MINICNN_CACHE_DIR"]).glob("*.kernel")}

network = minicnn.models.lenet()
compile_ahead(network, (1, 28, 28), Helper("adam"))
before = kept()
optimizer = minicnn.optim.Adam(network.parameters())
F.cross_entropy(network(minicnn.rand(64, 1, 28, 28)), minicnn.arange(64) % 10).backward()
optimizer.step()
print(len(before), *sorted(name.split("-")[0] for name in kept() - before))
"""


def test_neither_network_nor_generator_is_changed():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(64, 10)
    )
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = minicnn.get_rng_state()
    compile_ahead(network, (1, 6, 6), Helper("sgd"))
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert np.array_equal(state, minicnn.get_rng_state())


@pytest.mark.slow
def test_a_step_afterwards_compiles_nothing_but_copies_of_other_sizes(tmp_path):
    asked = {**os.environ, "MINICNN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, env=asked, check=True)
    count, *compiled = done.stdout.split()
    assert int(count) > 10
    assert set(compiled) <= {"_copy_tiles"}
    assert done.stderr.count("compiling kernels") == 1
