"""`Tensor`: an array with PyTorch's methods and a place in the graph."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minicnn.autograd import Variable, is_grad_enabled, run_backward, start_gradients
from minicnn.dtypes import as_dtype, float32, float64, int64, result_type
from minicnn.operators import activation, arithmetic, reduction
from minicnn.operators import shape as shapes
from minicnn.operators.arithmetic import Add, Multiply, Subtract, array_of, cast


class device:  # noqa: N801 (torch's name)
    """Where a tensor lives: always the CPU.

    Raises:
        RuntimeError: for any other device; `reference` holds the same models in PyTorch, which run on CUDA.
    """

    type = "cpu"
    index = None

    def __init__(self, name: Any = "cpu", index: int | None = None) -> None:
        if str(name).split(":")[0] != "cpu":
            raise RuntimeError(
                f"minicnn computes on the CPU only, got device {str(name)!r}; the same models in `reference` run on CUDA"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


class Size(tuple):
    """A shape, as `torch.Size`."""

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return int(np.prod(self))

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


def _comparison(function: Callable) -> Callable:
    def compare(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, (Variable, np.ndarray, bool, int, float, np.number, np.bool_)):
            return NotImplemented
        left, right = self._array, array_of(other)
        dtype = result_type(left, right)
        if not isinstance(right, np.ndarray):
            right = np.asarray(right)
        with np.errstate(invalid="ignore"):
            return Tensor(np.asarray(function(left.astype(dtype, copy=False), right.astype(dtype, copy=False))))

    return compare


def _binary(call: Callable, swapped: bool = False) -> Callable:
    def compute(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, (Variable, np.ndarray, bool, int, float, np.number, np.bool_)):
            return NotImplemented
        return call(other, self) if swapped else call(self, other)

    return compute


def _logical(function: Callable) -> Callable:
    def compute(self: "Tensor", other: Any) -> "Tensor":
        left, right = self._array, array_of(other)
        if left.dtype.kind == "f" or np.asarray(right).dtype.kind == "f":
            raise TypeError("&, | and ^ need bool or integer tensors")
        return Tensor(np.asarray(function(left, right)))

    return compute


class Tensor(Variable):
    """A multi-dimensional array that remembers how it was computed.

    Args:
        array: NumPy array, shared and not copied; use `minicnn.tensor` to build from lists or to copy.
        requires_grad: whether gradients by this tensor are wanted; floating point only.

    Raises:
        TypeError: where `array` isn't a NumPy array.
        RuntimeError: where a gradient is asked for of a tensor that isn't floating point.
    """

    __slots__ = ()
    __array_priority__ = 1000  # `ndarray + Tensor` is the Tensor's business

    def __init__(self, array: np.ndarray, requires_grad: bool = False) -> None:
        if type(array) is not np.ndarray:
            if not isinstance(array, (np.ndarray, np.generic)):
                raise TypeError(f"Tensor wraps a NumPy array, got {type(array).__name__}; use minicnn.tensor(...)")
            array = np.asarray(array)
        super().__init__(array)
        if requires_grad:
            self.requires_grad = True

    # What it is

    @property
    def requires_grad(self) -> bool:
        """Whether gradients by this tensor are computed."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self._array.dtype.kind != "f":
            raise RuntimeError(f"only floating-point tensors can require gradients, this one is {self.dtype}")
        if not value and self._node is not None:
            raise RuntimeError("you can only change requires_grad flags of leaf tensors; use detach()")
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set `requires_grad`; returns self."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Any:
        """The node that computed this tensor, or None for a leaf."""
        return self._node

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation computed this tensor."""
        return self._node is None

    @property
    def shape(self) -> Size:
        """The size of every dimension."""
        return Size(self._array.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def dtype(self) -> np.dtype:
        """The element type, a NumPy dtype."""
        return self._array.dtype

    @property
    def device(self) -> device:
        """Always the CPU."""
        return device()

    @property
    def data(self) -> "Tensor":
        """The same memory outside the graph; changes through it go unnoticed by backward."""
        return Tensor(self._array)

    @data.setter
    def data(self, value: "Tensor") -> None:
        self._array = array_of(value)
        self._memory = [0, False]

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        (axis,) = reduction.normalize_dims(dim, max(self.ndim, 1))
        if not self.ndim:
            raise IndexError("a 0-dimensional tensor has no dimension to take the size of")
        return self._array.shape[axis]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is float32, float64 or another float."""
        return self._array.dtype.kind == "f"

    def stride(self) -> tuple[int, ...]:
        """For every dimension, how many elements apart neighbours lie."""
        return tuple(s // self._array.itemsize for s in self._array.strides)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order."""
        return self._array.flags.c_contiguous

    def contiguous(self) -> "Tensor":
        """This tensor with its elements in row-major order, itself where they are already."""
        return self if self.is_contiguous() else shapes.Contiguous.apply(self)

    # Out of minicnn and between dtypes

    def numpy(self) -> np.ndarray:
        """The array, sharing memory.

        Raises:
            RuntimeError: for a tensor that requires a gradient: detach it first.
        """
        if self._requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self) -> Any:
        """The Python number in a tensor of one element.

        Raises:
            RuntimeError: for any other number of elements.
        """
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to a number")
        return self._array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._array.tolist()

    def detach(self) -> "Tensor":
        """The same memory outside the graph."""
        result = Tensor(self._array)
        result._memory = self._memory
        return result

    def clone(self) -> "Tensor":
        """A copy, inside the graph."""
        return shapes.Clone.apply(self)

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False) -> "Tensor":
        """In another dtype, `to(dtype)`, `to("cpu")` or `to(other)`; itself where nothing changes.

        Raises:
            RuntimeError: for a device that isn't the CPU.
            TypeError: for arguments that are neither dtype, device nor Tensor.
        """
        for argument in args:
            if isinstance(argument, Variable):
                dtype = argument._array.dtype
            elif isinstance(argument, (_device, int)) or isinstance(argument, str) and not _names_dtype(argument):
                device = argument
            elif not isinstance(argument, bool):
                dtype = as_dtype(argument)
        if device is not None:
            _device(device)
        result = self if dtype is None else cast(self, as_dtype(dtype))
        return result.clone() if copy and result is self else result

    def type(self, dtype: Any) -> "Tensor":
        """In another dtype."""
        return self.to(as_dtype(dtype))

    def type_as(self, other: "Tensor") -> "Tensor":
        """In the dtype of `other`."""
        return self.to(other.dtype)

    def float(self) -> "Tensor":
        """As float32."""
        return cast(self, float32)

    def double(self) -> "Tensor":
        """As float64."""
        return cast(self, float64)

    def long(self) -> "Tensor":
        """As int64."""
        return cast(self, int64)

    def int(self) -> "Tensor":
        """As int32."""
        return cast(self, np.dtype("int32"))

    def bool(self) -> "Tensor":
        """As bool."""
        return cast(self, np.dtype("bool"))

    def cpu(self) -> "Tensor":
        """Itself."""
        return self

    def cuda(self, *_: Any) -> "Tensor":
        """Refused: minicnn computes on the CPU."""
        return self.to("cuda")

    # Gradients

    def backward(self, gradient: Any = None, retain_graph: Any = False) -> None:
        """Accumulate the gradient of this tensor in every leaf's `.grad`.

        Args:
            gradient: the gradient by this tensor, of its shape; may be left out for a single element.
            retain_graph: keep the graph, so that it can be walked again.

        Raises:
            RuntimeError: without a graph, on a second walk, without `gradient` for several elements, or with one
                of another shape.
        """
        run_backward([self], start_gradients([self], [gradient]), bool(retain_graph))

    def retain_grad(self) -> None:
        """Keep `.grad` of this tensor too, though it isn't a leaf."""
        if not self._requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None:
            self._node.retain(self)

    # Changes in place

    def _assign(self, compute: Callable[["Tensor"], "Tensor"]) -> "Tensor":
        """Replace the values by `compute(self)`, inside the graph where one is being recorded.

        Raises:
            RuntimeError: on a leaf that requires a gradient, a tensor with views inside the graph, or where
                the result has another shape or a dtype of a higher category.
        """
        recorded = is_grad_enabled() and self._requires_grad
        if recorded and self._node is None:
            raise RuntimeError("a leaf Tensor that requires grad is being used in an in-place operation")
        before = Tensor(self._array.copy() if recorded else self._array)
        before._node, before._output, before._requires_grad = self._node, self._output, self._requires_grad
        after = compute(before)
        if after._array.shape != self._array.shape:
            raise ValueError(f"in-place result of shape {after._array.shape} doesn't fit shape {self._array.shape}")
        if not np.can_cast(after._array.dtype, self._array.dtype, "same_kind"):
            raise RuntimeError(f"result type {after._array.dtype} can't be cast to {self._array.dtype} in place")
        if after._node is not None and self._memory[1]:
            raise RuntimeError(
                "in-place change, inside the graph, of a tensor that is or has a view; minicnn does not follow "
                "gradients through that: write y = x + 1 instead of x += 1"
            )
        if after._node is not None:
            after = cast(after, self._array.dtype)
            self._node, self._output, self._requires_grad = after._node, after._output, True
        np.copyto(self._array, after._array, casting="same_kind")
        self._bump()
        return self

    def add_(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self += alpha · other"""
        return self._assign(lambda x: Add.call(x, other if alpha == 1 else other * alpha))

    def sub_(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self -= alpha · other"""
        return self._assign(lambda x: Subtract.call(x, other if alpha == 1 else other * alpha))

    def mul_(self, other: Any) -> "Tensor":
        """self *= other"""
        return self._assign(lambda x: Multiply.call(x, other))

    def div_(self, other: Any) -> "Tensor":
        """self /= other"""
        return self._assign(lambda x: arithmetic.true_divide(x, other))

    def zero_(self) -> "Tensor":
        """All elements 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> "Tensor":
        """All elements `value`."""
        return self._assign(lambda x: shapes.SetIndex.apply(x, cast(value, x.dtype), ...))

    def copy_(self, source: Any) -> "Tensor":
        """All elements from `source`, broadcast and converted."""
        wanted = cast(source, self.dtype)
        arithmetic.check_broadcast(wanted._array.shape, self._array.shape)
        return self._assign(lambda x: shapes.SetIndex.apply(x, wanted, ...))

    def clamp_(self, min: Any = None, max: Any = None) -> "Tensor":  # noqa: A002
        """All elements held within [min, max]."""
        return self._assign(lambda x: x.clamp(min, max))

    def __setitem__(self, key: Any, value: Any) -> None:
        key = shapes.index_key(key)
        if not isinstance(value, (Variable, np.ndarray)):
            value = np.asarray(value)
        target = self._array[key]
        arithmetic.check_broadcast(np.shape(array_of(value)), target.shape)
        if is_grad_enabled() and (self._requires_grad or getattr(value, "_requires_grad", False)):
            self._assign(lambda x: shapes.SetIndex.apply(x, cast(value, x.dtype), key))
        else:
            self._array[key] = array_of(value)
            self._bump()

    def __iadd__(self, other: Any) -> "Tensor":
        return self.add_(other)

    def __isub__(self, other: Any) -> "Tensor":
        return self.sub_(other)

    def __imul__(self, other: Any) -> "Tensor":
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> "Tensor":
        return self.div_(other)

    # Arithmetic and comparison

    __add__ = _binary(Add.call)
    __radd__ = _binary(Add.call, swapped=True)
    __sub__ = _binary(Subtract.call)
    __rsub__ = _binary(Subtract.call, swapped=True)
    __mul__ = _binary(Multiply.call)
    __rmul__ = _binary(Multiply.call, swapped=True)
    __truediv__ = _binary(arithmetic.true_divide)
    __rtruediv__ = _binary(arithmetic.true_divide, swapped=True)
    __pow__ = _binary(arithmetic.power)
    __rpow__ = _binary(arithmetic.power, swapped=True)
    __floordiv__ = _binary(arithmetic.floor_divide)
    __rfloordiv__ = _binary(arithmetic.floor_divide, swapped=True)
    __mod__ = _binary(arithmetic.remainder)
    __rmod__ = _binary(arithmetic.remainder, swapped=True)
    __matmul__ = _binary(arithmetic.matmul)
    __rmatmul__ = _binary(arithmetic.matmul, swapped=True)
    __and__ = _logical(np.bitwise_and)
    __rand__ = __and__
    __or__ = _logical(np.bitwise_or)
    __ror__ = __or__
    __xor__ = _logical(np.bitwise_xor)
    __rxor__ = __xor__
    __eq__ = _comparison(operator.eq)  # type: ignore[assignment]
    __ne__ = _comparison(operator.ne)  # type: ignore[assignment]
    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __hash__ = object.__hash__
    eq, ne, lt, le, gt, ge = __eq__, __ne__, __lt__, __le__, __gt__, __ge__
    add, sub, mul, div = __add__, __sub__, __mul__, __truediv__
    pow = __pow__
    matmul = __matmul__

    def __neg__(self) -> "Tensor":
        return arithmetic.Negative.call(self)

    def __invert__(self) -> "Tensor":
        if self._array.dtype.kind == "f":
            raise TypeError("~ needs a bool or integer tensor")
        return Tensor(np.asarray(~self._array))

    __abs__ = abs = arithmetic.absolute
    neg = __neg__
    exp = arithmetic.exp
    log = arithmetic.log
    sqrt = arithmetic.sqrt
    clamp = arithmetic.clamp
    relu = activation.relu
    sigmoid = activation.sigmoid
    tanh = activation.tanh
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    # Reductions

    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    argmax = reduction.argmax

    def std(self, dim: Any = None, unbiased: Any = None, keepdim: Any = False) -> "Tensor":
        """The square root of `var`."""
        return reduction.var(self, dim, unbiased, keepdim).sqrt()

    def max(self, dim: Any = None, keepdim: Any = False) -> Any:
        """The largest element; along `dim` a pair (values, indices); with another tensor, elementwise."""
        return maximum(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: Any = False) -> Any:
        """The smallest element; along `dim` a pair (values, indices); with another tensor, elementwise."""
        return minimum(self, dim, keepdim)

    def any(self) -> "Tensor":
        """Whether some element is not 0."""
        return Tensor(np.asarray(self._array.any()))

    def all(self) -> "Tensor":
        """Whether no element is 0."""
        return Tensor(np.asarray(self._array.all()))

    # Shape

    view = shapes.view
    reshape = shapes.reshape
    flatten = shapes.flatten
    permute = shapes.permute
    transpose = shapes.transpose
    squeeze = shapes.squeeze
    unsqueeze = shapes.unsqueeze
    expand = shapes.expand
    __getitem__ = shapes.index

    def view_as(self, other: "Tensor") -> "Tensor":
        """`view(other.shape)`"""
        return self.view(other.shape)

    def expand_as(self, other: "Tensor") -> "Tensor":
        """`expand(other.shape)`"""
        return self.expand(other.shape)

    def t(self) -> "Tensor":
        """A matrix transposed."""
        if self.ndim > 2:
            raise ValueError(f"t() needs at most 2 dimensions, got shape {tuple(self._array.shape)}")
        return self.transpose(0, 1) if self.ndim == 2 else self

    @property
    def T(self) -> "Tensor":  # noqa: N802 (torch's name)
        """The dimensions in reverse order."""
        return self.permute(*range(self.ndim - 1, -1, -1))

    # Python's protocols

    def __len__(self) -> Any:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self._array.shape[0]))

    def __contains__(self, value: Any) -> Any:
        return array_of(value) in self._array

    def __bool__(self) -> Any:
        if self._array.size != 1:
            raise RuntimeError(f"Boolean value of Tensor with {self._array.size} values is ambiguous")
        return self._array.item() != 0

    def __float__(self) -> Any:
        return _python_float(self.item())

    def __int__(self) -> Any:
        return _python_int(self.item())

    def __index__(self) -> Any:
        if self._array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return _python_int(self.item())

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if not self._array.ndim else object.__format__(self, specification)

    def __repr__(self) -> str:
        parts = [np.array2string(self._array, separator=", ", prefix="tensor(", precision=4, floatmode="maxprec_equal")]
        if self.dtype not in (float32, int64, np.dtype("bool")) or self._array.size == 0:
            parts.append(f"dtype={self.dtype}")
        if self._node is not None:
            parts.append(f"grad_fn={self._node!r}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"

    def __deepcopy__(self, memo: dict) -> "Tensor":
        if self._node is not None:
            raise RuntimeError("only leaf Tensors support deepcopy; use detach() or clone()")
        result = type(self).__new__(type(self))
        Variable.__init__(result, self._array.copy(order="K"), self._requires_grad)
        memo[id(self)] = result
        if self.grad is not None:
            result.grad = self.grad.__deepcopy__(memo)
        return result

    def __reduce__(self) -> tuple:
        if self._node is not None:
            raise RuntimeError("only leaf Tensors can be pickled; use detach()")
        return type(self), (self._array, self._requires_grad)


_device, _python_float, _python_int = device, float, int
Variable.result_class = Tensor


def _names_dtype(text: str) -> bool:
    return text in np.sctypeDict


def maximum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`max(x)`: the largest element; `max(x, dim)`: values and indices; `max(x, other)`: elementwise."""
    if isinstance(dim, (Variable, np.ndarray)):
        return arithmetic.Maximum.call(x, dim)
    return reduction.extreme(x, dim, keepdim, largest=True)


def minimum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`min(x)`: the smallest element; `min(x, dim)`: values and indices; `min(x, other)`: elementwise."""
    if isinstance(dim, (Variable, np.ndarray)):
        return arithmetic.Minimum.call(x, dim)
    return reduction.extreme(x, dim, keepdim, largest=False)
