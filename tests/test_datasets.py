"""Data sets: torchvision's items from the same files, and a clear word about every damaged one."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pickle
import re
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torchvision
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Tensor, datasets
from minicnn.datasets import CIFAR10, MNIST, Digits
from minicnn.datasets._plain_pickle import load_plain
from minicnn.datasets.mnist import read_idx
from minicnn.transforms import Compose, Normalize, ToTensor

DATA = os.environ.get("MINICNN_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="MINICNN_DATA names no folder of data sets")
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array, number_type=8):
    """An array as the bytes of an idx file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, number_type, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def write_mnist(root, name="MNIST", compress=False, size=5, shape=(28, 28)):
    """A tiny data set in MNIST's format; returns its training images and labels."""
    folder = Path(root, name, "raw")
    folder.mkdir(parents=True)
    images, labels = random_images(size, *shape), np.arange(size, dtype=np.uint8) % 10
    for split in ("train", "t10k"):
        for file, array in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte", labels)):
            if compress:
                (folder / f"{file}.gz").write_bytes(gzip.compress(idx(array), mtime=0))
            else:
                (folder / file).write_bytes(idx(array))
    return images, labels


def write_cifar(root, protocol=4, size=4):
    """A tiny data set in CIFAR-10's format; returns its training images (5·size, 3072) and labels."""
    folder = Path(root, "cifar-10-batches-py")
    folder.mkdir(parents=True)
    images = random_images(5 * size, 3072)
    labels = [n % 10 for n in range(5 * size)]
    for n in range(5):
        part = slice(n * size, (n + 1) * size)
        batch = {"data": images[part], "labels": labels[part], "batch_label": b"x", "filenames": ["a.png"]}
        (folder / f"data_batch_{n + 1}").write_bytes(pickle.dumps(batch, protocol))
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": images[:3], b"labels": labels[:3]}, protocol))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR10.classes)}, protocol))
    return images, labels


@pytest.fixture
def no_network(monkeypatch):
    """Fails the test if anything asks for the network."""

    def refuse(*_, **__):
        pytest.fail("asked for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr("pooch.retrieve", refuse)


# The real files


@needs_data
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10"])
def test_real_items_are_torchvisions(name, tmp_path):
    ours = getattr(datasets, name)(DATA, train=False)
    if name == "CIFAR10":
        theirs = torchvision.datasets.CIFAR10(DATA, train=False)
    else:  # torchvision reads unpacked files only, and wants all four
        raw = tmp_path / name / "raw"
        raw.mkdir(parents=True)
        for file in Path(DATA, name, "raw").glob("*.gz"):
            content = gzip.decompress(file.read_bytes()) if file.name.startswith("t10k") else b""
            (raw / file.stem).write_bytes(content)
        theirs = getattr(torchvision.datasets, name)(tmp_path, train=False)
    assert len(ours) == len(theirs) == 10000
    np.testing.assert_array_equal(np.asarray(ours.data), np.asarray(theirs.data), strict=True)
    np.testing.assert_array_equal(np.asarray(ours.targets), np.asarray(theirs.targets), strict=True)
    assert isinstance(ours.targets, list if name == "CIFAR10" else Tensor)
    assert isinstance(ours.data, np.ndarray if name == "CIFAR10" else Tensor)
    assert list(ours.classes) == theirs.classes
    assert ours.class_to_idx == theirs.class_to_idx
    for index in (0, 17, 9999, -1):
        image, label = ours[index]
        expected_image, expected_label = theirs[index]
        assert image.mode == expected_image.mode
        np.testing.assert_array_equal(np.array(image), np.array(expected_image), strict=True)
        assert (label, type(label)) == (expected_label, int)


@needs_data
def test_real_cifar_training_set_is_torchvisions():
    ours, theirs = CIFAR10(DATA), torchvision.datasets.CIFAR10(DATA)
    np.testing.assert_array_equal(ours.data, theirs.data, strict=True)
    assert ours.targets == theirs.targets


# MNIST


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
@pytest.mark.parametrize("compress", [False, True])
def test_idx_files(tmp_path, name, compress):
    images, labels = write_mnist(tmp_path, name, compress)
    dataset = getattr(datasets, name)(tmp_path)
    np.testing.assert_array_equal(dataset.data.numpy(), images, strict=True)
    np.testing.assert_array_equal(dataset.targets.numpy(), labels.astype(np.int64), strict=True)
    dataset.data[0] += 0  # may be written to
    assert dataset.raw_folder == str(tmp_path / name / "raw")
    if not compress:
        theirs = getattr(torchvision.datasets, name)(tmp_path)
        np.testing.assert_array_equal(dataset.data.numpy(), theirs.data.numpy(), strict=True)
        assert list(dataset.classes) == theirs.classes
        for index in (0, 3, -1, -5):
            np.testing.assert_array_equal(np.array(dataset[index][0]), np.array(theirs[index][0]), strict=True)
            assert dataset[index][1] == theirs[index][1]


def test_images_of_another_size(tmp_path):
    images, _ = write_mnist(tmp_path, shape=(9, 7))
    np.testing.assert_array_equal(MNIST(tmp_path).data, images)


@pytest.mark.parametrize("index", [5, -6, 1000])
def test_items_out_of_range(tmp_path, index):
    write_mnist(tmp_path)
    with pytest.raises(IndexError):
        MNIST(tmp_path)[index]


def test_items_are_copies_and_go_through_the_transforms(tmp_path):
    images, _ = write_mnist(tmp_path)
    dataset = MNIST(str(tmp_path), transform=lambda image: image.size, target_transform=lambda label: -label)
    assert dataset[2] == ((28, 28), -2)
    dataset.transform = None
    dataset[0][0].putpixel((0, 0), 1)
    np.testing.assert_array_equal(dataset.data, images)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"transform": "chain"},
        {"transform": "chain", "target_transform": abs},
        {"target_transform": abs},
    ],
)
def test_printouts_are_torchvisions(tmp_path, train, options):
    write_mnist(tmp_path)
    ours, theirs = dict(options), dict(options)
    if "transform" in options:
        other = torchvision.transforms
        ours["transform"] = Compose([ToTensor(), Normalize((0.5,), (0.5,))])
        theirs["transform"] = other.Compose([other.ToTensor(), other.Normalize((0.5,), (0.5,))])
    expected = repr(torchvision.datasets.MNIST(tmp_path, train=train, **theirs))
    assert repr(MNIST(tmp_path, train=train, **ours)) == expected


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10"])
@pytest.mark.parametrize("train", [True, False])
def test_missing_files_are_named(tmp_path, name, train):
    with pytest.raises(RuntimeError, match=r"Dataset not found\. You can use download=True to download it") as caught:
        getattr(datasets, name)(tmp_path, train=train)
    assert str(tmp_path) in str(caught.value)


