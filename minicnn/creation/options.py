"""What every function that makes a tensor takes: `dtype`, `layout`, `device`, `pin_memory`, `requires_grad`, `out`."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minicnn.attributes import device as cpu_device
from minicnn.attributes import layout as layouts
from minicnn.attributes import memory_format as formats
from minicnn.autograd import Variable
from minicnn.autograd.storage import keep_strides
from minicnn.dtypes import as_dtype
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.operands import array_of
from minicnn.operators.out import deliver
from minicnn.operators.shape import shape_from

OPTIONS = {"dtype": None, "layout": None, "device": None, "pin_memory": False, "requires_grad": False}


def check_options(layout: Any = None, device: Any = None, pin_memory: bool = False) -> None:
    """Raise for what minicnn hasn't: other devices and sparse layouts. Memory is never pinned, asked for or not."""
    if device is not None:
        cpu_device(device)
    if not (layout is None or layout is layouts.strided):
        raise TypeError(f"layout must be minicnn.strided, there is no other, got {layout!r}")
    if not isinstance(pin_memory, (bool, type(None))):
        raise TypeError(f"pin_memory must be a bool, got {pin_memory!r}")


def real_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype meant by `dtype`.

    Raises:
        TypeError: for anything that is no number type, and for complex ones, in a sentence of their own.
    """
    if dtype is complex or getattr(dtype, "kind", "") == "c":
        raise TypeError(f"there are no complex tensors, got dtype {dtype!r}; keep real and imaginary parts apart")
    return as_dtype(dtype)


def factory(function: Callable) -> Callable:
    """The public function that makes a tensor of what `function(..., dtype=)` returns, an array or a Tensor.

    `function` gets as `dtype` what the program asks for, as one of NumPy's dtypes, or None. The public function takes
    OPTIONS, and `out`, which receives the values where `function` doesn't take an `input` to go by.
    """
    takes_out = "input" not in inspect.signature(function).parameters

    @wraps(function)
    def make(*args: Any, dtype: Any = None, requires_grad: bool = False, out: Any = None, **named: Any) -> Any:
        options = {name: named.pop(name) for name in ("layout", "device", "pin_memory") if name in named}
        if options:
            check_options(**options)
        wanted = None if dtype is None else real_dtype(dtype)
        if out is not None:
            wanted = _dtype_of_out(out, wanted, takes_out, function.__name__)
        result: Any = function(*args, dtype=wanted, **named)
        if not isinstance(result, Variable):
            result = Variable._computed(result)
        if out is not None:
            return deliver(result, out)
        return result.requires_grad_(True) if requires_grad else result

    make.__signature__ = _signature(function, takes_out)  # type: ignore[attr-defined]
    return make


def _dtype_of_out(out: Any, wanted: np.dtype | None, takes_out: bool, name: str) -> np.dtype:
    if not takes_out:
        raise TypeError(f"{name} got an unexpected keyword argument 'out'")
    array = array_of(out)
    if not isinstance(out, Variable):
        raise TypeError(f"out must be a Tensor, got {type(out).__name__}")
    if wanted is not None and wanted != array.dtype:
        raise DtypeError(f"dtype {wanted} does not match dtype of out parameter ({array.dtype})")
    return array.dtype


def _signature(function: Callable, takes_out: bool) -> inspect.Signature:
    """The signature of `function` with all options."""
    given = inspect.signature(function)
    known = [parameter for parameter in given.parameters.values() if parameter.name != "dtype"]
    defaults = {**({"out": None} if takes_out else {}), **OPTIONS}
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Any)
        for name, default in defaults.items()
    ]
    return given.replace(parameters=[*known, *options])


def checked_shape(size: tuple, spelled: Any = None) -> tuple[int, ...]:
    """The shape in `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`.

    Args:
        size: the arguments.
        spelled: what was given as `size=`.

    Raises:
        TypeError: for none, both, or anything but ints.
        ShapeError: for negative sizes.
    """
    if spelled is not None:
        if size:
            raise TypeError("got several values for argument 'size'")
        size = (spelled,)
    shape = shape_from(size)
    if any(size < 0 for size in shape):
        raise ShapeError(f"sizes must not be negative, got {shape}")
    return shape


def allocated(make: Callable, *arguments: Any) -> np.ndarray:
    """The array `make(*arguments)`, or a RuntimeError where there is no memory for one of that size."""
    try:
        return np.asarray(make(*arguments))
    except (MemoryError, ValueError, OverflowError) as error:
        raise RuntimeError(f"no memory for a tensor of this size: {error}") from None


def array_like(input: Any, name: str) -> np.ndarray:
    """The array of the Tensor, or the array, that another one is to be like.

    Raises:
        TypeError: for anything else.
    """
    array = array_of(input)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: input must be a Tensor or an array, got {type(input).__name__}")
    return array


def laid(array: np.ndarray, input: Any, memory_format: Any) -> Any:
    """A Tensor of new values, in the memory order of `input` or in another one.

    Args:
        array: the values, nobody else's.
        input: the Tensor or array that it is to be like.
        memory_format: None or `preserve_format` for the order of `input`, or one of minicnn's others.

    Raises:
        ShapeError: for channels-last elements of a tensor that hasn't 4 dimensions.
        TypeError: for anything that is no memory format.
    """
    result = Variable._computed(array)
    if memory_format is None or memory_format is formats.preserve_format:
        if isinstance(input, Variable):
            keep_strides(result, [input])
        return result
    if memory_format is formats.contiguous_format:
        return result if array.flags.c_contiguous else Variable._computed(array.copy(order="C"))
    return in_format(array, memory_format)


def in_format(array: np.ndarray, memory_format: Any) -> Any:
    """A Tensor of these values in channels-last order."""
    if memory_format is not formats.channels_last:
        raise TypeError(f"memory_format must be one of minicnn's, such as channels_last, got {memory_format!r}")
    if array.ndim != 4:
        raise ShapeError(f"channels_last needs a tensor of 4 dimensions, got shape {array.shape}")
    result = Variable._computed(array.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2))
    result._layout = None
    return result
