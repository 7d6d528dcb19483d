"""Damaged files of every format that minicnn reads: each is refused by an error of the reader's own, or read.

    python -m tests.damaged --seconds 1800 --seed 1    # exit status 1 where anything else came of one

Files are damaged byte by byte, in what they count and where they end, and, where they are archives, within: then the
archive around it is whole, and its checksum right. Nothing may raise another error, take more memory than LIMIT, or
longer than PATIENCE; nothing is executed and nothing written elsewhere, which an audit hook watches.
"""

import gzip
import io
import json
import pickle
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import minicnn
import minicnn.io
import minicnn.onnx
from minicnn import nn
from minicnn.datasets import cifar10, mnist
from minicnn.datasets.pictures import read_picture
from minicnn.training.checkpoint import Story, load_checkpoint, save_checkpoint
from minicnn.training.snapshot import _digest, _flattened, load_snapshot, save_snapshot

FOLDER = tempfile.TemporaryDirectory(prefix="damaged-")
"""Where files lie while they are read."""

LIMIT = 2**30
"""Bytes that a file of some kilobytes may take to read, beyond what the process holds."""
PATIENCE = 20
"""Seconds that one may take."""

WATCHING = []
FORBIDDEN = "os.system", "subprocess.Popen", "os.exec", "os.fork", "os.spawn", "socket.connect"


def weights():
    state = {"conv.weight": minicnn.randn(2, 1, 3, 3), "steps": minicnn.tensor(7)}
    return state | {"nested": {"list": [1, 2.5, None, "text"], "tuple": (minicnn.ones(2),)}}


def saved(obj):
    stream = io.BytesIO()
    minicnn.save(obj, stream)
    return stream.getvalue()


def by_torch():
    stream = io.BytesIO()
    torch.save({"model": torch.nn.Linear(3, 2).state_dict(), "steps": 3, "names": {"a": [1, (2, 3)]}}, stream)
    return stream.getvalue()


def as_safetensors():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        minicnn.save({"a.weight": minicnn.randn(4, 3), "b": minicnn.ones(5)}, path, metadata={"model": "lenet"})
        return path.read_bytes()


def snapshot():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.safetensors")
        save_snapshot({"model": weights()["nested"], "epoch": 3, "rates": [0.1, 0.2]}, path)
        return path.read_bytes()


def story():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        told = Story("lenet", "digits", ["0", "1"], [1, 28, 28], [0.5], [0.2], 0, 1, {"lr": 0.1}, 0.5, "0.1.0")
        save_checkpoint(nn.Linear(3, 2), path, told)
        return path.read_bytes()


NEST_TENSORS = {"0": np.arange(3.0), "1": np.ones((2, 2), np.float32)}
"""What the nest of a snapshot refers to."""


def nest():
    tensors = {}
    return json.dumps(_flattened({"a": [minicnn.ones(2), {"b": (1, 2.5, None)}], "c": np.ones(3)}, tensors)).encode()


def read_nest(text):
    """A snapshot around a text that is its nest, its checksum right."""
    path, nest = Path(FOLDER.name, "13.safetensors"), text.decode("utf-8", "replace")
    tensors = {name: np.ones(3) for name in re.findall(r'"(\d+)"', nest)[:9]} | NEST_TENSORS
    minicnn.save(tensors, path, metadata={"nest": nest, "sha256": _digest(nest, tensors)})
    return load_snapshot(path)


def as_npz():
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(6.0).reshape(2, 3), b=np.array(7))
    return stream.getvalue()


def idx():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4), np.uint8)
    return b"\0\0\x08\3" + np.array(images.shape, ">i4").tobytes() + images.tobytes()


def batch():
    images = np.random.default_rng(0).integers(0, 256, (3, 3072), np.uint8)
    return pickle.dumps({"data": images, "labels": [0, 9, 3], "batch_label": b"x", "filenames": ["a.png"]}, 2)


def picture(form):
    stream = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (19, 23, 3), np.uint8))
    image.save(stream, form)
    return stream.getvalue()


def network():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)).eval()
    return minicnn.onnx.export(model, minicnn.zeros(2, 1, 6, 6)).SerializeToString()


def from_path(reader, suffix):
    """A reader of bytes that needs a file."""
    path = Path(FOLDER.name, suffix)

    def read(data):
        path.write_bytes(data)
        return reader(path)

    return read