IMAGE_FILE = idx(random_images(5, 28, 28))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (IMAGES, b"", "truncated"),
        (IMAGES, IMAGE_FILE[:10], "truncated"),
        (IMAGES, IMAGE_FILE[:-1], "3920 bytes, but 3919 follow"),
        (IMAGES, IMAGE_FILE + b"\0", "but 3921 follow"),
        (IMAGES, b"\1\2" + IMAGE_FILE[2:], "not an idx file"),
        (IMAGES, idx(random_images(5, 28, 28), number_type=0x0D), "type 0x0d"),
        (IMAGES, idx(random_images(5, 28)) + bytes(16), "2 axes, expected 3"),
        (IMAGES, struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "but 0 follow"),
        (IMAGES, idx(random_images(4, 28, 28)), "5 labels for the 4 images"),
        (LABELS, idx(np.zeros(4)), "4 labels for the 5 images"),
        (LABELS, idx(np.array([0, 1, 2, 10, 4])), "label 10 is outside 0 to 9, at position 3"),
        (LABELS, IMAGE_FILE, "3 axes, expected 1"),
        (LABELS, gzip.compress(idx(np.arange(5)), mtime=0)[:-4], "damaged gzip"),
        (LABELS, gzip.compress(idx(np.arange(5)), mtime=0)[:-8] + bytes(8), "damaged gzip"),
        (LABELS, b"\x1f\x8b\x08" + b"garbage" * 9, "damaged gzip"),
    ],
)
def test_damaged_idx_files_are_named(tmp_path, file, content, message):
    write_mnist(tmp_path)
    path = tmp_path / "MNIST" / "raw" / file
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        MNIST(tmp_path)
    assert str(path) in str(caught.value)


