"""Files: what is saved comes back, PyTorch and minicnn read each other, and bad files do no harm."""

import collections
import contextlib
import io
import os
import pickle
import posix
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minicnn
from minicnn import from_numpy
from minicnn.serialization import load, read_metadata, replacing, save
from minicnn.tensor import Tensor

DTYPES = [
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
]
TORCH_DTYPES = [getattr(torch, name) for name in DTYPES]

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(
    lambda name: name != "__metadata__"
)


@st.composite
def arrays(draw):
    """Arrays of every kind that can be saved, in every memory order."""
    dtype = draw(st.sampled_from(DTYPES), label="dtype")
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), label="shape")
    array = draw(hnp.arrays(dtype, shape), label="array")
    order = draw(st.sampled_from(["C", "F", "channels last", "strided", "big endian"]), label="memory order")
    if order == "F":
        return np.asfortranarray(array) if array.ndim else array
    if order == "channels last" and array.ndim == 4:
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if order == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if order == "big endian":
        return array.astype(array.dtype.newbyteorder(">"))
    return array


def same(actual, expected):
    """Whether a loaded Tensor is the array that was saved, bit for bit."""
    assert type(actual) is Tensor
    assert actual.dtype == expected.dtype.newbyteorder("=")
    assert actual.shape == expected.shape
    native = expected.astype(actual.dtype)
    assert actual.numpy().tobytes() == native.tobytes()
    assert actual.numpy().flags.writeable


states = st.dictionaries(names, arrays(), max_size=4)


@given(states, st.dictionaries(st.text(), st.text(), max_size=3), st.data())
def test_what_is_saved_comes_back(tmp_path_factory, state, metadata, data):
    suffix = data.draw(st.sampled_from([".safetensors", ".npz", ".pth", ""]), label="suffix")
    path = tmp_path_factory.mktemp("save") / f"weights{suffix}"
    wrapped = {name: from_numpy(array) if array.dtype.isnative else array for name, array in state.items()}
    try:
        save(wrapped, path, metadata=metadata)
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        assert list(path.parent.iterdir()) == []
        return
    loaded = load(path)
    assert list(loaded) == list(state)
    for name, array in state.items():
        same(loaded[name], array)
    assert read_metadata(path) == metadata
    assert list(path.parent.iterdir()) == [path]


@given(states, st.dictionaries(names, names, max_size=8))
def test_equal_weights_are_equal_files_that_the_library_reads(state, metadata):
    first, second = io.BytesIO(), io.BytesIO()
    save(state, first, metadata=metadata)
    save(dict(state), second, metadata=dict(metadata))
    assert first.getvalue() == second.getvalue()
    theirs = safetensors.numpy.load(first.getvalue())
    assert set(theirs) == set(state)
    for name, array in state.items():
        np.testing.assert_array_equal(theirs[name], array)


@pytest.mark.parametrize("dtype", TORCH_DTYPES, ids=DTYPES)
def test_the_torch_side_of_safetensors_reads_ours(tmp_path, dtype):
    expected = {"x": torch.arange(6).reshape(2, 3).to(dtype), "scalar": torch.tensor(1).to(dtype)}
    save({name: value.numpy() for name, value in expected.items()}, tmp_path / "w.pt", metadata={"a": "b"})
    theirs = safetensors.torch.load_file(tmp_path / "w.pt")
    assert set(theirs) == set(expected)
    assert all(torch.equal(theirs[name], expected[name]) for name in expected)
    with safetensors.safe_open(tmp_path / "w.pt", "pt") as file:
        assert file.metadata() == {"a": "b"}


def test_npz_is_numpys(tmp_path):
    state = {"file": np.arange(3.0), "a/b": np.array(True), "mandatory": np.zeros((0, 2), np.uint8)}
    save(state, tmp_path / "ours.NPZ", metadata={"model": "lenet"})
    with np.load(tmp_path / "ours.NPZ") as theirs:
        assert set(theirs.files) == {*state, "__metadata__"}
        for name, array in state.items():
            np.testing.assert_array_equal(theirs[name], array)
    for savez in (np.savez, np.savez_compressed):
        savez(tmp_path / "theirs.npz", x=np.asfortranarray(np.arange(6.0).reshape(2, 3)), y=np.zeros(5000))
        ours = load(tmp_path / "theirs.npz")
        same(ours["x"], np.arange(6.0).reshape(2, 3))
        same(ours["y"], np.zeros(5000))
    assert read_metadata(tmp_path / "theirs.npz") == {}


