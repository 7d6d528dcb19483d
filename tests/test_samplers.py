"""Samplers, data sets of data sets, iterable data sets, and every argument of the loader, against PyTorch's."""

import functools
import itertools
import warnings

import numpy as np
import pytest
import torch
from agreement import assert_same, outcome
from hypothesis import given
from hypothesis import strategies as st
from test_data import assert_same_items
from torch.utils import data as reference

import minicnn
from minicnn import Generator, transforms
from minicnn.datasets import Digits
from minicnn.utils import data as ours

LIBRARIES = ((ours, minicnn), (reference, torch))


def both(function):
    """The outcomes of `function(utils.data, library)` for minicnn and PyTorch agree; returns minicnn's."""
    results = [outcome(function, *libraries) for libraries in LIBRARIES]
    if isinstance(results[1], Exception):
        assert type(results[0]) is type(results[1]), results
    else:
        assert_same_items(*results)
    return results[0]


def drawn(function):
    """`function(utils.data, generator)` as lists for both libraries, each from a generator of a fixed seed."""
    return [list(function(ours, Generator().manual_seed(3))), list(function(reference, torch.Generator()))]


# Samplers


@given(st.integers(1, 40), st.booleans(), st.none() | st.integers(1, 90))
def test_random_sampler(size, replacement, count):
    def sampler(data, generator):
        return data.RandomSampler(range(size), replacement, count, generator)

    mine, theirs = drawn(sampler)
    assert len(mine) == len(theirs) == len(sampler(ours, None))
    if not replacement:
        for start in range(0, len(mine), size):
            part = mine[start : start + size]
            assert len(set(part)) == len(part)
    assert set(mine) <= set(range(size))
    assert mine == list(sampler(ours, Generator().manual_seed(3)))


def test_a_loader_shuffles_as_its_sampler():
    order = list(ours.RandomSampler(range(30), generator=Generator().manual_seed(5)))
    loader = ours.DataLoader(range(30), 30, shuffle=True, generator=Generator().manual_seed(5))
    assert next(iter(loader)).tolist() == order


@given(st.lists(st.integers(0, 99), max_size=20))
def test_subset_random_sampler(indices):
    mine, theirs = drawn(lambda data, generator: data.SubsetRandomSampler(indices, generator))
    assert sorted(mine) == sorted(theirs) == sorted(indices)


@pytest.mark.parametrize("replacement", [True, False])
def test_weighted_random_sampler_draws_by_weight(replacement):
    weights = [0.0, 1.0, 2.0, 5.0]
    counts = np.zeros((2, 4))
    for row, (data, generator) in enumerate(((ours, Generator()), (reference, torch.Generator()))):
        sampler = data.WeightedRandomSampler(weights, 2, replacement, generator=generator)
        for _ in range(3000):
            chosen = list(sampler)
            assert replacement or chosen[0] != chosen[1]
            counts[row] += np.bincount(chosen, minlength=4)
    assert (counts[:, 0] == 0).all()
    np.testing.assert_allclose(*counts, atol=6 * np.sqrt(3000 * 2 / 4))


@pytest.mark.parametrize(
    "make",
    [
        lambda d, lib: list(d.SequentialSampler("abc")),
        lambda d, lib: d.RandomSampler([]),
        lambda d, lib: d.RandomSampler([1], replacement=1),
        lambda d, lib: d.RandomSampler([1], num_samples=0),
        lambda d, lib: d.RandomSampler([1], num_samples=1.5),
        lambda d, lib: d.WeightedRandomSampler([1.0], 0),
        lambda d, lib: d.WeightedRandomSampler([1.0], True),
        lambda d, lib: d.WeightedRandomSampler([1.0], 1, 1),
        lambda d, lib: d.WeightedRandomSampler([[1.0]], 1),
        lambda d, lib: sorted(d.WeightedRandomSampler([1.0, 0.0], 2, False)),
        lambda d, lib: list(d.WeightedRandomSampler([1.0, 1.0], 3, False)),
        lambda d, lib: list(d.WeightedRandomSampler([1.0, -1.0], 2)),
        lambda d, lib: list(d.WeightedRandomSampler([0.0, 0.0], 2)),
        lambda d, lib: list(d.WeightedRandomSampler([float("nan"), 1.0], 2)),
        lambda d, lib: list(d.WeightedRandomSampler(lib.tensor([0.0, 1.0]), 2)),
        lambda d, lib: len(d.WeightedRandomSampler([1.0], 7)),
        lambda d, lib: d.BatchSampler(range(3), 0, False),
        lambda d, lib: d.BatchSampler(range(3), True, False),
        lambda d, lib: d.BatchSampler(range(3), 2, 1),
        lambda d, lib: next(iter(d.Sampler())),
        lambda d, lib: d.DistributedSampler(range(3), 2, 2),
        lambda d, lib: d.DistributedSampler(range(3), 2, -1),
        lambda d, lib: d.get_worker_info(),
    ],
)
def test_samplers_and_their_refusals(make):
    both(make)


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_batch_sampler(size, batch_size, drop_last):
    def batches(data, library):
        sampler = data.BatchSampler(data.SequentialSampler(range(size)), batch_size, drop_last)
        return [len(sampler), *sampler]

    both(batches)