@given(
    st.binary(max_size=40)
    | st.binary(max_size=40).map(lambda tail: b"\0\0\x08\1" + tail)
    | st.binary(max_size=40).map(lambda body: idx(np.frombuffer(body, np.uint8)))
)
def test_any_bytes_are_an_idx_file_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any-idx"
    path.write_bytes(content)
    if content[:8] == b"\0\0\x08\1" + max(len(content) - 8, 0).to_bytes(4, "big"):
        assert idx(datasets.mnist.read_idx(path, ndim=1)) == content
    else:
        with pytest.raises(ValueError, match=re.escape(str(path))):
            datasets.mnist.read_idx(path, ndim=1)


# CIFAR-10


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_batches_of_any_protocol(tmp_path, protocol):
    images, labels = write_cifar(tmp_path, protocol)
    dataset = CIFAR10(tmp_path)
    np.testing.assert_array_equal(dataset.data, images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), strict=True)
    assert dataset.targets == labels
    assert {*map(type, dataset.targets)} == {int}
    assert dataset.data.flags.c_contiguous
    assert list(dataset.classes) == list(CIFAR10.classes)
    assert len(CIFAR10(tmp_path, train=False)) == 3


def test_items_of_a_tiny_cifar_are_torchvisions(tmp_path, monkeypatch):
    write_cifar(tmp_path)
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda _: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    ours, theirs = CIFAR10(tmp_path), torchvision.datasets.CIFAR10(tmp_path)
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_array_equal(np.array(ours[-3][0]), np.array(theirs[-3][0]), strict=True)
    assert repr(ours) == repr(theirs)


def test_class_names_come_from_the_meta_file(tmp_path):
    write_cifar(tmp_path)
    meta = tmp_path / "cifar-10-batches-py" / "batches.meta"
    names = [f"kind {n}" for n in range(12)]
    meta.write_bytes(pickle.dumps({"label_names": names}))
    dataset = CIFAR10(tmp_path)
    assert dataset.classes == names
    assert dataset.class_to_idx["kind 11"] == 11
    meta.unlink()
    assert CIFAR10(tmp_path).class_to_idx["truck"] == 9


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


GOOD = {"data": random_images(2, 3072), "labels": [0, 1]}


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([], "expected a dictionary, got list"),
        ({}, "has no 'data'"),
        ({"data": GOOD["data"]}, "has no 'labels'"),
        (GOOD | {"data": b"bytes"}, "uint8 array .* got bytes"),
        (GOOD | {"data": random_images(2, 3073)}, "uint8 array"),
        (GOOD | {"data": random_images(2, 3, 1024)}, "uint8 array"),
        (GOOD | {"data": GOOD["data"].astype(np.int16)}, "uint8 array .* got int16"),
        (GOOD | {"data": random_images(3, 3072)}, "2 labels for 3 images"),
        (GOOD | {"labels": [0, 10]}, "label 10 is outside 0 to 9, at position 1"),
        (GOOD | {"labels": [-1, 0]}, "label -1 is outside"),
        (GOOD | {"labels": [0, 2**80]}, "outside 0 to 9"),
        (GOOD | {"labels": [0, 1.0]}, "list of integers"),
        (GOOD | {"labels": None}, "list of integers"),
        (GOOD | {3: 4}, "expected text, got int"),
        (GOOD | {"more": np.array([object()])}, "refused an array of dtype 'O8'"),
        (GOOD | {"more": np.zeros(2, "u1,u1")}, "refused an array of dtype 'V2'"),
        (GOOD | {"more": {1, 2}.__class__}, "refused builtins.set"),
        (GOOD | {"more": Call(open, "x")}, "refused io.open"),
        (GOOD | {"more": Call(np.load, "x")}, "refused numpy"),
    ],
)
def test_batches_with_anything_else_are_named(tmp_path, batch, message):
    write_cifar(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_2"
    path.write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match=message) as caught:
        CIFAR10(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("file", ["data_batch_1", "batches.meta"])
def test_a_pickle_that_calls_the_shell_is_refused_and_not_run(tmp_path, file, protocol):
    write_cifar(tmp_path)
    path, trace = tmp_path / "cifar-10-batches-py" / file, tmp_path / "trace"
    path.write_bytes(pickle.dumps(GOOD | {"label_names": [], "more": Call(os.system, f"touch {trace}")}, protocol))
    with pytest.raises(ValueError, match=r"refused (posix|nt)\.system"):
        CIFAR10(tmp_path)
    assert not trace.exists()


def test_stand_ins_can_be_neither_changed_nor_made_to_encode():
    reduce_frame = b"\x80\x02c_codecs\nencode\n"
    for program in (
        reduce_frame + b"}b.",  # BUILD on the function itself
        b"\x80\x02cnumpy\ndtype\n}b.",
        b"\x80\x02cnumpy\nndarray\n}b.",
        reduce_frame + b"X\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
        b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00u1K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00|)NNtb.",
    ):
        with pytest.raises(ValueError, match="not a pickle of plain data"):
            load_plain(program)