# PyTorch's own files


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
        torch.nn.BatchNorm2d(4),
        torch.nn.Linear(4, 2).double(),
    )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_torch_state_dicts_load(tmp_path, protocol):
    state = network().state_dict()
    torch.save(state, tmp_path / "weights.npz", pickle_protocol=protocol)  # the suffix lies
    loaded = load(tmp_path / "weights.npz", map_location="cpu")
    assert list(loaded) == list(state)
    for name, value in state.items():
        same(loaded[name], value.numpy())
    assert read_metadata(tmp_path / "weights.npz") == {}


@pytest.mark.parametrize("dtype", TORCH_DTYPES, ids=DTYPES)
def test_torch_dtypes_and_views_load(tmp_path, dtype):
    base = torch.arange(24).reshape(2, 3, 4).to(dtype)
    views = {
        "whole": base,
        "slice": base[1, 1:, ::2],
        "transposed": base.permute(2, 0, 1),
        "scalar": base[1, 2, 3],
        "empty": base[:0],
        "expanded": base[0, 0, 0].expand(3, 2),
    }
    torch.save(views, tmp_path / "views.pt")
    loaded = load(tmp_path / "views.pt")
    for name, value in views.items():
        same(loaded[name], value.numpy())
    loaded["whole"].numpy()[1, 2, 3] = 0  # views of one storage stay views of one memory, as in torch.load
    assert loaded["scalar"].item() == 0


def plain(tree):
    """A structure with lists in place of its tensors, torch's or ours."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    return tree.tolist() if isinstance(tree, (torch.Tensor, Tensor)) else tree


def test_torch_checkpoints_keep_their_structure(tmp_path):
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.25)
    net[2](torch.ones(1, 4).double()).sum().backward()
    optimizer.step()
    checkpoint = {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "history": [(0.5, True), (None, "text")],
        "shape": torch.Size([2, 3]),
        "device": torch.device("cuda", 1),
        "dtype": torch.float64,
        "bytes": b"abc",
        "big": 10**30,
        7: collections.OrderedDict(a=1),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    torch.save(checkpoint, tmp_path / "checkpoint.pth")
    loaded = load(tmp_path / "checkpoint.pth")
    assert list(loaded) == list(checkpoint)
    assert plain(loaded["optimizer"]) == plain(checkpoint["optimizer"])
    same(loaded["model"]["0.weight"], checkpoint["model"]["0.weight"].numpy())
    assert {key: loaded[key] for key in ("epoch", "history", "shape", "bytes", "big")} == {
        key: checkpoint[key] for key in ("epoch", "history", "shape", "bytes", "big")
    }
    assert (loaded["device"], loaded["dtype"], loaded[7]) == ("cuda:1", minicnn.float64, {"a": 1})
    assert loaded["parameter"].tolist() == [1, 1]


def test_bfloat16_becomes_float32(tmp_path):
    values = torch.tensor([0.0, -1.5, 3.140625, float("inf"), 1e-40], dtype=torch.bfloat16)
    torch.save({"x": values}, tmp_path / "torch")
    safetensors.torch.save_file({"x": values}, tmp_path / "safetensors")
    for name in ("torch", "safetensors"):
        same(load(tmp_path / name)["x"], values.float().numpy())


def test_types_without_a_counterpart_are_named(tmp_path):
    safetensors.torch.save_file({"tiny": torch.ones(2).to(torch.float8_e4m3fn)}, tmp_path / "a")
    with pytest.raises(ValueError, match=r"a: .*'tiny'.*F8_E4M3"):
        load(tmp_path / "a")
    torch.save({"x": torch.ones(2, dtype=torch.complex64)}, tmp_path / "b")
    with pytest.raises(ValueError, match=r"b: .*ComplexFloatStorage"):
        load(tmp_path / "b")


def test_big_endian_torch_files_load(tmp_path):
    torch.save({"x": torch.tensor([1.0, 2.0]), "n": torch.tensor(513)}, tmp_path / "little")
    with zipfile.ZipFile(tmp_path / "little") as little, zipfile.ZipFile(tmp_path / "big", "w") as big:
        for name in little.namelist():
            data = little.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            elif name.endswith("data/0"):
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            elif name.endswith("data/1"):
                data = np.frombuffer(data, "<i8").astype(">i8").tobytes()
            big.writestr(name, data)
    loaded = load(tmp_path / "big")
    assert loaded["x"].tolist() == [1, 2]
    assert loaded["n"].item() == 513


# Files that mean harm


@pytest.fixture
def trap(monkeypatch):
    """Fails the test when a command is run."""
    sprung = []
    for owner in (os, posix):
        monkeypatch.setattr(owner, "system", sprung.append)
    yield
    assert not sprung


def call(module, name, *arguments):
    """The pickle of a call of `module.name`, written by hand."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"R."


