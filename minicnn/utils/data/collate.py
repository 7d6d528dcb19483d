"""How items become a batch."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minicnn.creation import as_tensor, tensor
from minicnn.dtypes import float64
from minicnn.operators.joining import stack
from minicnn.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Turn a list of items into one item of stacked Tensors.

    Args:
        batch: items of the same make-up as the first. Tensors, ndarrays and numbers are stacked (ints become int64,
            floats float64); tuples, lists and dictionaries are collated part by part, under the keys of the first;
            text stays a list.

    Returns: a Tensor with a new first axis, or a list, named tuple or dictionary of such.

    Raises:
        TypeError: an item holds something else.
        ValueError: the items' shapes differ.
        RuntimeError: the lengths of their lists differ.
        KeyError: one lacks a key of the first.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray):
        return stack([as_tensor(array) for array in batch])
    if isinstance(first, float):  # np.float64 among them
        return tensor(list(batch), dtype=float64)
    if isinstance(first, bool | int | np.bool_ | np.number):
        return tensor(list(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Sequence) and not hasattr(first, "_fields") and len({len(item) for item in batch}) > 1:
        raise RuntimeError("each element in list of batch should be of equal size")
    if isinstance(first, Mapping):
        return _rebuilt(first, {key: default_collate([item[key] for item in batch]) for key in first})
    if isinstance(first, Sequence):
        return _rebuilt(first, [default_collate(part) for part in zip(*batch, strict=False)])
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}"
    )


def default_convert(item: Any) -> Any:
    """An item with Tensors in place of its ndarrays and NumPy numbers; everything else stays what it is."""
    if isinstance(item, np.ndarray | np.generic):
        array = np.asarray(item)
        return item if array.dtype.kind in "SUO" else as_tensor(array)
    if isinstance(item, Mapping):
        return _rebuilt(item, {key: default_convert(value) for key, value in item.items()})
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        return _rebuilt(item, [default_convert(part) for part in item])
    return item


def _rebuilt(model: Any, parts: Any) -> Any:
    """The list or dictionary `parts` as a container like `model`, where that can be made; a list of a plain tuple."""
    if hasattr(model, "_fields"):
        return type(model)(*parts)
    if isinstance(model, tuple):
        return parts
    try:
        if isinstance(model, MutableMapping | MutableSequence):
            copied: Any = copy.copy(model)
            for key, part in parts.items() if isinstance(model, Mapping) else enumerate(parts):
                copied[key] = part
            return copied
        return type(model)(parts)
    except TypeError:
        return parts
