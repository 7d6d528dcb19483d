"""Named tensors in a file: written whole or not at all, read without executing anything.

`save` writes safetensors, a header of names, shapes and offsets followed by the bytes, or NumPy's `.npz`
where the suffix asks for it. `load` looks at what a file holds, not at what it is called, and also reads
PyTorch's `.pth` files of tensors.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minicnn.serialization import npz, safetensors, torch_zip
from minicnn.serialization.archive import open_archive
from minicnn.serialization.files import replacing
from minicnn.tensor import Tensor

__all__ = ["load", "read_metadata", "replacing", "save"]

Target = str | os.PathLike[str] | BinaryIO


def save(obj: Mapping[str, Any], f: Target, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write named tensors to a file.

    The same tensors and metadata always make the same bytes. A path gets the new file or keeps what it had:
    nothing is ever half-written.

    Args:
        obj: names → Tensors or ndarrays of booleans, integers or real numbers, such as `model.state_dict()`.
        f: a path, or a binary file open for writing. A path that ends in `.npz` is written in NumPy's
            format, all else in safetensors.
        metadata: names → strings to keep beside the tensors.

    Raises:
        TypeError: where `obj` or `metadata` is not of this kind.
        ValueError: for a name the format can't hold.
        OSError: where the file can't be written.
    """
    arrays = _checked_arrays(obj)
    notes = _checked_metadata(metadata)
    if not isinstance(f, (str, os.PathLike)):
        safetensors.write(f, arrays, notes)
        return
    path = Path(f)
    file_format = npz if path.suffix.lower() == ".npz" else safetensors
    with replacing(path) as file:
        file_format.write(file, arrays, notes)


def load(f: Target, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save`, `safetensors`, `numpy.savez` or `torch.save` wrote.

    Nothing in the file is executed: a PyTorch file may hold tensors inside dictionaries, lists, tuples,
    numbers and strings, and anything else that it asks to build is refused. bfloat16, which NumPy lacks,
    becomes float32.

    Args:
        f: a path, or a binary file open for reading.
        map_location: None or "cpu", where everything goes anyway.
        weights_only: True, as there is no other way to load here.

    Returns: names → Tensors. For a PyTorch file of another structure that structure, with its tensors as
        Tensors; those that shared memory still do.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is damaged, in another format, or asks to build other things than
            tensors; the message names the file and what is wrong with it.
        RuntimeError: for another `map_location`.
    """
    if map_location is not None and str(map_location).partition(":")[0] != "cpu":
        raise RuntimeError(f"minicnn lives on the CPU, got map_location={map_location!r}")
    if not weights_only:
        raise ValueError("minicnn.load never executes a pickle: weights_only must be True")
    return _read(f)[0]


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


def _read(f: Target) -> tuple[Any, dict[str, str]]:
    if not isinstance(f, (str, os.PathLike)):
        name, data = str(getattr(f, "name", "<file>")), f.read()
        if not isinstance(data, bytes):
            raise TypeError(f"{name} must be open in binary mode")
    else:
        name, data = os.fspath(f), Path(f).read_bytes()
    try:
        return _parse(data)
    except Exception as error:  # the bytes are in memory: whatever fails now, fails because of what they say
        reason = str(error) if isinstance(error, ValueError) else f"damaged ({type(error).__name__}: {error})"
        raise ValueError(f"cannot load {name}: {reason}") from error


def _parse(data: bytes) -> tuple[Any, dict[str, str]]:
    """Contents and metadata of a file, told apart by its first bytes."""
    if not data:
        raise ValueError("the file is empty")
    if safetensors.recognises(data):
        arrays, metadata = safetensors.read(data)
        return {name: Tensor(array) for name, array in arrays.items()}, metadata
    if data.startswith(b"PK"):
        archive = open_archive(data)
        if torch_zip.recognises(archive):
            return torch_zip.read(archive), {}
        arrays, metadata = npz.read(archive)
        return {name: Tensor(array) for name, array in arrays.items()}, metadata
    if torch_zip.LEGACY_MAGIC in data[:16]:
        raise ValueError(
            "it is in PyTorch's format from before version 1.6; load it in PyTorch and torch.save it again"
        )
    if data[0] == 0x80:
        raise ValueError("it is a pickle, which could run any code; save tensors with minicnn.save instead")
    raise ValueError("it is neither safetensors, nor .npz, nor a PyTorch file of tensors")