CALLS = [
    ("os", "system", "echo harm"),
    ("posix", "system", "echo harm"),
    ("builtins", "eval", "__import__('os').system('echo harm')"),
    ("builtins", "getattr", "a", "b"),
    ("torch", "load", "x"),
    ("torch.storage", "_load_from_bytes", b"x"),
    ("torch.serialization", "load", "x"),
    ("numpy.core.multiarray", "_reconstruct", "x"),
    ("collections.OrderedDict", "fromkeys", "ab"),
]


def zipped(program, **entries):
    """The bytes of a file as torch.save writes it, around a given pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        for name, data in entries.items():
            archive.writestr(f"archive/data/{name.removeprefix('_')}", data)
    return stream.getvalue()


@pytest.mark.parametrize("described", CALLS, ids=lambda described: ".".join(described[:2]))
def test_pickles_that_call_are_refused(tmp_path, trap, described):
    program = call(*described)
    (tmp_path / "bare.pth").write_bytes(program)
    (tmp_path / "zipped.pth").write_bytes(zipped(program))
    with pytest.raises(ValueError, match=r"bare\.pth: it is a pickle"):
        load(tmp_path / "bare.pth")
    with pytest.raises(ValueError, match=rf"zipped\.pth: .*{described[0]}\.{described[1]}.*nothing was executed"):
        load(tmp_path / "zipped.pth")


class Reduced:
    """What people put into files by saving more than tensors, here with a sting."""

    def __reduce__(self):
        return os.getenv, ("echo harm",)


def test_models_and_other_objects_are_refused(tmp_path, trap):
    torch.save({"weights": torch.ones(2), "evil": Reduced()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"evil\.pth: .*nothing was executed"):
        load(tmp_path / "evil.pth")
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.pth")
    with pytest.raises(ValueError, match=r"torch\.nn\.modules\.linear\.Linear"):
        load(tmp_path / "model.pth")


def test_object_arrays_are_refused(tmp_path, trap):
    np.savez(tmp_path / "objects.npz", x=np.array([Reduced()], dtype=object))
    with pytest.raises(ValueError, match=r"objects\.npz: .*Python objects"):
        load(tmp_path / "objects.npz")
    np.savez(tmp_path / "text.npz", x=np.array(["a"]))
    with pytest.raises(ValueError, match=r"text\.npz: 'x' holds"):
        load(tmp_path / "text.npz")


def test_the_old_torch_format_says_what_to_do(tmp_path):
    torch.save({"x": torch.ones(2)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r"old\.pth: .*before version 1\.6; load it in PyTorch"):
        load(tmp_path / "old.pth")


def tensor_program(size, stride, offset=0, numel=4, storage=b"FloatStorage"):
    """A pickle of one float32 tensor with a geometry of one's own."""

    def number(value):
        return (
            b"\x8a"
            + bytes([(value.bit_length() // 8) + 1])
            + value.to_bytes((value.bit_length() // 8) + 1, "little", signed=True)
        )

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + (b"(U\x07storagectorch\n" + storage + b"\nU\x010U\x03cpu" + number(numel) + b"tQ")
        + (number(offset) + numbers(size) + numbers(stride) + b"\x89ccollections\nOrderedDict\n)Rt" + b"R.")
    )


def test_a_handmade_geometry_loads(tmp_path):
    (tmp_path / "x").write_bytes(zipped(tensor_program((2, 1), (2, 1), 1), _0=bytes(12) + struct.pack("<f", 7)))
    assert load(tmp_path / "x").tolist() == [[0], [7]]


@pytest.mark.parametrize(
    ("size", "stride", "offset", "numel"),
    [
        ((5,), (1,), 0, 4),
        ((4,), (1,), 1, 4),
        ((2,), (4,), 0, 4),
        ((1,), (1,), 4, 4),
        ((1,), (1,), -1, 4),
        ((2,), (-1,), 1, 4),
        ((-1,), (1,), 0, 4),
        ((2**62, 2**62), (1, 1), 0, 4),
        ((2,), (2**62,), 0, 4),
        ((2, 2), (1,), 0, 4),
        ((4,), (1,), 0, 5),
        ((4,), (1,), 0, 3),
        ((4,), (1,), 0, 2**62),
        ((2**70, 0), (1, 1), 0, 4),
        ((2**70,), (0,), 0, 4),
        ((1,), (2**70,), 0, 4),
        ((1,) * 100, (1,) * 100, 0, 4),
    ],
)
def test_tensors_that_reach_outside_are_refused(tmp_path, size, stride, offset, numel):
    program = tensor_program(size, stride, offset, numel)
    (tmp_path / "evil.pth").write_bytes(zipped(program, _0=bytes(16)))
    with pytest.raises(ValueError, match=r"evil\.pth: "):
        load(tmp_path / "evil.pth")


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b".",
        b"\x80\x02.",
        b"\x80\x02R.",
        b"\x80\x02)R.",
        b"\x80\x02}(}}u.",  # a dictionary as a key
        b"\x80\x02](\x85\x85u.",
        b"\x80\x02K\x01b.",
        b"\x80\x02}}b",
        b"\x80\x02h\x05.",
        b"\x80\x02r\xff\xff\xff\xff.",  # a memo slot far away
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.",  # a string of 2**63 bytes
        b"\x80\x02" + b"(" * 100_000 + b"t" * 100_001 + b".",
        b"\x80\x02ctorch\nSize\nK\x05\x85R.",
        b"\x80\x02ctorch\ndevice\n]\x85R.",
        b"\x80\x02(U\x07storageU\x01aU\x01bU\x01cK\x01tQ.",
        b"\x80\x02ccollections\nOrderedDict\n)}\x92.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.",  # attributes for a function
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",
        b"\x80\x02\x82\x01.",
        b"\xff\x00",
    ],
)
def test_programs_that_make_no_sense_are_refused(tmp_path, trap, program):
    (tmp_path / "evil.pth").write_bytes(zipped(program))
    with pytest.raises(ValueError, match=r"evil\.pth: "):
        load(tmp_path / "evil.pth")


def test_nested_copies_cost_nothing(tmp_path):
    """A list of two lists of two lists ... of one name: 2^60 entries if anybody unrolled them."""
    doubling = b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
    program = b"\x80\x02]q\x00" + doubling + b"."
    (tmp_path / "laughs.pth").write_bytes(zipped(program))
    assert len(load(tmp_path / "laughs.pth")) == 2
    program = b"\x80\x02]q\x00" + doubling + b"ctorch\ndevice\nh\x3b\x85R."  # 0x3b = 59
    (tmp_path / "laughs.pth").write_bytes(zipped(program))
    with pytest.raises(ValueError, match="damaged device"):
        load(tmp_path / "laughs.pth")


def test_zip_bombs_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(80 * 2**20, np.uint8))
    with pytest.raises(ValueError, match=r"bomb\.npz: .*would unpack to 83,886,\d+"):
        load(tmp_path / "bomb.npz")


def test_array_headers_that_promise_too_much_are_refused(tmp_path):
    for shape in [(2**40,), (2**70,), (-1,), (3,)]:
        with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive, archive.open("x.npy", "w") as entry:
            np.lib.format.write_array_header_1_0(entry, {"descr": "<f4", "fortran_order": False, "shape": shape})
            entry.write(bytes(16))
        with pytest.raises(ValueError, match=r"lie\.npz: .*'x\.npy'"):
            load(tmp_path / "lie.npz")


def good_files():
    """One small file of every format."""
    state = {"conv.weight": np.arange(18, dtype=np.float32).reshape(2, 1, 3, 3), "steps": np.array(7)}
    files = {}
    for name in ("safetensors", "npz"):
        stream = io.BytesIO()
        if name == "npz":
            np.savez(stream, **state)
        else:
            save(state, stream, metadata={"model": "lenet"})
        files[name] = stream.getvalue()
    stream = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in state.items()}, stream)
    return files | {"torch": stream.getvalue()}


