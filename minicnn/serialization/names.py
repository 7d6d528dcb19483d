"""The names that a file of tensors may refer to: looked up in tables, never imported."""

from typing import Any

from minicnn import element_types

STORAGES = {
    "torch.BoolStorage": "bool",
    "torch.ByteStorage": "uint8",
    "torch.CharStorage": "int8",
    "torch.ShortStorage": "int16",
    "torch.IntStorage": "int32",
    "torch.LongStorage": "int64",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64",
    "torch.storage.UntypedStorage": None,
}
DTYPES = {f"torch.{name}": name for name in (*filter(None, STORAGES.values()), "uint16", "uint32", "uint64")}


class Name(str):
    """A name that the pickle wants to call or refer to: looked up in tables, never imported."""


def is_name(name: str) -> bool:
    """Whether a pickle may refer to `name` as a value: a storage's type, an element type, NumPy's array."""
    return name in STORAGES or name in DTYPES or name == "numpy.ndarray"


def meaning(name: str) -> Any:
    """What a name stands for: an element type of minicnn's, or the name itself."""
    found = DTYPES.get(name)
    return Name(name) if found is None or found == "bfloat16" else element_types.element_type(found)
