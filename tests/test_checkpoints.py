"""Checkpoints of any nest, between minicnn and PyTorch both ways, and whole objects."""

import collections
import io
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import nn
from minicnn.serialization import torch_write

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7]), max_size=3).map(tuple)


@st.composite
def tensors(draw):
    """Tensors of every dtype, some of them in other orders, parts of others, or asking for a gradient."""
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    array = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
    tensor = minicnn.from_numpy(array)
    if draw(st.booleans()):
        tensor = tensor.clone()  # memory that no program knows
    if array.ndim == 2 and draw(st.booleans()):
        tensor = tensor.t()
    if array.ndim and array.shape[0] > 2 and draw(st.booleans()):
        tensor = tensor[1:]
    if draw(st.booleans()) and array.dtype.kind == "f":
        return nn.Parameter(tensor) if draw(st.booleans()) else tensor.requires_grad_()
    return tensor


KEYS = st.one_of(st.text(max_size=5), st.integers(-3, 300))
LEAVES = st.one_of(
    tensors(),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=5),
    st.just(minicnn.float64),
    st.just(minicnn.Size([2, 3])),
    st.just(minicnn.device("cpu")),
    st.sets(st.integers(0, 5), max_size=3),
)
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=3).map(collections.OrderedDict),
    ),
    max_leaves=12,
)


def written(save, obj):
    """The bytes that `save` writes, as a file open for reading."""
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return file


def plain(value, library):
    """A nest without anything of either library's."""
    if isinstance(value, library.Tensor):
        return ("tensor", str(value.dtype), tuple(value.shape), value.requires_grad, value.tolist())
    if isinstance(value, library.Size):
        return ("size", tuple(value))
    if isinstance(value, (library.dtype, library.device)):
        return str(value)
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(item, library) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item, library) for item in value)
    return value


@given(NESTS)
@settings(max_examples=examples(60))
def test_torch_reads_what_minicnn_writes(obj):
    file = written(lambda value, f: torch_write.write(f, value), obj)
    assert plain(torch.load(file, weights_only=True), torch) == plain(obj, minicnn)
    file.seek(0)
    assert plain(minicnn.load(file), minicnn) == plain(obj, minicnn)


@given(NESTS)
@settings(max_examples=examples(40))
def test_minicnn_reads_what_torch_writes(obj):
    theirs = torch.load(written(lambda value, f: torch_write.write(f, value), obj), weights_only=True)
    file = written(torch.save, theirs)
    for weights_only in (True, False):
        file.seek(0)
        assert plain(minicnn.load(file, weights_only=weights_only), minicnn) == plain(theirs, torch)


@given(NESTS)
@settings(max_examples=examples(40))
def test_the_same_object_makes_the_same_bytes(obj):
    first = written(minicnn.save, obj).read()
    assert first == written(minicnn.save, obj).read()
    assert plain(minicnn.load(io.BytesIO(first)), minicnn) == plain(obj, minicnn) or isinstance(obj, dict)


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))


@pytest.mark.parametrize("as_text", [True, False])
def test_a_training_goes_on_from_its_checkpoint(tmp_path, as_text):
    minicnn.manual_seed(0)
    net = network()
    optimizer = minicnn.optim.Adam(net.parameters(), lr=0.01)
    scheduler = minicnn.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    images, labels = minicnn.randn(4, 3, 4, 4), minicnn.tensor([0, 1, 1, 0])

    def step(net, optimizer):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    step(net, optimizer)
    path = tmp_path / "checkpoint.pth"
    minicnn.save(
        {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
         "scheduler": scheduler.state_dict(),
         "best": np.float64(0.25), "history": [{"loss": np.float32(1.5)}], "mean": np.arange(3.0)},
        str(path) if as_text else path,
    )  # fmt: skip
    checkpoint = minicnn.load(str(path) if as_text else path, map_location=lambda storage, place: storage)
    assert checkpoint["epoch"] == 3
    assert isinstance(checkpoint["best"], np.float64)
    assert isinstance(checkpoint["history"][0]["loss"], np.float32)
    assert checkpoint["mean"].tolist() == [0, 1, 2]
    again = network()
    again.load_state_dict(checkpoint["model"])
    other = minicnn.optim.Adam(again.parameters(), lr=0.5)
    other.load_state_dict(checkpoint["optimizer"])
    minicnn.optim.lr_scheduler.StepLR(other, 2, 0.5).load_state_dict(checkpoint["scheduler"])
    for _ in range(3):
        assert step(net, optimizer) == step(again, other)


def test_shared_memory_stays_shared():
    x = minicnn.arange(6.0).reshape(2, 3)
    loaded = minicnn.load(written(minicnn.save, [x, x, x[1], {"t": x.t()}]))
    assert loaded[0] is loaded[1]
    loaded[0][1, 0] = 9
    assert loaded[2][0].item() == 9
    assert loaded[3]["t"][0, 1].item() == 9
    ring: list = [1]
    ring.append(ring)
    loaded = minicnn.load(written(minicnn.save, {"ring": ring}))
    assert loaded["ring"][1] is loaded["ring"]