GOOD = good_files()


@pytest.mark.parametrize("kind", GOOD)
def test_every_truncation_is_a_value_error(tmp_path, kind):
    whole = GOOD[kind]
    path = tmp_path / "short"
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="short: "):
            load(path)


def refused_or_loaded(data):
    """Loads `data`, where only a ValueError may come of it; any other exception fails the test."""
    with contextlib.suppress(ValueError):
        load(io.BytesIO(data))


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_damage_is_a_value_error_or_harmless(kind, data):
    damaged = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 4), label="damaged bytes")):
        position = data.draw(st.integers(0, len(damaged) - 1), label="position")
        damaged[position] = data.draw(st.integers(0, 255), label="byte")
    refused_or_loaded(bytes(damaged))


@given(st.binary(max_size=64))
def test_any_pickle_program_is_a_value_error_or_plain_data(program):
    refused_or_loaded(zipped(b"\x80\x02" + program))


def test_other_files_are_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere.safetensors")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    for content in (b"", b"hello", b"PK\x03\x04", b"{" * 100, bytes(100), b"\x80"):
        (tmp_path / "odd.pth").write_bytes(content)
        with pytest.raises(ValueError, match=r"odd\.pth: "):
            load(tmp_path / "odd.pth")
    with zipfile.ZipFile(tmp_path / "book.zip", "w") as archive:
        archive.writestr("chapter.txt", "Call me Ishmael.")
    with pytest.raises(ValueError, match=r"book\.zip: .*chapter\.txt"):
        load(tmp_path / "book.zip")


# Writing


def test_bad_state_is_refused_before_anything_is_written(tmp_path):
    for state, error in [
        ([np.ones(1)], TypeError),
        ({1: np.ones(1)}, TypeError),
        ({"x": [1.0]}, TypeError),
        ({"x": {"y": np.ones(1)}}, TypeError),
        ({"x": np.array(["a"])}, TypeError),
        ({"x": np.array([None])}, TypeError),
        ({"x": np.ones(1, np.complex64)}, TypeError),
        ({"__metadata__": np.ones(1)}, ValueError),
    ]:
        for suffix in ("safetensors", "npz"):
            with pytest.raises(error):
                save(state, tmp_path / f"w.{suffix}")
    with pytest.raises(TypeError, match="epoch"):
        save({}, tmp_path / "w", metadata={"epoch": 3})
    with pytest.raises(ValueError, match="null"):
        save({"a\0b": np.ones(1)}, tmp_path / "w.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch, suffix, failure):
    path = tmp_path / f"w{suffix}"
    save({"x": np.zeros(3)}, path)
    before = path.read_bytes()

    def write_half():
        with replacing(path) as file:
            file.write(b"half of")
            raise failure

    with pytest.raises(type(failure)):
        write_half()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(failure))
    with pytest.raises(type(failure)):
        save({"x": np.ones(3)}, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent/w\.npz'$"):
        save({}, tmp_path / "absent" / "w.npz")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        save({}, tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="file/w"):
        save({}, tmp_path / "file" / "w")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_links_and_devices_keep_being_what_they_are(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    save({"x": np.ones(1)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "real")["x"].tolist() == [1]
    save({"x": np.ones(1)}, os.devnull)
    assert Path(os.devnull).is_char_device()


def test_files_are_as_readable_as_any_other(tmp_path):
    save({}, tmp_path / "ours")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_load_promises_nothing_it_does_not_do(tmp_path):
    save({}, tmp_path / "w")
    with pytest.raises(RuntimeError, match="cuda"):
        load(tmp_path / "w", map_location="cuda")
    with pytest.raises(ValueError, match="mmap"):
        load(tmp_path / "w", mmap=True)
    with pytest.raises(ValueError, match="pickle_module"):
        load(tmp_path / "w", pickle_module=io)
    with pytest.raises(TypeError, match="binary"), open(tmp_path / "w", encoding="latin1") as file:
        load(file)


def test_one_text_encoded_over_and_over_is_refused(tmp_path):
    text = b"a" * 100_000
    once = b"\x80\x02](c_codecs\nencode\nq\x00" + b"X" + len(text).to_bytes(4, "little") + text + b"q\x01"
    again = b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 200
    (tmp_path / "bomb.pth").write_bytes(zipped(once + again + b"e."))
    with pytest.raises(ValueError, match=r"bomb\.pth: .*far more bytes than it holds"):
        load(tmp_path / "bomb.pth")


def test_an_error_quotes_no_more_of_a_file_than_a_line(tmp_path):
    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(3))
    with zipfile.ZipFile(stream) as archive:
        entry = archive.read("a.npy")
    with zipfile.ZipFile(tmp_path / "odd.npz", "w") as archive:
        archive.writestr("a.npy", entry[:8] + (6000).to_bytes(2, "little") + b"{" + b"x" * 5998 + b"\n")
    with pytest.raises(ValueError, match=r"odd\.npz: .*a\.npy") as caught:
        load(tmp_path / "odd.npz")
    assert len(str(caught.value)) < 500
