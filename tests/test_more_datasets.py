"""Data sets beyond MNIST and CIFAR-10 against torchvision's, from the same files; and no network where they lie."""

import gzip
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image
from test_datasets import idx, no_network, random_images, write_mnist  # noqa: F401

from minicnn import datasets, from_numpy
from minicnn.datasets import CIFAR100, EMNIST, KMNIST, MNIST, SVHN, DatasetFolder, FakeData, ImageFolder
from minicnn.datasets.svhn import read_mat
from minicnn.transforms import Compose, Normalize, ToTensor
from minicnn.utils.data import DataLoader


def assert_same_items(mine, theirs):
    assert len(mine) == len(theirs)
    for index in range(len(mine)):
        image, label = mine[index]
        expected, expected_label = theirs[index]
        assert (image.mode, label, type(label)) == (expected.mode, expected_label, type(expected_label))
        np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))


def assert_same_printout(mine, theirs):
    assert repr(mine) == repr(theirs)


# In MNIST's format


def test_kmnist(tmp_path, no_network):  # noqa: F811
    write_mnist(tmp_path, "KMNIST")
    mine, theirs = KMNIST(tmp_path, download=True), torchvision.datasets.KMNIST(tmp_path)
    assert_same_items(mine, theirs)
    assert_same_printout(mine, theirs)
    assert list(mine.classes) == theirs.classes
    assert mine.class_to_idx == theirs.class_to_idx
    for name in ("mirrors", "resources"):
        assert getattr(KMNIST, name) == getattr(torchvision.datasets.KMNIST, name)


