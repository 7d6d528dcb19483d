"""A training under way, in one file: all that decides how it goes on, so that it ends as if nothing had happened.

A snapshot is any nest of dictionaries, lists and tuples around tensors, numbers, strings and None. Its tensors are
those of a safetensors file; the nest around them is JSON in the file's metadata, beside a SHA-256 of both. The file is
written aside, brought to the disk and renamed into place; the one before it stays under another name, for the case that
the newest gets damaged.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.serialization import load, read_metadata, replacing, save
from minicnn.tensor import Tensor, computed

FORMER = ".before"
"""What the name of the snapshot before the newest ends in."""


def save_snapshot(content: Any, path: str | os.PathLike[str]) -> None:
    """Write a snapshot; the one that was there is kept as the one before.

    Args:
        content: a nest of dictionaries, lists and tuples around Tensors and ndarrays of any shape and dtype that
            `minicnn.save` takes, numbers, strings and None.
        path: where it goes.

    Raises:
        TypeError: for content that isn't such a nest.
        OSError: where it can't be written; what was there stays.
    """
    target, tensors = Path(path), dict[str, np.ndarray]()
    nest = json.dumps(_flattened(content, tensors))
    with replacing(target) as file:
        save(tensors, file, metadata={"nest": nest, "sha256": _digest(nest, tensors)})
        file.flush()
        os.fsync(file.fileno())
        if target.exists():  # last of all: should the process end here, the one before is whole
            os.replace(target, former(target))


def load_snapshot(path: str | os.PathLike[str], warn: Callable[[str], Any] = lambda sentence: None) -> Any:
    """Read a snapshot; where the newest is damaged or missing, the one before.

    Args:
        path: as for `save_snapshot`.
        warn: gets a sentence where the newest couldn't be taken.

    Returns: what was saved: Tensors as Tensors, ndarrays as ndarrays, of their shapes and dtypes.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: where none is whole.
    """
    target = Path(path)
    try:
        return _read(target)
    except (ValueError, FileNotFoundError) as error:
        if not former(target).exists():
            raise
        content = _read(former(target))
        if not isinstance(error, FileNotFoundError):
            warn(f"{error}; the snapshot before it is taken")
        return content


def former(path: Path) -> Path:
    """Where the snapshot before the one at `path` lies."""
    return path.with_name(path.name + FORMER)


def _read(path: Path) -> Any:
    tensors = load(path)
    metadata = read_metadata(path)
    nest = metadata.get("nest")
    if not isinstance(tensors, dict) or nest is None:
        raise ValueError(f"{path} is no snapshot of a training")
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    if metadata.get("sha256") != _digest(nest, arrays):
        raise ValueError(f"{path} is damaged: its checksum is another")
    try:
        return _restored(json.loads(nest), tensors)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: its nest makes no sense ({type(error).__name__})") from None


def _digest(nest: str, tensors: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(nest.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _flattened(value: Any, tensors: dict[str, np.ndarray]) -> Any:
    """What JSON keeps of a nest: pairs of a kind and a content."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _flattened(value.item(), tensors)
    if isinstance(value, (Tensor, np.ndarray)):
        array = value._array if isinstance(value, Tensor) else value
        tensors[name := str(len(tensors))] = array
        return ["tensor" if isinstance(value, Tensor) else "array", name]
    if isinstance(value, dict):
        return ["dict", [[_flattened(key, tensors), _flattened(one, tensors)] for key, one in value.items()]]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [_flattened(one, tensors) for one in value]]
    raise TypeError(f"a snapshot can't hold a {type(value).__name__}")


def _restored(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "tensor":
        return computed(tensors[content].numpy())
    if kind == "array":
        return tensors[content].numpy()
    if kind == "dict":
        return {_restored(key, tensors): _restored(one, tensors) for key, one in content}
    parts = [_restored(one, tensors) for one in content]
    return tuple(parts) if kind == "tuple" else parts
