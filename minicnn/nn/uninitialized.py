"""Parameters and buffers of layers that wait for their first input to learn their sizes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.attributes import device as cpu_device
from minicnn.autograd import Variable
from minicnn.dtypes import as_dtype, float32
from minicnn.nn._arguments import empty
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor, computed


class UninitializedTensorMixin:
    """A dtype, but neither shape nor elements; computing with it raises."""

    cls_to_become: type
    __dict__: dict

    def _become_uninitialized(self, requires_grad: bool, device: Any, dtype: Any) -> None:
        if device is not None:
            cpu_device(device)
        Variable.__init__(self, np.empty(0, float32 if dtype is None else as_dtype(dtype)))  # type: ignore[arg-type]
        self._requires_grad = requires_grad

    @property
    def _array(self) -> Any:
        """Not there yet.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"Attempted to use an uninitialized parameter: a {type(self).__name__} of a lazy module. Call the module "
            "with a batch, which initializes it, before computing with it"
        )

    @_array.setter
    def _array(self, array: np.ndarray) -> None:
        self.__dict__["_elements"] = array

    @property
    def shape(self) -> Any:
        """Not known yet.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> np.dtype:
        """What the elements will be."""
        return self.__dict__["_elements"].dtype

    @property
    def data(self) -> Tensor:
        """No elements, of the dtype; assigning to it changes the dtype."""
        return computed(self.__dict__["_elements"])

    @data.setter
    def data(self, value: Tensor) -> None:
        self.__dict__["_elements"] = value._array

    def is_floating_point(self) -> bool:
        """Whether the dtype is a float."""
        return self.dtype.kind == "f"

    def detach(self) -> Any:
        """Itself: there is nothing to detach."""
        return self

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Become a Parameter or Tensor of `shape`, whose elements are still to be set.

        Args:
            shape: its shape.
            device: None or "cpu".
            dtype: None for the one it has.
        """
        elements = empty(tuple(shape), device, self.dtype if dtype is None else dtype)
        requires_grad = self._requires_grad  # type: ignore[attr-defined]
        self.__dict__.pop("_elements")
        self.__class__ = self.cls_to_become
        Variable.__init__(self, elements._array, requires_grad)  # type: ignore[arg-type]
        self._layout = elements._layout

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self._requires_grad, None, self.dtype)  # type: ignore[attr-defined]

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) not in memo:
            constructor, arguments = self.__reduce_ex__(4)
            memo[id(self)] = constructor(*arguments)
        return memo[id(self)]


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter of a lazy layer before its first forward.

    Args:
        requires_grad: whether `backward` will give it a gradient.
        device: None or "cpu".
        dtype: of its elements, float32 by default.
    """

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        self._become_uninitialized(requires_grad, device, dtype)


class _InitializedBuffer(Tensor):
    """A buffer that was uninitialized once."""


class UninitializedBuffer(UninitializedTensorMixin, _InitializedBuffer):  # type: ignore[misc]
    """A buffer of a lazy layer before its first forward; arguments as for `UninitializedParameter`."""

    cls_to_become = _InitializedBuffer

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        self._become_uninitialized(requires_grad, device, dtype)


def is_lazy(tensor: Any) -> bool:
    """Whether this is a parameter or buffer that isn't initialized yet."""
    return isinstance(tensor, UninitializedTensorMixin)