def write_emnist(root, split, compress=False):
    folder = Path(root, "EMNIST", "raw")
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        for name, array in (("images-idx3-ubyte", random_images(4, 28, 28)), ("labels-idx1-ubyte", np.arange(1, 5))):
            path = folder / f"emnist-{split}-{part}-{name}"
            if compress:
                Path(f"{path}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                path.write_bytes(idx(array))


@pytest.mark.parametrize("split", EMNIST.splits)
@pytest.mark.parametrize("train", [True, False])
def test_emnist(tmp_path, no_network, split, train):  # noqa: F811
    write_emnist(tmp_path, split)
    mine = EMNIST(tmp_path, split, train=train, download=True)
    theirs = torchvision.datasets.EMNIST(tmp_path, split, train=train)
    assert_same_items(mine, theirs)
    assert_same_printout(mine, theirs)
    assert mine.classes == theirs.classes
    assert (mine.url, mine.md5) == (theirs.url, theirs.md5)


def test_emnist_is_unpacked_from_its_archive(tmp_path, monkeypatch):
    write_emnist(tmp_path / "source", "digits", compress=True)

    def fetch(path, urls, md5):
        assert (urls, md5) == ([EMNIST.url], EMNIST.md5)
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            for file in (tmp_path / "source" / "EMNIST" / "raw").iterdir():
                archive.write(file, f"gzip/{file.name}")

    monkeypatch.setattr("minicnn.datasets.mnist.download_file", fetch)
    assert len(EMNIST(tmp_path / "data", "digits", train=False, download=True)) == 4
    with pytest.raises(ValueError, match="split"):
        EMNIST(tmp_path, "no such")
    with pytest.raises(RuntimeError, match="not found"):
        EMNIST(tmp_path, "letters")


@pytest.mark.parametrize("name", ["train_data", "test_data", "train_labels", "test_labels"])
def test_former_names_warn(tmp_path, name):
    write_mnist(tmp_path)
    for library in (datasets, torchvision.datasets):
        dataset = library.MNIST(tmp_path)
        with pytest.warns(UserWarning, match=f"{name} has been renamed"):
            value = getattr(dataset, name)
        assert value is (dataset.data if name.endswith("data") else dataset.targets)


def test_labels_that_a_program_changed_are_used(tmp_path):
    write_mnist(tmp_path)
    for changed in (from_numpy(np.array([4, 3, 2, 1, 0])), [4, 3, 2, 1, 0], np.array([4, 3, 2, 1, 0])):
        dataset = MNIST(tmp_path, transform=ToTensor())
        dataset.targets = changed
        assert dataset[1][1] == 3
        assert next(iter(DataLoader(dataset, 5)))[1].tolist() == [4, 3, 2, 1, 0]
    dataset.data, dataset.targets = dataset.data[:2], dataset.targets[:2]
    assert len(dataset) == 2


# CIFAR-100


def write_cifar100(root):
    folder = Path(root, "cifar-100-python")
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        content = {"data": random_images(5, 3072), "fine_labels": [99, 0, 1, 50, 7], "coarse_labels": [0] * 5}
        (folder / part).write_bytes(pickle.dumps(content))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": [f"kind {n}" for n in range(100)]}))


@pytest.mark.parametrize("train", [True, False])
def test_cifar100(tmp_path, no_network, monkeypatch, train):  # noqa: F811
    write_cifar100(tmp_path)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    mine = CIFAR100(tmp_path, train=train, download=True)
    theirs = torchvision.datasets.CIFAR100(tmp_path, train=train)
    assert_same_items(mine, theirs)
    assert_same_printout(mine, theirs)
    assert mine.targets == theirs.targets
    np.testing.assert_array_equal(mine.data, theirs.data)
    assert mine.classes == theirs.classes
    assert mine.class_to_idx == theirs.class_to_idx
    for name in ("url", "tgz_md5", "filename", "base_folder"):
        assert getattr(CIFAR100, name) == getattr(torchvision.datasets.CIFAR100, name)
    (tmp_path / "cifar-100-python" / "train").write_bytes(pickle.dumps({"data": random_images(5, 3072)}))
    with pytest.raises(ValueError, match="fine_labels"):
        CIFAR100(tmp_path)


# SVHN


def write_svhn(root, split="train", **changes):
    from scipy.io import savemat

    content = {"X": random_images(32, 32, 3, 4), "y": np.array([[1], [10], [3], [9]], np.uint8), **changes}
    savemat(Path(root, f"{split}_32x32.mat"), content)


@pytest.mark.parametrize("split", ["train", "test", "extra"])
def test_svhn(tmp_path, no_network, monkeypatch, split):  # noqa: F811
    write_svhn(tmp_path, split)
    for name in ("torchvision.datasets.svhn.check_integrity", "minicnn.datasets.svhn.is_whole"):
        monkeypatch.setattr(name, lambda *_: True)
    mine, theirs = SVHN(tmp_path, split, download=True), torchvision.datasets.SVHN(tmp_path, split)
    assert_same_items(mine, theirs)
    assert_same_printout(mine, theirs)
    np.testing.assert_array_equal(mine.data, theirs.data, strict=True)
    np.testing.assert_array_equal(mine.labels, theirs.labels, strict=True)
    assert SVHN.split_list == torchvision.datasets.SVHN.split_list
    batch, labels = next(iter(DataLoader(SVHN(tmp_path, split, transform=ToTensor()), 4)))
    assert batch.shape == (4, 3, 32, 32)
    assert labels.tolist() == [1, 0, 3, 9]


@pytest.mark.parametrize("changes", [{"X": np.zeros((2, 2))}, {"y": np.zeros(3)}, None])
def test_damaged_svhn_is_named(tmp_path, changes):
    path = tmp_path / "train_32x32.mat"
    if changes is None:
        path.write_bytes(b"something else")
    else:
        write_svhn(tmp_path, **changes)
    with pytest.raises(RuntimeError, match=r"train_32x32\.mat has another MD5"):
        SVHN(tmp_path)
    with pytest.raises(ValueError, match=r"train_32x32\.mat"):
        read_mat(path)
    with pytest.raises(RuntimeError, match=r"test_32x32\.mat"):
        SVHN(tmp_path, "test")
    with pytest.raises(ValueError, match="split"):
        SVHN(tmp_path, "no such")


# Folders


def write_folder(root):
    for name, mode in (
        ("b/1.png", "RGB"),
        ("b/deep/0.PNG", "L"),
        ("a/x.jpg", "RGB"),
        ("a/p.bmp", "P"),
        ("a/t.txt", ""),
    ):
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode:
            Image.fromarray(random_images(5, 7, 3)).convert(mode).save(path)
        else:
            path.write_text("no picture")


def test_image_folder(tmp_path):
    write_folder(tmp_path)
    mine, theirs = ImageFolder(str(tmp_path)), torchvision.datasets.ImageFolder(str(tmp_path))
    assert_same_items(mine, theirs)
    assert_same_printout(mine, theirs)
    for name in ("classes", "class_to_idx", "samples", "targets", "imgs", "extensions"):
        assert getattr(mine, name) == getattr(theirs, name), name
    images, labels = next(iter(DataLoader(ImageFolder(tmp_path, Compose([ToTensor(), Normalize(0.5, 0.5)])), 4)))
    assert images.shape == (4, 3, 5, 7)
    assert labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda d, root: d.ImageFolder(root, is_valid_file=lambda path: path.endswith("png")),
        lambda d, root: d.ImageFolder(root, is_valid_file=lambda path: path.endswith("png"), allow_empty=True),
        lambda d, root: d.ImageFolder(root, loader=lambda path: Path(path).name),
        lambda d, root: d.ImageFolder(root / "a"),
        lambda d, root: d.ImageFolder(root / "nowhere"),
        lambda d, root: d.DatasetFolder(root, str, (".txt",)),
        lambda d, root: d.DatasetFolder(root, str, (".txt", ".png")),
        lambda d, root: d.DatasetFolder(root, str),
        lambda d, root: d.DatasetFolder(root, str, (".png",), is_valid_file=bool),
        lambda d, root: d.DatasetFolder(root, str, ".PNG", transform=len, target_transform=str),
        lambda d, root: d.folder.make_dataset(root, {}),
        lambda d, root: d.folder.make_dataset(root, extensions=".jpg", allow_empty=True),
    ],
)
def test_folders_and_their_refusals(tmp_path, make):
    write_folder(tmp_path)
    outcomes = []
    for library in (datasets, torchvision.datasets):
        try:
            dataset = make(library, tmp_path)
        except Exception as error:
            outcomes.append((type(error), str(error)))
        else:
            outcomes.append(list(dataset))
    assert outcomes[0] == outcomes[1]


