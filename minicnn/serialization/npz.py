"""NumPy's `.npz`: a zip file of `.npy` arrays. Arrays of Python objects, which are pickles, are refused."""

import io
import json
import math
import textwrap
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from minicnn.serialization.safetensors import METADATA


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata; the metadata becomes an array `__metadata__`, a string of JSON."""
    if any("\0" in name for name in arrays):
        raise ValueError("a name in an .npz file must not contain a null character")
    entries = dict(arrays)
    if metadata:
        entries[METADATA] = np.array(json.dumps(metadata))
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in entries.items():
            # A ZipInfo of its own is dated 1980, so that equal contents are equal files.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                npy.write_array(entry, array, allow_pickle=False)


def read(archive: zipfile.ZipFile) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of an `.npz` file.

    Raises:
        ValueError: where an entry isn't a whole `.npy` array of numbers.
    """
    arrays = {}
    metadata: dict[str, str] = {}
    for entry in archive.namelist():
        name = entry.removesuffix(".npy")
        if name == entry:
            raise ValueError(f"it is a zip file but neither .npz nor PyTorch's: it holds {entry!r}")
        try:
            array = _array(archive.read(entry))
        except Exception as error:
            told = textwrap.shorten(str(error), 200, placeholder=" …")  # it may quote the entry
            raise ValueError(f"entry {entry!r} is damaged or no array of numbers ({told})") from error
        if name == METADATA and array.dtype.kind == "U":
            metadata = {str(key): str(value) for key, value in json.loads(array.item()).items()}
        elif array.dtype.kind in "biuf":
            arrays[name] = array
        else:
            raise ValueError(f"{name!r} holds {array.dtype}, expected booleans, integers or real numbers")
    return arrays, metadata


def _array(data: bytes) -> np.ndarray:
    """One `.npy` file; its header is compared with its size before any memory is asked for."""
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran_order, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran_order, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ValueError(f".npy version {version[0]}.{version[1]} is for structured arrays")
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are pickled and could run any code")
    body = data[stream.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"shape {shape} of {dtype} does not fit its {len(body)} bytes")
    flat = np.frombuffer(body, dtype).astype(dtype.newbyteorder("="))  # a writable copy
    return flat.reshape(shape, order="F" if fortran_order else "C")