@given(st.data())
def test_a_damaged_pickle_is_refused_or_harmless(data):
    content = bytearray(pickle.dumps({"data": np.arange(6, dtype=">i2"), "labels": [1, np.int64(2)]}, 2))
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        content[data.draw(st.integers(0, len(content) - 1), label="place")] = data.draw(
            st.integers(0, 127), label="byte"
        )
    with contextlib.suppress(ValueError):  # and nothing else
        load_plain(bytes(content[: data.draw(st.integers(0, len(content)), label="length")]))


def test_plain_values_survive():
    value = {
        "big-endian": np.arange(4, dtype=">u4").reshape(2, 2),
        "Fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "number": np.int64(7),
        "text": "ä",
        "bytes": b"\xff\x00",
        "nested": [1, (2.5, None, True), {"a": "b"}],
    }
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = load_plain(pickle.dumps(value, protocol))
        for key in value:
            np.testing.assert_equal(loaded[key], value[key])
        assert type(loaded["number"]) is int


# Downloads


def test_download_with_the_files_there_touches_no_network(tmp_path, no_network):
    write_mnist(tmp_path)
    write_mnist(tmp_path, "FashionMNIST", compress=True)
    write_cifar(tmp_path)
    for train in (True, False):
        for name in ("MNIST", "FashionMNIST", "CIFAR10"):
            getattr(datasets, name)(tmp_path, train=train, download=True)
    Digits(tmp_path, download=True)


@pytest.fixture
def server(tmp_path):
    """A web server on this machine: its folder, its address, and the paths it was asked for."""
    folder, asked = tmp_path / "server", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, directory=str(folder), **options)

        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/", asked
        running.shutdown()
        thread.join()


def served_mnist(server, monkeypatch):
    folder, address, _ = server
    contents = {
        f"{IMAGES}.gz": gzip.compress(idx(random_images(5, 28, 28)), mtime=0),
        f"{LABELS}.gz": gzip.compress(idx(np.arange(5)), mtime=0),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(MNIST, "mirrors", [f"{address}missing/", address])
    monkeypatch.setattr(MNIST, "resources", [(n, hashlib.md5(c).hexdigest()) for n, c in contents.items()])
    return folder


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_download_of_mnist_tries_the_mirrors_and_keeps_what_is_there(tmp_path, server, monkeypatch):
    served_mnist(server, monkeypatch)
    root = tmp_path / "data"
    np.testing.assert_array_equal(MNIST(root, download=True).data, random_images(5, 28, 28))
    assert files_below(root) == [f"{IMAGES}.gz", f"{LABELS}.gz"]
    before = len(server[2])
    MNIST(root, download=True)
    assert len(server[2]) == before


def test_a_download_with_the_wrong_checksum_leaves_nothing_behind(tmp_path, server, monkeypatch):
    folder = served_mnist(server, monkeypatch)
    (folder / f"{LABELS}.gz").write_bytes(b"something else")
    root = tmp_path / "data"
    with pytest.raises(RuntimeError, match=r"(?s)Error downloading .*404.*does not match"):
        MNIST(root, download=True)
    assert files_below(root) == [f"{IMAGES}.gz"]


def served_cifar(tmp_path, server, monkeypatch, members=()):
    folder, address, _ = server
    images, _ = write_cifar(tmp_path / "source")
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "source" / "cifar-10-batches-py", "cifar-10-batches-py")
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(CIFAR10, "url", address + archive.name)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    return images


