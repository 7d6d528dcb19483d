"""`Parameter` and `Buffer`: Tensors that a `Module` recognises as its own."""

import copy
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.autograd.storage import copied, share
from minicnn.dtypes import default_float
from minicnn.methods.protocols import own_attributes
from minicnn.tensor import Tensor, computed


class Parameter(Tensor):
    """A Tensor to be learned.

    Assigned to an attribute of a `Module`, it joins the module's `parameters()`; a plain Tensor doesn't.

    Args:
        data: Tensor or ndarray; its memory is shared, its graph is left behind. None gives no elements.
        requires_grad: whether `backward` gives it a gradient.

    Raises:
        TypeError: where `data` is neither.
        RuntimeError: where a gradient is asked for but `data` isn't of a floating-point dtype.
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        if data is None:
            data = np.empty(0, default_float())
        array = data._array if isinstance(data, Tensor) else data
        if not isinstance(array, np.ndarray):
            raise TypeError(f"data must be a Tensor or an ndarray, got {type(data).__name__}")
        if requires_grad and array.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating-point dtype can require gradients, got {array.dtype}")
        Variable.__init__(self, array, bool(requires_grad))
        _show(self, data)

    def __deepcopy__(self, memo: dict) -> "Parameter":
        result = type(self)(copied(self, memo, computed), self.requires_grad)
        result.__dict__.update(copy.deepcopy(own_attributes(self), memo))
        memo[id(self)] = result
        return result

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self.detach(), self.requires_grad), own_attributes(self)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A Tensor that is part of a module's state but isn't learned.

    Assigned to an attribute of a `Module`, it joins the module's `buffers()`, as with `register_buffer`.

    Args:
        data: Tensor or ndarray; its memory is shared, its graph is left behind. None gives no elements.
        persistent: whether it belongs to `state_dict()`.

    Raises:
        TypeError: where `data` is neither.
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        array = np.empty(0, default_float()) if data is None else data._array if isinstance(data, Tensor) else data
        if not isinstance(array, np.ndarray):
            raise TypeError(f"data must be a Tensor or an ndarray, got {type(data).__name__}")
        Variable.__init__(self, array, isinstance(data, Tensor) and data.requires_grad)
        self.persistent = persistent
        _show(self, data)


def _show(made: Tensor, data: Any) -> None:
    """Let `made` share what is known of the memory of `data`, a Tensor or an array of the program's."""
    if isinstance(data, Tensor):
        made._memory = data._memory
        share(data, made)
    elif data is not None:
        made._layout = None
