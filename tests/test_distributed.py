"""A group of one process does what PyTorch's does, and more processes are refused."""

import sys

import numpy as np
import pytest
import torch

import minicnn

LIBRARIES = (minicnn, torch)


@pytest.fixture
def group(monkeypatch, tmp_path):
    """A group of one process on both sides; PyTorch's puts the rank before every traceback from then on."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    minicnn.distributed.init_process_group("gloo", rank=0, world_size=1)
    yield
    for library in LIBRARIES:
        library.distributed.destroy_process_group()
        assert not library.distributed.is_initialized()


def gathered(library, dist, x):
    into = [library.zeros(2)]
    return dist.all_gather(into, x), into[0]


def gathered_at_one(library, dist, x):
    into = [library.zeros(2)]
    return dist.gather(x, into, dst=0), into[0]


def joined(library, dist, x):
    into = library.zeros(2)
    return dist.all_gather_into_tensor(into, x), into


def scattered(library, dist, x):
    into = library.zeros(2)
    return dist.scatter(into, [x], src=0), into


COLLECTIVES = {
    **{op: lambda library, dist, x, op=op: (dist.all_reduce(x, op=getattr(dist.ReduceOp, op)), x) for op in
       ("SUM", "AVG", "PRODUCT", "MIN", "MAX")},
    "reduce": lambda library, dist, x: (dist.reduce(x, 0), x),
    "broadcast": lambda library, dist, x: (dist.broadcast(x, src=0), x),
    "all_gather": gathered,
    "all_gather_into_tensor": joined,
    "gather": gathered_at_one,
    "scatter": scattered,
    "barrier": lambda library, dist, x: (dist.barrier(), x),
}  # fmt: skip


@pytest.mark.usefixtures("group")
def test_what_is_exchanged_stays_as_it_is():
    for name, call in COLLECTIVES.items():
        for library in LIBRARIES:
            returned, x = call(library, library.distributed, library.tensor([1.5, -2.0]))
            assert returned is None, name
            assert x.tolist() == [1.5, -2.0], name
    for library in LIBRARIES:
        dist, objects, x = library.distributed, [None], library.ones(1)
        dist.all_gather_object(objects, {"a": 1})
        assert objects == [{"a": 1}]
        assert dist.broadcast_object_list(objects, 0) is None
        assert dist.all_reduce(x, async_op=True).wait() is True
        assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "gloo")
        assert dist.get_rank(dist.new_group([0])) == 0


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.distributed.init_process_group("gloo", rank=0, world_size=1), ValueError),
        (lambda m: m.distributed.all_reduce(3), TypeError),
        (lambda m: m.distributed.all_gather([], m.ones(2)), RuntimeError),
        (lambda m: m.distributed.all_gather([m.ones(3)], m.ones(2)), RuntimeError),
        (lambda m: m.distributed.broadcast(m.ones(2), src=1), (RuntimeError, ValueError)),
        (lambda m: m.nn.parallel.DistributedDataParallel(m.nn.Linear(1, 1), device_ids=[0]), ValueError),
        (lambda m: m.nn.parallel.DistributedDataParallel(m.nn.ReLU()), RuntimeError),
    ],
)
def test_refusals_in_a_group(call, error):
    for library in LIBRARIES:
        with pytest.raises(error):
            call(library)


@pytest.mark.usefixtures("group")
def test_a_network_of_one_process():
    left = []
    for library in LIBRARIES:
        inner = library.nn.Linear(2, 1)
        with library.no_grad():
            inner.weight.fill_(2.0)
            inner.bias.zero_()
        network = library.nn.parallel.DistributedDataParallel(inner, find_unused_parameters=False)
        assert network.module is inner
        assert network.device_ids is None
        with network.no_sync():
            network(library.ones(3, 2)).sum().backward()
        network(library.ones(3, 2)).sum().backward()
        left.append((repr(network), [*network.state_dict()], inner.weight.grad.tolist()))
    assert left[0] == left[1]
    np.testing.assert_array_equal(left[0][2], [[6, 6]])


@pytest.mark.parametrize("call", ["get_rank", "get_world_size", "get_backend", "barrier"])
def test_without_a_group(call):
    for library in LIBRARIES:
        assert library.distributed.is_available()
        with pytest.raises(ValueError, match="has not been initialized"):
            getattr(library.distributed, call)()
        with pytest.raises(ValueError, match="has not been initialized"):
            library.nn.parallel.DistributedDataParallel(library.nn.Linear(1, 1))


def test_groups_that_there_are_not(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    start = minicnn.distributed.init_process_group
    for library in LIBRARIES:
        with pytest.raises(ValueError, match="RANK"):
            library.distributed.init_process_group("gloo")
    with pytest.raises(ValueError, match="'nccl'"):
        start("nccl", rank=0, world_size=1)
    with pytest.raises(RuntimeError, match="one process, on all cores"):
        start("gloo", rank=0, world_size=2)
    assert not minicnn.distributed.is_initialized()
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    start()
    assert minicnn.distributed.get_world_size() == 1
    minicnn.distributed.destroy_process_group()