@given(st.integers(1, 20), st.integers(1, 5), st.booleans())
def test_distributed_sampler(size, replicas, drop_last):
    for rank in range(replicas):

        def share(data, library, rank=rank):
            sampler = data.DistributedSampler(range(size), replicas, rank, shuffle=False, drop_last=drop_last)
            return [len(sampler), *sampler]

        both(share)
    shuffled = [ours.DistributedSampler(range(size), replicas, rank, drop_last=drop_last) for rank in range(replicas)]
    first = [list(sampler) for sampler in shuffled]
    assert sorted(set(itertools.chain(*first))) == list(range(size)) or drop_last
    for sampler in shuffled:
        sampler.set_epoch(1)
    assert size < 9 or drop_last or [list(sampler) for sampler in shuffled] != first


def test_distributed_sampler_needs_to_be_told_who_it_is():
    with pytest.raises(ValueError, match="init_process_group"):
        ours.DistributedSampler(range(3))


# Data sets of data sets


def rows(data, library, size, offset=0):
    return data.TensorDataset(library.arange(offset, offset + size), library.arange(size) * 1.5)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(-14, 14))
def test_data_sets_end_to_end(sizes, index):
    def item(data, library):
        whole = data.ConcatDataset([rows(data, library, size, 10 * n) for n, size in enumerate(sizes)])
        return [len(whole), whole.cumulative_sizes, whole[index]]

    both(item)


def test_data_sets_end_to_end_give_whole_batches(monkeypatch):
    chain = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    digits = [Digits(train=train, transform=chain) for train in (True, False)]
    whole = ours.ConcatDataset([*digits, ours.TensorDataset(digits[0].data[:3] / 1, digits[0].targets[:3])])
    order = [1500, 3, 1437, 1438, 1796, 0]
    images, labels = next(iter(ours.DataLoader(whole, 6, sampler=order)))
    singly, same = next(
        iter(ours.DataLoader(whole, 6, sampler=order, collate_fn=lambda items: ours.default_collate(items)))
    )
    np.testing.assert_array_equal(images.numpy(), singly.numpy(), strict=True)
    np.testing.assert_array_equal(labels.numpy(), same.numpy(), strict=True)
    assert len(next(iter(ours.DataLoader(whole, 2, sampler=[-1, -2])))[0]) == 2
    with pytest.raises(RuntimeError):  # images of other shapes don't collate
        next(iter(ours.DataLoader(whole, 2, sampler=[0, 1798])))
    with pytest.raises(IndexError):
        next(iter(ours.DataLoader(whole, 2, sampler=[0, 5000])))
    monkeypatch.setattr(type(whole), "__getitem__", lambda *_: pytest.fail("went item by item"))
    assert len(next(iter(ours.DataLoader(whole, 3, sampler=[0, 1437, 1438])))[0]) == 3


def test_data_sets_add_up():
    def added(data, library):
        whole = rows(data, library, 2) + rows(data, library, 3, 5)
        return [list(data.DataLoader(whole, 2)), type(whole).__name__]

    both(added)


def test_data_sets_side_by_side():
    def items(data, library):
        tuples = data.StackDataset(rows(data, library, 3), range(3))
        named = data.StackDataset(a=rows(data, library, 3), b=data.Subset(range(9), [3, 1, 2]))
        return [len(tuples), tuples[1], named[2], *data.DataLoader(named, 2), *data.DataLoader(tuples, 2)]

    both(items)
    for refused in (
        lambda d, lib: d.IterableDataset(),
        lambda d, lib: d.StackDataset(),
        lambda d, lib: d.StackDataset([1], [1, 2]),
        lambda d, lib: d.StackDataset(a=[1], b=[1, 2]),
        lambda d, lib: d.StackDataset([1], a=[1]),
        lambda d, lib: d.ConcatDataset([]),
        lambda d, lib: d.ConcatDataset([iterable(d)(3)]),
        lambda d, lib: list(d.ChainDataset([[1]])),
    ):
        both(refused)


@functools.cache
def iterable(data):
    class Counting(data.IterableDataset):
        def __init__(self, size, length=None):
            self.size, self.length = size, length

        def __iter__(self):
            return iter(range(self.size))

        def __len__(self):
            if self.length is None:
                raise TypeError("no length")
            return self.length

    return Counting


@given(st.integers(0, 9), st.sampled_from([None, 1, 2, 4]), st.booleans())
def test_iterable_data_sets(size, batch_size, drop_last):
    def batches(data, library):
        return list(data.DataLoader(iterable(data)(size), batch_size, drop_last=drop_last))

    both(batches)


