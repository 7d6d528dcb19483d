"""Arrays of other libraries as Tensors and the other way, sharing their memory, by DLPack.

An array that says `__dlpack__` gives a capsule with a pointer, shape, strides and dtype (the array API standard); NumPy
reads and writes those, so that no code here does.
"""

from typing import Any

import numpy as np

from minicnn.creation.data import from_numpy
from minicnn.creation.options import check_options
from minicnn.kernels.memory import Unlocked


class _Capsule:
    """A capsule in the place of the array that it came from."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # kDLCPU


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A Tensor on the memory of an array of another library.

    Args:
        ext_tensor: an array or tensor with `__dlpack__`, on the CPU, or a capsule that hasn't been used.
        device: only the CPU.
        copy: True for memory of its own.

    Returns: a Tensor of the same shape, strides and dtype, outside the graph.

    Raises:
        RuntimeError: for anything else, other devices, dtypes that NumPy lacks, and used capsules.
        BufferError: where its owner doesn't give it away.
        TypeError: for complex dtypes.
    """
    check_options(device=device)
    bare = type(ext_tensor).__name__ == "PyCapsule"
    if bare:
        ext_tensor = _Capsule(ext_tensor)
    elif not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError(
            f"from_dlpack expected an array with __dlpack__ or a capsule, got {type(ext_tensor).__name__}"
        )
    try:
        array = np.from_dlpack(ext_tensor)
    except ValueError as error:  # NumPy's, for a capsule that was used
        raise RuntimeError(f"from_dlpack got an invalid capsule: {error}") from None
    if bare:  # which doesn't say whether it may be written to: NumPy doesn't
        array = np.asarray(Unlocked(array))
    return from_numpy(array.copy() if copy else array)


def to_dlpack(tensor: Any) -> Any:
    """A capsule on the memory of a Tensor, for another library's `from_dlpack`; it can be used once.

    Raises:
        BufferError: for a tensor that requires a gradient: detach it first.
    """
    return tensor.__dlpack__()
