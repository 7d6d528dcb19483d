"""Data sets and loaders against torch: the same batches, and never a shortcut past a user's own code."""

from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from agreement import assert_same, outcome
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import data as reference

import minicnn
from minicnn import Generator, Tensor, from_numpy, manual_seed, transforms
from minicnn.datasets import Digits
from minicnn.utils import data as ours
from minicnn.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, random_split

SIZES = st.integers(1, 20)


def numbered(size):
    """A data set whose items are their own numbers, as images and labels."""
    images = np.arange(size * 6, dtype=np.float32).reshape(size, 1, 2, 3)
    return TensorDataset(from_numpy(images), np.arange(size))


def labels_of(loader):
    return [labels.tolist() for _, labels in loader]


class Squares(Dataset):
    """A data set as users write them."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if not 0 <= index < self.size:
            raise IndexError(index)
        return np.full((2, 2), index, np.float32), index * index


# The loader's order


@given(size=SIZES, batch_size=st.integers(1, 8), drop_last=st.booleans())
def test_batches_in_order_are_torchs(size, batch_size, drop_last):
    x, y = np.random.default_rng(size).random((size, 3)).astype(np.float32), np.arange(size)
    options = {"batch_size": batch_size, "drop_last": drop_last}
    ours = DataLoader(TensorDataset(x, y), **options)
    theirs = reference.DataLoader(reference.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), **options)
    assert len(ours) == len(theirs)
    batches = list(ours)
    assert len(batches) == len(ours)
    for (images, labels), (expected_images, expected_labels) in zip(batches, theirs, strict=True):
        np.testing.assert_array_equal(images.numpy(), expected_images.numpy(), strict=True)
        np.testing.assert_array_equal(labels.numpy(), expected_labels.numpy(), strict=True)


@given(size=SIZES, batch_size=st.integers(1, 8), seed=st.integers(0, 2**63))
def test_shuffling_deals_every_item_once(size, batch_size, seed):
    generator = Generator().manual_seed(seed)
    for dataset in (numbered(size), Subset(numbered(size), range(size))):
        loader = DataLoader(dataset, batch_size, True, generator=generator)
        assert sorted(label for labels in labels_of(loader) for label in labels) == list(range(size))


def test_each_epoch_has_its_own_order_and_images_keep_their_labels():
    loader = DataLoader(numbered(100), batch_size=7, shuffle=True)
    assert labels_of(loader) != labels_of(loader)
    for images, labels in loader:
        np.testing.assert_array_equal(images.numpy()[:, 0, 0, 0], labels.numpy() * 6)


def test_order_follows_the_generator_or_the_seed():
    def epochs(seed):
        loader = DataLoader(numbered(50), 8, shuffle=True, generator=Generator().manual_seed(seed))
        return [labels_of(loader), labels_of(loader)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    loader = DataLoader(numbered(50), 8, shuffle=True)
    manual_seed(4)
    first = labels_of(loader)
    manual_seed(4)
    assert labels_of(loader) == first


def test_two_iterations_at_once_do_not_disturb_each_other():
    loader = DataLoader(numbered(6), batch_size=2)
    pairs = [(a.tolist(), b.tolist()) for (_, a), (_, b) in zip(loader, loader, strict=True)]
    assert pairs == [([0, 1], [0, 1]), ([2, 3], [2, 3]), ([4, 5], [4, 5])]


@pytest.mark.parametrize("dataset", [numbered(10), Squares(10)])
def test_a_sampler_decides_the_order(dataset):
    loader = DataLoader(dataset, batch_size=2, sampler=[3, 3, 9])
    assert len(loader) == 2
    images = [images.numpy() for images, _ in loader]
    np.testing.assert_array_equal(images[0][0], images[0][1])
    np.testing.assert_array_equal(images[1][0], np.asarray(dataset[9][0]))


def test_what_a_loader_tells_of_itself():
    dataset, generator = numbered(5), Generator()
    loader = DataLoader(dataset, 2, num_workers=3, pin_memory=True, drop_last=True, generator=generator)
    assert (loader.dataset, loader.batch_size, loader.num_workers) == (dataset, 2, 3)
    assert (loader.pin_memory, loader.drop_last, loader.generator) == (True, True, generator)
    assert list(loader.sampler) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_size": -1},
        {"batch_size": 1.5},
        {"batch_size": True},
        {"num_workers": -1},
        {"shuffle": True, "sampler": [0]},
    ],
)
def test_loader_refuses_what_torch_refuses(options):
    with pytest.raises(ValueError, match=r"\w+"):
        reference.DataLoader(reference.TensorDataset(torch.zeros(4)), **options)
    with pytest.raises(ValueError, match=next(iter(options))):
        DataLoader(numbered(4), **options)


def test_an_empty_data_set_yields_nothing_and_cannot_be_shuffled():
    empty = TensorDataset(np.zeros((0, 2)))
    assert list(DataLoader(empty)) == list(reference.DataLoader(reference.TensorDataset(torch.zeros(0, 2)))) == []
    for library, dataset in (
        (DataLoader, empty),
        (reference.DataLoader, reference.TensorDataset(torch.zeros(0))),
    ):
        with pytest.raises(ValueError, match="num_samples"):
            library(dataset, shuffle=True)


def test_loader_refuses_what_has_no_items():
    with pytest.raises(TypeError, match="__getitem__"):
        DataLoader(iter([1, 2]))


# Shortcut or item by item


def batches_of(dataset, **options):
    return list(DataLoader(dataset, batch_size=3, **options))


def assert_batches_equal(result, expected):
    for parts, expected_parts in zip(result, expected, strict=True):
        for part, expected_part in zip(parts, expected_parts, strict=True):
            assert isinstance(part, Tensor)
            np.testing.assert_array_equal(part.numpy(), expected_part.numpy(), strict=True)


CHAIN = transforms.Compose([transforms.Resize(20), transforms.ToTensor(), transforms.Normalize(0.13, 0.31)])


@pytest.mark.parametrize("transform", [transforms.ToTensor(), CHAIN])
def test_whole_batches_are_the_collated_items_bit_for_bit(transform):
    digits = Digits(train=False, transform=transform)
    for dataset in (digits, Subset(digits, [5, 3, -1, 3]), TensorDataset(digits.data, digits.targets)):
        some = Subset(dataset, range(4))
        singly = batches_of(some, collate_fn=lambda items: default_collate(items))
        assert_batches_equal(batches_of(some), singly)


def test_images_without_a_transform_do_not_collate():
    for library, dataset in ((ours, Digits()), (reference, list(Subset(Digits(), range(4))))):
        with pytest.raises(TypeError, match="batch must contain tensors"):
            next(iter(library.DataLoader(dataset, 4)))
    assert len(next(iter(DataLoader(Digits(), 4, collate_fn=list)))) == 4


def test_whole_batches_are_asked_for(monkeypatch):
    monkeypatch.setattr(Digits.__mro__[1], "__getitem__", lambda *_: pytest.fail("went item by item"))
    dataset = Subset(Digits(transform=CHAIN), range(10))
    assert len(batches_of(dataset)) == 4


class OnlyOnes(Digits):
    """A subclass that does something else with one item than the inherited `batch` knows of."""

    def __getitem__(self, index):
        image, _ = super().__getitem__(index)
        return image, 1


class Doubled(TensorDataset):
    def __getitem__(self, index):
        return tuple(2 * part for part in super().__getitem__(index))


class Reversed(Subset):
    def __getitem__(self, index):
        return super().__getitem__(len(self) - 1 - index)


class Inverted(transforms.ToTensor):
    def __call__(self, image):
        return super().__call__(255 - np.asarray(image))


@pytest.mark.parametrize("wrap", [lambda dataset: dataset, lambda dataset: Subset(dataset, [0, 1, 2, 4])])
def test_an_overridden_item_is_not_passed_by(wrap):
    dataset = wrap(OnlyOnes(transform=CHAIN))
    assert all(label == 1 for _, labels in batches_of(Subset(dataset, range(4))) for label in labels.tolist())
    (_, labels), *_ = batches_of(wrap(Doubled(np.zeros(9), np.arange(9))))
    assert labels.tolist() == [0, 2, 4]
    (_, labels), *_ = batches_of(Reversed(numbered(4), [0, 1, 2, 3]))
    assert labels.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"transform": lambda image: from_numpy(np.array(image)[:1])},
        {"transform": Inverted()},
        {"transform": transforms.Compose([transforms.RandomHorizontalFlip(1), lambda i: i.rotate(90), CHAIN])},
        {"transform": transforms.ToTensor(), "target_transform": lambda label: label + 10},
        {"transform": CHAIN, "target_transform": lambda label: label + 10},
    ],
)
def test_transforms_of_single_items_are_not_passed_by(options):
    some = Subset(Digits(**options), range(4))
    assert_batches_equal(batches_of(some), batches_of(some, collate_fn=lambda items: default_collate(items)))
    images, labels = batches_of(some)[0]
    np.testing.assert_array_equal(images.numpy()[1], np.asarray(some[1][0]))
    assert labels.tolist()[1] == some[1][1]


class Unrelated(Squares):
    """A data set with a method that happens to be called `batch`."""

    def batch(self, *_):
        pytest.fail("not the loader's business")


def test_data_sets_of_ones_own():
    for dataset in (Squares(5), Unrelated(5)):
        batches = batches_of(dataset)
        assert [labels.tolist() for _, labels in batches] == [[0, 1, 4], [9, 16]]
        assert batches[0][0].shape == (3, 2, 2)
        assert batches[0][1].dtype == minicnn.int64
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset()[0]


def test_a_collate_function_gets_the_items():
    seen = []
    batches = list(DataLoader(numbered(3), 2, collate_fn=lambda items: seen.append(items) or len(items)))
    assert batches == [2, 1]
    assert [[label.item() for _, label in items] for items in seen] == [[0, 1], [2]]


def test_random_transforms_are_reproducible_and_anew_for_each_image():
    def epoch(seed):
        dataset = Digits(train=False, transform=augment)
        return np.concatenate([x.numpy() for x, _ in DataLoader(dataset, 64, generator=Generator().manual_seed(seed))])

    augment = transforms.Compose([transforms.RandomCrop(28, padding=4), transforms.ToTensor()])
    np.testing.assert_array_equal(epoch(1), epoch(1))
    assert not np.array_equal(epoch(1), epoch(2))


# Data sets made of others


@given(size=SIZES, index=st.integers(-25, 25))
def test_tensor_dataset_items(size, index):
    ours, theirs = numbered(size), None
    theirs = reference.TensorDataset(*(torch.from_numpy(t.numpy()) for t in ours.tensors))
    assert len(ours) == len(theirs)
    if -size <= index < size:
        for part, expected in zip(ours[index], theirs[index], strict=True):
            np.testing.assert_array_equal(part.numpy(), expected.numpy(), strict=True)
    else:
        for dataset in (ours, theirs):
            with pytest.raises(IndexError):
                dataset[index]


@pytest.mark.parametrize("arrays", [(), (np.zeros(3), np.zeros(4)), (np.array(1.0),)])
def test_tensor_dataset_refuses_what_has_no_common_length(arrays):
    with pytest.raises(ValueError, match=r"TensorDataset|Size mismatch"):
        TensorDataset(*arrays)


def test_rows_of_channels_last_tensors_stay_channels_last():
    images = from_numpy(np.arange(5 * 4 * 4 * 3, dtype=np.float32).reshape(5, 4, 4, 3).transpose(0, 3, 1, 2))
    for dataset in (TensorDataset(images), Subset(TensorDataset(images), [4, 3, 2, 1, 0])):
        (batch,) = next(iter(DataLoader(dataset, batch_size=5)))
        assert batch._array.transpose(0, 2, 3, 1).flags.c_contiguous


@given(st.integers(0, 200), st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_random_split_by_lengths(seed, lengths):
    generator = Generator().manual_seed(seed)
    if sum(lengths) == 1:
        lengths = [*lengths, 1]  # torch reads lengths that sum to 1 as shares
    parts = random_split(numbered(sum(lengths)), lengths, generator)
    assert [len(part) for part in parts] == lengths
    assert sorted(index for part in parts for index in part.indices) == list(range(sum(lengths)))
    again = random_split(numbered(sum(lengths)), lengths, Generator().manual_seed(seed))
    assert [part.indices for part in parts] == [part.indices for part in again]


@pytest.mark.filterwarnings("ignore:Length of split")
@given(st.integers(0, 50), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_random_split_by_shares(size, weights):
    shares = [weight / sum(weights) for weight in weights]
    if sum(shares) > 1:
        return
    ours = random_split(range(size), shares)
    assert [len(part) for part in ours] == [len(part) for part in reference.random_split(range(size), shares)]


@pytest.mark.parametrize("lengths", [[3, 3], [0.5, 0.6], [1.5, -0.5], [0.3, 0.3]])
def test_random_split_refuses_what_torch_refuses(lengths):
    with pytest.raises(ValueError, match=r"."):
        reference.random_split(range(10), lengths)
    with pytest.raises(ValueError, match=r"length|Fraction"):
        random_split(range(10), lengths)


def test_random_split_refuses_negative_lengths():
    with pytest.raises(ValueError, match="length"):
        random_split(range(10), [12, -2])


def test_a_split_of_zero_items_is_announced():
    with pytest.warns(UserWarning, match="index 1 is 0"):
        random_split(range(2), [0.9, 0.1])


# Collating

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "items",
    [
        [1, 2],
        [1.5, 2.5],
        [True, False],
        [np.float32(1), np.float32(2)],
        [np.zeros((2, 1), np.uint8), np.ones((2, 1), np.uint8)],
        ["a", "b"],
        [(1, 2.0), (3, 4.0)],
        [[1, 2], [3, 4]],
        [{"x": 1, "y": (2, "a")}, {"x": 3, "y": (4, "b")}],
        [Point(1, 2.5), Point(3, 4.5)],
    ],
)
def test_collate(items):
    def compare(result, expected):
        if isinstance(expected, torch.Tensor):
            np.testing.assert_array_equal(result.numpy(), expected.numpy(), strict=True)
        elif isinstance(expected, dict):
            assert result.keys() == expected.keys()
            for key in expected:
                compare(result[key], expected[key])
        elif isinstance(expected, str):
            assert result == expected
        else:
            assert isinstance(result, Point) == isinstance(expected, Point)
            for part, expected_part in zip(result, expected, strict=True):
                compare(part, expected_part)

    compare(default_collate(items), reference.default_collate(items))


def test_collate_keeps_tensors_in_the_graph():
    x = from_numpy(np.ones(2, np.float32)).requires_grad_()
    default_collate([x, x]).sum().backward()
    assert x.grad.tolist() == [2, 2]


@pytest.mark.parametrize(
    "items",
    [
        [np.zeros(2), np.zeros(3)],
        [(1, 2), (1,)],
        [{"x": 1}, {"y": 1}],
        [object(), object()],
        [None, None],
        [np.array(["a"]), np.array(["b"])],
    ],
)
def test_collate_refuses_what_torch_refuses(items):
    with pytest.raises((RuntimeError, TypeError, KeyError)):
        reference.default_collate(items)
    with pytest.raises((ValueError, RuntimeError, TypeError, KeyError)):
        default_collate(items)


Pair = namedtuple("Pair", "a b")
BATCHES = {
    "extra key": [{"x": 1}, {"x": 2, "z": 3}],
    "missing key": [{"x": 1, "z": 3}, {"x": 2}],
    "ordered": [OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)],
    "default": [defaultdict(list, a=1), defaultdict(list, a=2)],
    "named": [Pair(1, 2.0), Pair(3, 4.0)],
    "named and short": [Pair(1, 2.0), (3,)],
    "tuples": [(1, 2.0), (3, 4.0)],
    "lists": [[1, 2.0], [3, 4.0]],
    "ragged": [[1], [1, 2]],
    "nested": [[(1, {"a": np.float32(2)})], [(3, {"a": np.float32(4)})]],
    "text": ["a", "b"],
    "bytes": [b"a", b"b"],
    "text in tuples": [("a", 1), ("b", 2)],
    "float32": [np.float32(1), np.float32(2)],
    "float64": [np.float64(1), np.float64(2)],
    "int8": [np.int8(1), np.int8(2)],
    "bool_": [np.bool_(True), np.bool_(False)],
    "widths": [np.float32(1), np.float64(2)],
    "kinds": [np.int32(1), np.float64(2)],
    "int, float": [1, 2.5],
    "float, int": [2.5, 1],
    "bools": [True, False],
    "bool, int": [True, 2],
    "None": [None, None],
    "None inside": [(1, None), (2, None)],
    "number, None": [1, None],
    "arrays": [np.ones(2), np.zeros(2)],
    "array shapes": [np.ones(2), np.zeros(3)],
    "array dtypes": [np.ones(2, "f4"), np.zeros(2, "f8")],
    "arrays without axes": [np.array(1), np.array(2)],
    "array, list": [np.ones(2), [1, 2]],
    "big-endian": [np.ones(2, ">f4"), np.ones(2, ">f4")],
    "objects": [np.array([None]), np.array([None])],
    "dates": [np.datetime64("2020"), np.datetime64("2021")],
    "long doubles": [np.longdouble(1), np.longdouble(2)],
    "ranges": [range(2), range(2)],
    "sets": [{1}, {2}],
    "more than 64 bits": [2**63, 1],
    "nothing": [],
    "empty lists": [[], []],
    "empty dictionaries": [{}, {}],
    "int, text": [1, "a"],
    "list, tuple": [[1], (2,)],
}


def assert_same_items(actual, expected):
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        assert isinstance(actual, (ValueError, TypeError, RuntimeError, KeyError, IndexError)), repr(actual)
        assert isinstance(expected, Exception), repr((actual, expected))
    elif isinstance(expected, torch.Tensor):
        assert_same(actual, expected)
    elif isinstance(expected, Mapping):
        assert type(actual) is type(expected)
        assert list(actual) == list(expected)
        assert_same_items(list(actual.values()), list(expected.values()))
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected)
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected, strict=True):
            assert_same_items(a, b)
    else:
        assert type(actual) is type(expected)
        assert actual == expected


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_items_of_every_kind_collate_and_convert_as_in_torch(batch):
    for name in ("default_collate", "default_convert"):
        assert_same_items(outcome(getattr(ours, name), batch), outcome(getattr(reference, name), batch))
    for size in (None, 1, 2):
        results = [outcome(lambda m=m, size=size: list(m.DataLoader(batch, size))) for m in (ours, reference)]
        assert_same_items(*results)


@pytest.mark.parametrize("size", [None, 1, 3, 0, -1, 2.0, True, "a", np.int64(2)])
@pytest.mark.parametrize("drop_last", [True, False])
def test_batch_sizes(size, drop_last):
    def batches(module, library):
        loader = module.DataLoader(
            module.TensorDataset(library.arange(10), library.arange(10.0)), size, drop_last=drop_last
        )
        return [len(loader), list(loader)]

    assert_same_items(outcome(batches, ours, minicnn), outcome(batches, reference, torch))


@pytest.mark.parametrize("sampler", [[3, 1], [30], [-1], [slice(0, 2)], [[1, 2], [3]], "a", 3, range(2)])
@pytest.mark.parametrize("size", [None, 2])
def test_samplers(sampler, size):
    def batches(module, library):
        return list(module.DataLoader(module.TensorDataset(library.arange(10)), size, sampler=sampler))

    expected = outcome(batches, reference, torch)
    assert_same_items(outcome(batches, ours, minicnn), expected)


def test_without_batches_collate_fn_gets_each_item():
    assert list(DataLoader([1, 2], None, collate_fn=lambda item: item * 2)) == [2, 4]
    assert [type(part) for part in next(iter(DataLoader([(np.ones(2), 1)], None)))] == [Tensor, int]