READERS = {
    "safetensors": (as_safetensors, from_path(minicnn.load, "1.safetensors")),
    "snapshot": (snapshot, from_path(load_snapshot, "11.safetensors")),
    "nest of a snapshot": (nest, read_nest),
    "weights with a story": (story, from_path(load_checkpoint, "12.safetensors")),
    "npz": (as_npz, from_path(minicnn.load, "2.npz")),
    "pth by minicnn": (lambda: saved(weights()), from_path(minicnn.load, "3.pth")),
    "pth by torch": (by_torch, from_path(minicnn.load, "4.pth")),
    "onnx": (network, minicnn.onnx.load),
    "idx": (idx, from_path(lambda path: mnist.read_idx(path, 3), "5-idx3-ubyte")),
    "idx.gz": (lambda: gzip.compress(idx(), mtime=0), from_path(lambda path: mnist.read_idx(path, 3), "6-idx3.gz")),
    "cifar batch": (batch, from_path(lambda path: cifar10.read_batch(path, "labels", 10), "7_batch")),
    "png": (lambda: picture("PNG"), from_path(read_picture, "9.png")),
    "jpeg": (lambda: picture("JPEG"), from_path(minicnn.io.read_image, "10.jpg")),
}
"""For each format one whole file and what reads it."""

REFUSALS = {"onnx": (ValueError, NotImplementedError), "jpeg": (ValueError, RuntimeError)}
"""Errors by which readers refuse, where they aren't `ValueError` alone."""

NUMBERS = [0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


def damaged_bytes(data, rng):
    """A file with a few of its bytes, numbers or parts changed."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(0, len(data) + 1))
        length = int(rng.choice([1, 1, 2, 4, 8, 30]))
        way = rng.integers(0, 7)
        if way == 0:
            data[place : place + 1] = bytes([rng.integers(0, 256)])
        elif way == 1:
            width = int(rng.choice([1, 2, 4, 8]))
            number = int(rng.choice(np.array(NUMBERS, object))) % 256**width
            data[place : place + width] = number.to_bytes(width, str(rng.choice(["little", "big"])))
        elif way == 2:
            del data[place : place + length]
        elif way == 3:
            data[place:place] = rng.bytes(length)
        elif way == 4:
            source = int(rng.integers(0, len(data) + 1))
            data[place : place + length] = data[source : source + length]
        elif way == 5 and rng.random() < 0.2:
            del data[place:]
        elif place < len(data):
            data[place] ^= 1 << int(rng.integers(0, 8))
        if not data:
            break
    return bytes(data)


def damaged(data, rng):
    """A damaged file; of archives, half the time one within a whole archive."""
    if rng.random() < 0.5:
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = {name: archive.read(name) for name in archive.namelist()}
            name = str(rng.choice(list(parts)))
            parts[name] = damaged_bytes(parts[name], rng)
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                for one, content in parts.items():
                    archive.writestr(one, content)
            return stream.getvalue()
        if data[:2] == b"\x1f\x8b":
            return gzip.compress(damaged_bytes(gzip.decompress(data), rng), mtime=0)
    return damaged_bytes(data, rng)


def outcome(kind, data):
    """`read` or `refused`, or a finding in words."""
    WATCHING.append(kind)
    try:
        READERS[kind][1](data)
    except REFUSALS.get(kind, ValueError):
        return "refused"
    except Exception as error:  # that is what is searched for
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        WATCHING.pop()
    return "read"


def watch(event, arguments):
    elsewhere = event == "open" and set(str(arguments[1])) & set("wax+") and FOLDER.name not in str(arguments[0])
    if WATCHING and (event in FORBIDDEN or elsewhere):
        raise AssertionError(f"{event} {arguments}")


def give_up(*_):
    raise TimeoutError(f"longer than {PATIENCE} s")


def main():
    parser = ArgumentParser(prog="python -m tests.damaged")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--numbers", type=int, default=sys.maxsize, help="at most so many of every format")
    parser.add_argument("--keep", type=Path, help="folder for what was found")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    whole = {kind: make() for kind, (make, _) in READERS.items()}
    for kind, data in whole.items():
        assert outcome(kind, data) == "read", kind
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + LIMIT, held + LIMIT))
    signal.signal(signal.SIGALRM, give_up)
    sys.addaudithook(watch)
    counts, shown, end, number = Counter(), set(), time.monotonic() + options.seconds, options.seed << 32
    while time.monotonic() < end and number < (options.seed << 32) + options.numbers:
        rng = np.random.default_rng(number)
        for kind, data in whole.items():
            file = damaged(data, rng)
            signal.alarm(PATIENCE)
            result = outcome(kind, file)
            signal.alarm(0)
            found = result not in ("read", "refused")
            counts[kind, "found" if found else result] += 1
            if found and (kind, result[:60]) not in shown:
                shown.add((kind, result[:60]))
                print(f"{kind}, number {number}: {result}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{kind.replace(' ', '-')}-{number}").write_bytes(file)
        number += 1
    for kind in whole:
        print(kind, *[f"{word} {counts[kind, word]}" for word in ("read", "refused", "found")])
    print("files:", sum(counts.values()))
    return any(word == "found" for _, word in counts)


if __name__ == "__main__":
    sys.exit(main())
