"""Tensors in a file: written whole or not at all, read without executing anything.

A dictionary of tensors is written as safetensors, a header of names, shapes and offsets followed by the bytes, or as
NumPy's `.npz` where the suffix asks for it; tensors in any other nest of containers as PyTorch's `.pth`, which
`torch.load` reads; whole models as pickles. `load` looks at what a file holds, not at what it is called.
"""

import os
import pickle
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minicnn.creation import from_numpy
from minicnn.serialization import npz, objects, safetensors, torch_write, torch_zip
from minicnn.serialization.archive import open_archive
from minicnn.serialization.files import replacing
from minicnn.tensor import Tensor

__all__ = ["load", "read_metadata", "replacing", "save"]

DEFAULT_PROTOCOL = 2
"""Pickle's protocol for whole objects, PyTorch's choice."""

Target = str | os.PathLike[str] | BinaryIO


def save(
    obj: Any, f: Target, pickle_protocol: int = DEFAULT_PROTOCOL, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors, in whatever nest, or a whole object to a file.

    The same tensors and metadata always make the same bytes. A path gets the new file or keeps what it had:
    nothing is ever half-written.

    Args:
        obj: names → Tensors or ndarrays of booleans, integers or real numbers, such as `model.state_dict()`, which
            becomes safetensors. Or Tensors, numbers, strings, NumPy's among them, in dictionaries, lists, tuples and
            sets, which become a file that `torch.load` reads. Or any other object that can be pickled, such as a
            model, which only `load(f, weights_only=False)` reads.
        f: a path, or a binary file open for writing. A path that ends in `.npz` is written in NumPy's format.
        pickle_protocol: of such other objects.
        metadata: names → strings to keep beside a dictionary of tensors.

    Raises:
        TypeError: where `obj` can't be pickled, or isn't a dictionary of tensors though the suffix or metadata ask
            for one.
        ValueError: for a name the format can't hold.
        OSError: where the file can't be written.
    """
    path = Path(f) if isinstance(f, (str, os.PathLike)) else None
    suffix = "" if path is None else path.suffix.lower()
    if suffix in (".npz", ".safetensors") or metadata is not None or _is_flat(obj):
        arrays, notes = _checked_arrays(obj), _checked_metadata(metadata)
        write = partial((npz if suffix == ".npz" else safetensors).write, arrays=arrays, metadata=notes)
    else:
        write = partial(_write_object, obj=obj, protocol=pickle_protocol)
    if path is None:
        write(f)
        return
    with replacing(path) as file:
        write(file)


def _is_flat(obj: Any) -> bool:
    """Whether `obj` is a dictionary of tensors under strings."""
    return isinstance(obj, Mapping) and all(
        isinstance(name, str) and isinstance(value, (Tensor, np.ndarray)) for name, value in obj.items()
    )


def _write_object(file: BinaryIO, obj: Any, protocol: int) -> None:
    try:
        torch_write.write(file, obj)
    except torch_write.NotPlainError:
        try:
            objects.write(file, obj, protocol)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(f"can't save a {type(obj).__name__}: {error}") from error


def load(
    f: Target,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save`, `safetensors`, `numpy.savez` or `torch.save` wrote.

    Nothing in the file is executed unless `weights_only=False` asks for it: a PyTorch file may hold tensors inside
    dictionaries, lists, tuples, numbers and strings, NumPy's among them, and anything else that it asks to build is
    refused. bfloat16, which NumPy lacks, becomes float32.

    Args:
        f: a path, or a binary file open for reading.
        map_location: None, the CPU, a function or a dictionary of devices: everything goes to the CPU anyway.
        pickle_module: None or Python's `pickle`.
        weights_only: False to let the file build whatever objects it says, a model for instance, which may run any
            code: only for files that you trust.
        mmap: False or None: the file is read whole.
        pickle_load_args: for `weights_only=False`, those of Python's unpickler, such as `encoding`.

    Returns: names → Tensors. For a PyTorch file of another structure that structure, with its tensors as
        Tensors; those that shared memory still do. For `weights_only=False` whatever was saved.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is damaged, in another format, or asks to build other things than
            tensors; the message names the file and what is wrong with it.
        RuntimeError: for another `map_location`.
    """
    places = map_location.values() if isinstance(map_location, Mapping) else [map_location]
    if any(not (place is None or callable(place) or str(place).partition(":")[0] == "cpu") for place in places):
        raise RuntimeError(f"minicnn lives on the CPU, got map_location={map_location!r}")
    if pickle_module not in (None, pickle):
        raise ValueError(f"load reads with Python's own pickle, got pickle_module={pickle_module!r}")
    if mmap:
        raise ValueError("load reads files whole, got mmap=True")
    return _read(f, weights_only is not False, pickle_load_args)[0]


def read_metadata(f: Target) -> dict[str, str]:
    """The `metadata` that a file was saved with; empty where there was none.

    Args:
        f: a path, or a binary file open for reading.

    Raises: as `load`.
    """
    return _read(f)[1]


def _checked_arrays(obj: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(obj, Mapping):
        raise TypeError(f"save takes a dictionary of tensors such as model.state_dict(), got {type(obj).__name__}")
    arrays = {}
    for name, value in obj.items():
        if not isinstance(name, str):
            raise TypeError(f"the names to save must be strings, got {name!r}")
        array = value._array if isinstance(value, Tensor) else value
        if not isinstance(array, (np.ndarray, np.generic)):
            raise TypeError(
                f"save takes a dictionary of Tensors and ndarrays, got {type(value).__name__} under {name!r}"
            )
        if array.dtype.name not in safetensors.CODES:
            raise TypeError(f"cannot save {name!r}, whose dtype is {array.dtype}")
        if name == safetensors.METADATA:
            raise ValueError(f"{name!r} is the formats' own name; no tensor can be saved under it")
        arrays[name] = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return arrays


def _checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    for key, value in (metadata or {}).items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"metadata must map strings to strings, got {key!r}: {value!r}")
    return dict(metadata or {})


def _read(f: Target, plain: bool = True, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, str]]:
    if not isinstance(f, (str, os.PathLike)):
        name, data = str(getattr(f, "name", "<file>")), f.read()
        if not isinstance(data, bytes):
            raise TypeError(f"{name} must be open in binary mode")
    else:
        name, data = os.fspath(f), Path(f).read_bytes()
    try:
        return _parse(data, plain, options or {})
    except Exception as error:  # the bytes are in memory: whatever fails now, fails because of what they say
        if not plain and not isinstance(error, ValueError):  # a class that isn't there, for instance
            raise
        reason = str(error) if isinstance(error, ValueError) else f"damaged ({type(error).__name__}: {error})"
        raise ValueError(f"cannot load {name}: {reason}") from error


def _parse(data: bytes, plain: bool, options: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Contents and metadata of a file, told apart by its first bytes."""
    if not data:
        raise ValueError("the file is empty")
    if safetensors.recognises(data):
        arrays, metadata = safetensors.read(data)
        return {name: from_numpy(array) for name, array in arrays.items()}, metadata
    if data.startswith(b"PK"):
        archive = open_archive(data)
        if torch_zip.recognises(archive):
            return (torch_zip.read(archive) if plain else objects.read_archive(archive, **options)), {}
        arrays, metadata = npz.read(archive)
        return {name: from_numpy(array) for name, array in arrays.items()}, metadata
    if torch_zip.LEGACY_MAGIC in data[:16]:
        raise ValueError(
            "it is in PyTorch's format from before version 1.6; load it in PyTorch and torch.save it again"
        )
    if data[0] == 0x80:
        if not plain:
            return objects.read_pickle(data, **options), {}
        raise ValueError(
            "it is a pickle, which could run any code; save tensors with minicnn.save instead, or pass "
            "weights_only=False where you trust it"
        )
    raise ValueError("it is neither safetensors, nor .npz, nor a PyTorch file of tensors")