def test_numpys_values_come_from_torch():
    values = {
        "a": np.float64(0.5),
        "b": [np.int32(3), np.bool_(True)],
        "c": np.arange(6.0).reshape(2, 3).T,
        "d": np.zeros((0, 2)),
    }
    loaded = minicnn.load(written(torch.save, values))
    assert type(loaded["a"]) is np.float64
    assert loaded["b"] == values["b"]
    for name in "cd":
        np.testing.assert_array_equal(loaded[name], values[name])
    with pytest.raises(ValueError, match=r"O8|object"):
        minicnn.load(written(torch.save, {"x": np.array([None])}))


# Whole objects


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.note = {"made": "here"}

    def forward(self, x):
        return self.conv(x)


class Sting:
    def __reduce__(self):
        return print, ("stung",)


def test_whole_models_are_asked_for_by_name(tmp_path, capsys):
    net = Net()
    minicnn.save(net, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"asks for .*Net.*nothing was executed.*weights_only=False"):
        minicnn.load(tmp_path / "net.pth")
    again = minicnn.load(tmp_path / "net.pth", weights_only=False)
    x = minicnn.randn(1, 1, 5, 5)
    assert again(x).tolist() == net(x).tolist()
    assert again.note == net.note
    minicnn.save({"sting": Sting(), "x": minicnn.ones(2)}, tmp_path / "sting")
    with pytest.raises(ValueError, match="nothing was executed"):
        minicnn.load(tmp_path / "sting")
    assert capsys.readouterr().out == ""
    minicnn.load(tmp_path / "sting", weights_only=False)
    assert capsys.readouterr().out == "stung\n"


def test_pickles_are_asked_for_by_name(tmp_path):
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(ValueError, match="weights_only=False"):
        minicnn.load(path)
    assert minicnn.load(path, weights_only=False) == {"x": 1}


def test_a_class_that_is_gone_says_so(tmp_path, monkeypatch):
    minicnn.save(Net(), tmp_path / "net")
    monkeypatch.delattr(f"{__name__}.Net")
    with pytest.raises(AttributeError, match="Net"):
        minicnn.load(tmp_path / "net", weights_only=False)


def test_what_can_not_be_saved_leaves_nothing(tmp_path):
    for obj in (lambda x: x, {"f": lambda x: x}, [io.BytesIO().getbuffer()]):
        with pytest.raises(TypeError, match="can't save"):
            minicnn.save(obj, tmp_path / "f.pth")
    for suffix in (".npz", ".safetensors"):
        with pytest.raises(TypeError):
            minicnn.save({"epoch": 3}, tmp_path / f"f{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "map_location", [None, "cpu", "cpu:0", minicnn.device("cpu"), {"cuda:0": "cpu"}, lambda s, _: s]
)
def test_everything_goes_to_the_cpu(map_location):
    file = written(torch.save, {"x": torch.ones(2)})
    assert minicnn.load(file, map_location=map_location)["x"].tolist() == [1, 1]


def test_tensors_that_do_not_lie_in_rows():
    images = nn.functional.conv2d(minicnn.randn(2, 3, 6, 6), minicnn.randn(4, 3, 3, 3))
    values = {
        "images": images,
        "last": images.contiguous(memory_format=minicnn.channels_last),
        "part": images[1:, ::2],
        "n": 1,
    }
    loaded = torch.load(written(minicnn.save, values), weights_only=True)
    for name in ("images", "last", "part"):
        np.testing.assert_array_equal(loaded[name].numpy(), values[name].numpy())


def test_the_file_is_what_torch_documents():
    with zipfile.ZipFile(written(minicnn.save, [minicnn.ones(2)])) as archive, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert archive.read("archive/version") == b"3\n"
        assert archive.read("archive/byteorder") == b"little"
        assert archive.read("archive/data/0") == np.ones(2, "<f4").tobytes()
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())


def test_a_tensor_without_dimensions_keeps_none(tmp_path):
    leaf = minicnn.tensor(2.0, requires_grad=True)
    saved = {
        "epoch": 3,
        "loss": (leaf * 2).mean(),
        "leaf": leaf,
        "step": minicnn.tensor(7),
        "norm": nn.BatchNorm2d(2).state_dict(),
    }
    minicnn.save(saved, tmp_path / "checkpoint.pt")
    for library in (minicnn, torch):
        loaded = library.load(tmp_path / "checkpoint.pt")
        assert [tuple(loaded[name].shape) for name in ("loss", "leaf", "step")] == [(), (), ()]
        assert tuple(loaded["norm"]["num_batches_tracked"].shape) == ()
        assert (loaded["loss"].item(), loaded["step"].item()) == (4, 7)
