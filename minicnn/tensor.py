"""`Tensor`: an array with PyTorch's methods and a place in the graph."""

from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.autograd.storage import share
from minicnn.autograd.variable import ROW_MAJOR
from minicnn.dtypes import default_float
from minicnn.methods.absent import Absent
from minicnn.methods.arithmetic import Arithmetic
from minicnn.methods.conversion import Conversion
from minicnn.methods.description import Description
from minicnn.methods.differentiation import Differentiation
from minicnn.methods.elementwise import Elementwise
from minicnn.methods.making import Making
from minicnn.methods.matrices import Matrices
from minicnn.methods.protocols import Protocols
from minicnn.methods.reduction import Reduction
from minicnn.methods.scans import Scans
from minicnn.methods.selecting import Selecting
from minicnn.methods.shape import Shape
from minicnn.methods.sorting import Sorting
from minicnn.methods.storage import Memory
from minicnn.methods.writing import Writing
from minicnn.tensor_types import legacy_tensor


class Tensor(
    Absent,
    Arithmetic,
    Conversion,
    Description,
    Differentiation,
    Elementwise,
    Making,
    Memory,
    Matrices,
    Protocols,
    Reduction,
    Scans,
    Selecting,
    Shape,
    Sorting,
    Writing,
    Variable,
):
    """A multi-dimensional array that remembers how it was computed.

    Args:
        data: nested lists, an array, sizes, a Tensor or nothing. The result is of the default dtype, whatever the
            array's is; an array of that dtype is shared and not copied. `minicnn.tensor` and `minicnn.from_numpy` keep
            the dtype.
        requires_grad: whether gradients with respect to this tensor are wanted; floating point only.

    Raises:
        TypeError: where `data` isn't real numbers.
        ValueError: for nested lists that don't form a box, or negative sizes.
        RuntimeError: where a gradient is asked for of a tensor that isn't floating point.
    """

    __array_priority__ = 1000  # `ndarray + Tensor` is the Tensor's business

    def __init__(self, *data: Any, requires_grad: bool = False) -> None:
        made = legacy_tensor(data, default_float(), "Tensor")
        super().__init__(made._array, requires_grad)
        self._memory, self._layout = made._memory, made._layout
        if len(data) == 1 and isinstance(data[0], Variable):
            share(data[0], self)


def computed(array: np.ndarray) -> Tensor:
    """A Tensor for what an operation computed: in row-major order as far as programs are concerned.

    As `Variable(array)`, without its checks and calls: operations return plain arrays of numbers, many a second.
    """
    tensor = new_tensor(Tensor)
    tensor._array = array if type(array) is np.ndarray else np.asarray(array)
    tensor._memory = [0, 0]
    tensor._layout = ROW_MAJOR
    tensor._node = tensor._grad = tensor._view = None
    tensor._output = 0
    tensor._requires_grad = False
    return tensor


new_tensor = object.__new__


Variable._computed = computed