def test_iterable_data_sets_one_after_the_other():
    def batches(data, library):
        whole = iterable(data)(3, 3) + iterable(data)(2, 2)
        return [len(whole), *data.DataLoader(whole, 2)]

    both(batches)


def test_the_length_of_an_iterable_data_set_is_believed_until_it_is_wrong():
    for data, _ in LIBRARIES:
        loader = data.DataLoader(iterable(data)(5, 3), None)
        assert len(data.DataLoader(iterable(data)(5, 3), 2)) == 2
        assert list(iter(loader)) == [0, 1, 2, 3, 4]
        assert len(loader) == 3
        with pytest.warns(UserWarning, match="was reported to be 3"):
            list(iter(loader))


# The loader's arguments


def squares(size):
    return [(np.full(2, i, np.float32), i * i) for i in range(size)]


@pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*pin_memory")
@pytest.mark.parametrize(
    "options",
    [
        {"batch_sampler": [[3, 1], [0]]},
        {"batch_sampler": [[3, 1], [0]], "batch_size": 2},
        {"batch_sampler": [[3, 1], [0]], "shuffle": True},
        {"batch_sampler": [[3, 1], [0]], "drop_last": True},
        {"batch_sampler": [[3, 1], [0]], "sampler": [1]},
        {"sampler": [1, 0], "shuffle": True},
        {"sampler": range(3), "batch_size": 2, "drop_last": True},
        {"sampler": [np.int64(2), np.int64(0)], "batch_size": 2},
        {"batch_size": None, "sampler": [2]},
        {"batch_size": None, "drop_last": True},
        {"timeout": -1},
        {"timeout": 3},
        {"num_workers": -1},
        {"prefetch_factor": 2},
        {"prefetch_factor": -2},
        {"persistent_workers": True},
        {"multiprocessing_context": "fork"},
        {"worker_init_fn": print},
        {"pin_memory": True},
        {"in_order": False},
        {"pin_memory_device": ""},
        {"collate_fn": len, "batch_size": 3},
        {"collate_fn": str, "batch_size": None},
    ],
)
def test_arguments(options):
    both(lambda data, library: list(data.DataLoader(squares(5), **options)))


@pytest.mark.parametrize(
    "options",
    [
        {"prefetch_factor": -1},
        {"multiprocessing_context": "no such"},
        {"multiprocessing_context": 3},
        {"multiprocessing_context": "fork"},
        {"persistent_workers": True, "prefetch_factor": 4, "timeout": 5},
        {},
    ],
)
def test_arguments_about_workers(options):
    def told(data, library):
        loader = data.DataLoader(squares(5), num_workers=1, **options)
        return [loader.prefetch_factor, loader.persistent_workers, loader.num_workers, loader.timeout]

    both(told)
    if not isinstance(outcome(told, ours, minicnn), Exception):
        assert len(list(ours.DataLoader(squares(5), 2, num_workers=2, **options))) == 3


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}, {"shuffle": False}])
def test_arguments_of_iterable_data_sets(options):
    both(lambda data, library: list(data.DataLoader(iterable(data)(3), **options)))


@pytest.mark.parametrize(
    "name", ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers", "generator"]
)
def test_what_decides_about_batches_is_fixed(name):
    both(lambda data, library: setattr(data.DataLoader(squares(2)), name, None))


def test_positions_of_arguments():
    def told(data, library):
        init = functools.partial(len)
        loader = data.DataLoader(squares(4), 2, False, None, None, 0, init, False, True, 0, init, None, None)
        return [loader.batch_size, loader.drop_last, loader.collate_fn is init, loader.worker_init_fn is init]

    both(told)


def test_the_batch_sampler_and_the_sampler_of_a_loader():
    def told(data, library):
        plain = data.DataLoader(squares(5), 2)
        own = data.DataLoader(squares(5), batch_sampler=[[1]])
        return [
            type(plain.sampler).__name__,
            type(plain.batch_sampler).__name__,
            list(plain.batch_sampler),
            type(data.DataLoader(squares(5), shuffle=True).sampler).__name__,
            own.batch_size,
            own.batch_sampler,
            data.DataLoader(squares(5), None).batch_sampler,
            len(own),
        ]

    both(told)


def test_data_sets_that_give_many_items_at_once():
    def batches(data, library):
        class Many(data.Dataset):
            def __getitem__(self, index):
                raise AssertionError("one by one")

            def __getitems__(self, indices):
                return [index + 0.5 for index in indices]

            def __len__(self):
                return 5

        return list(data.DataLoader(Many(), 2))

    both(batches)


def test_a_subset_by_a_list():
    def rows_of(data, library):
        return data.Subset(library.arange(10), [4, 3, 2])[[0, 2]]

    assert_same(rows_of(ours, minicnn), rows_of(reference, torch))


@pytest.mark.parametrize("lengths", [[0.5, 0.5], [0.3, 0.3, 0.4], [3, 2], [5, 0]])
def test_random_split_takes_both_kinds_of_lengths(lengths):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both(lambda data, library: [len(part) for part in data.random_split(range(5), lengths)])