def test_download_of_cifar_unpacks_the_known_files_only(tmp_path, server, monkeypatch):
    link = tarfile.TarInfo("cifar-10-batches-py/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    outside = tarfile.TarInfo("../outside")
    extra = tarfile.TarInfo("cifar-10-batches-py/readme.html")
    images = served_cifar(tmp_path, server, monkeypatch, [(link, b""), (outside, b"x"), (extra, b"y")])
    root = tmp_path / "data"
    own = root / "cifar-10-batches-py" / "test_batch"
    own.parent.mkdir(parents=True)
    own.write_bytes(pickle.dumps(GOOD))
    assert len(CIFAR10(root, train=False, download=True)) == 2
    assert server[2] == []
    np.testing.assert_array_equal(
        CIFAR10(root, download=True).data, images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    )
    assert files_below(root) == [
        "batches.meta",
        "cifar-10-python.tar.gz",
        *(f"data_batch_{n}" for n in range(1, 6)),
        "test_batch",
    ]
    assert own.read_bytes() == pickle.dumps(GOOD)
    assert not (tmp_path / "outside").exists()


def test_an_archive_with_a_link_for_a_batch_is_refused(tmp_path, server, monkeypatch):
    link = tarfile.TarInfo("cifar-10-batches-py/test_batch")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    served_cifar(tmp_path, server, monkeypatch)
    archive = server[0] / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(link)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz: holds no file"):
        CIFAR10(tmp_path / "data", download=True)


# Digits


def test_digits_are_a_fixed_balanced_split_of_scikit_learns():
    from sklearn.datasets import load_digits

    train, test = Digits(), Digits(train=False)
    assert isinstance(train.data, Tensor)
    train.data, train.targets, test.data, test.targets = map(
        np.asarray, (train.data, train.targets, test.data, test.targets)
    )
    assert (len(train), len(test)) == (1438, 359)
    assert train.data.shape[1:] == (28, 28)
    assert train.data.dtype == np.uint8
    assert train.targets.dtype == np.int64
    for label, count in enumerate(np.bincount(load_digits().target)):
        assert (test.targets == label).sum() == round(count / 5)
        assert (train.targets == label).sum() == count - round(count / 5)
    fingerprint = hashlib.md5(train.data.tobytes() + test.data.tobytes() + test.targets.tobytes())
    assert fingerprint.hexdigest() == "a3e5f6945a9691b95e257309259956ec"


def test_digits_are_the_small_images_scaled_up():
    from PIL import Image
    from sklearn.datasets import load_digits

    small = np.floor(load_digits().images * 255 / 16 + 0.5).astype(np.uint8)
    expected = {
        np.asarray(Image.fromarray(image).resize((28, 28), Image.Resampling.BILINEAR)).tobytes() for image in small
    }
    digits = [*Digits().data.numpy(), *Digits(train=False).data.numpy()]
    assert {image.tobytes() for image in digits} == expected
    assert len(digits) == 1797


def test_digits_print_themselves():
    assert repr(Digits("somewhere", train=False)).splitlines() == [
        "Dataset Digits",
        "    Number of datapoints: 359",
        "    Root location: somewhere",
        "    Split: Test",
    ]


def test_importing_costs_no_heavy_package():
    code = (
        "import sys; from minicnn import datasets, transforms; datasets.Digits(); "
        "print([name for name in ('sklearn', 'numba', 'pooch', 'PIL', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b"\x80\x02}r\xff\xff\xff\x0f.", "place 268435455"),  # the unpickler would make room for as many
        (b"\x80\x02}p268435455\n.", "place 268435455"),
        (pickle.dumps({"a": 1}, 2)[:-3], "plain data"),
    ],
)
def test_a_pickle_that_asks_for_memory_is_refused(pickled, message):
    with pytest.raises(ValueError, match=message):
        load_plain(pickled)


def test_a_pickle_that_encodes_one_text_over_and_over_is_refused():
    text = "a" * 10_000
    once = b"\x80\x02(c_codecs\nencode\nq\x00" + b"X" + struct.pack("<I", len(text)) + text.encode() + b"q\x01"
    more = b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 50
    with pytest.raises(ValueError, match="encode more"):
        load_plain(once + more + b"t.")


@pytest.mark.parametrize("compress", [False, True])
def test_an_idx_file_is_measured_before_it_is_unpacked(tmp_path, compress):
    pack = (lambda content: gzip.compress(content, mtime=0)) if compress else bytes
    path = tmp_path / "images"
    header = struct.pack(">HBBIII", 0, 8, 3, 2**16, 2**15, 3)
    path.write_bytes(pack(header + bytes(40)))
    with pytest.raises(ValueError, match="too few even if it is gzipped" if compress else "but 40 follow"):
        read_idx(path, 3)
    bomb = struct.pack(">HBBIII", 0, 8, 3, 1, 2, 2) + bytes(50_000_000 if compress else 500)
    path.write_bytes(pack(bomb))
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"1 × 2 × 2 = 4 bytes, but {'more' if compress else 500} follow"):
        read_idx(path, 3)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