# Noise


def test_fake_data():
    mine = FakeData(5, (3, 6, 4), 7, random_offset=2)
    theirs = torchvision.datasets.FakeData(5, (3, 6, 4), 7, random_offset=2)
    assert_same_printout(mine, theirs)
    for dataset in (mine, theirs):
        image, label = dataset[3]
        again, same = dataset[3]
        assert (image.mode, image.size, label) == ("RGB", (4, 6), same)
        assert image.tobytes() == again.tobytes()
        assert image.tobytes() != dataset[2][0].tobytes()
        with pytest.raises(IndexError):
            dataset[5]
    assert FakeData(1, (1, 6, 4))[0][0].mode == "L"
    images, labels = next(iter(DataLoader(FakeData(8, (3, 4, 4), transform=ToTensor()), 8)))
    assert images.shape == (8, 3, 4, 4)
    assert labels.shape == (8,)


# Transforms of both


def test_both_transforms_in_one(tmp_path):
    write_mnist(tmp_path)
    for library in (datasets, torchvision.datasets):
        standard = library.vision.StandardTransform if library is torchvision.datasets else library.StandardTransform
        both = standard(lambda image: image.size, abs)
        assert both(Image.new("L", (3, 4)), -5) == ((3, 4), 5)
        assert repr(both).splitlines()[0] == "StandardTransform"
        with pytest.raises(ValueError, match="Only transforms or transform"):
            library.VisionDataset(tmp_path, transforms=both, transform=abs)
        with pytest.raises(NotImplementedError):
            library.VisionDataset(tmp_path)[0]
    assert MNIST(tmp_path, transform=ToTensor()).transforms.transform is not None
    assert MNIST(tmp_path).transforms is None
    assert issubclass(DatasetFolder, datasets.VisionDataset)
