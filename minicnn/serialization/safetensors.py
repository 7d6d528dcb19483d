"""The safetensors format: a little-endian header length, a JSON header, and the bytes of the tensors.

https://github.com/huggingface/safetensors describes it. Its library reads here, checking every offset. It
does not write, because its headers list metadata in random order, and equal weights shall be equal files.
"""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

METADATA = "__metadata__"
"""The name that the format keeps for its metadata."""

CODES = {
    "bool": "BOOL",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}
"""NumPy's names of element types → the format's."""

_DTYPES = {code: np.dtype(name).newbyteorder("<") for name, code in CODES.items()}
_LONGEST_HEADER = 100_000_000


def recognises(data: bytes) -> bool:
    """Whether the file begins as safetensors does: with the length of a header, and its brace."""
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= _LONGEST_HEADER


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write little-endian, C-ordered arrays and metadata."""
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    header |= {name: {} for name in arrays}
    # Wide elements come first, so that every tensor is aligned.
    by_width = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    offset = 0
    for name in by_width:
        array = arrays[name]
        end = offset + array.nbytes
        header[name] |= {
            "dtype": CODES[array.dtype.name],
            "shape": array.shape,
            "data_offsets": (offset, end),
        }
        offset = end
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    file.write(len(encoded).to_bytes(8, "little") + encoded)
    for name in by_width:
        file.write(arrays[name].tobytes())


def read(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, in the header's order, and the metadata of a safetensors file.

    Raises:
        ValueError: where header and bytes don't fit, or an element type has no counterpart in NumPy.
    """
    from safetensors import SafetensorError, deserialize

    try:
        entries = dict(deserialize(data))
    except SafetensorError as error:
        raise ValueError(f"it is a truncated or damaged safetensors file ({error})") from error
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.pop(METADATA, None) or {}
    return {name: _array(name, entries[name]) for name in header}, metadata


def _array(name: str, entry: dict[str, Any]) -> np.ndarray:
    if entry["dtype"] == "BF16":
        flat = widen_bfloat16(np.frombuffer(entry["data"], "<u2"))
    elif entry["dtype"] in _DTYPES:
        dtype = _DTYPES[entry["dtype"]]
        flat = np.frombuffer(entry["data"], dtype).astype(dtype.newbyteorder("="))  # a writable copy
    else:
        raise ValueError(f"{name!r} has type {entry['dtype']}, which NumPy lacks; convert it to float32")
    return flat.reshape(entry["shape"])


def widen_bfloat16(halves: np.ndarray) -> np.ndarray:
    """bfloat16, given as its 16 bits (uint16), as float32: the same number with 16 more zero bits."""
    return (halves.astype(np.uint32) << 16).view(np.float32)
