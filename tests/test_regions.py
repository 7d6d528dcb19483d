"""Parallel regions where threads can't be had: in the child of a fork, and of two Python threads under workqueue."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minicnn
from minicnn import optim

WORK = """
import multiprocessing, sys, threading
import numpy as np
import minicnn as T
import minicnn.nn.functional as F

def work(seed):
    r = lambda *shape: T.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype("f")).requires_grad_()
    x, w = r(8, 16, 24, 24), r(32, 16, 3, 3)
    y = F.max_pool2d(F.relu(F.batch_norm(F.conv2d(x, w, padding=1), None, None, training=True)), 2)
    F.cross_entropy(y.mean((2, 3)), T.zeros(8, dtype=T.int64)).backward()
    depthwise = F.conv2d(x, r(16, 1, 3, 3), groups=16, padding=1)
    return float(y.sum()), float(w.grad.abs().sum()), float(depthwise.sum()), float((x * x).sum())
"""
FORK = """
expected = work(0)
def child(queue):
    queue.put(work(0))
context = multiprocessing.get_context("fork")
queue = context.Queue()
process = context.Process(target=child, args=(queue,))
process.start()
found = queue.get(timeout=60)
process.join()
assert process.exitcode == 0
assert np.allclose(found, expected, rtol=1e-4), (found, expected)
assert np.allclose(work(0), expected, rtol=1e-4)  # the parent goes on
"""
THREADS = """
expected = [work(seed) for seed in range(4)]
found = [None] * 4
def run(seed):
    for _ in range(5):
        found[seed] = work(seed)
threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert np.allclose(found, expected, rtol=1e-4), (found, expected)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
@pytest.mark.parametrize("program", [FORK, THREADS], ids=["fork", "threads"])
def test_a_child_and_other_threads_compute_the_same(program: str, layer: str) -> None:
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    environment.pop("OMP_NUM_THREADS", None)
    command = [sys.executable, "-c", WORK + program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if "No threading layer could be loaded" in done.stderr:
        pytest.skip(f"Numba has no {layer} here")
    assert done.returncode == 0, done.stderr


OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Rprop", "ASGD", "Adamax")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_write_to_no_read_only_memory(name: str) -> None:
    array = np.ones((50, 4), np.float32)
    array.flags.writeable = False
    parameter = minicnn.from_numpy(array).requires_grad_()
    parameter.grad = minicnn.ones(50, 4)
    with pytest.raises(RuntimeError, match="read-only memory"):
        getattr(optim, name)([parameter], lr=0.1).step()
    assert (array == 1).all()
