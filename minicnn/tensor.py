"""`Tensor`: an array with PyTorch's methods and a place in the graph."""

import builtins
import copy
import enum
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from minicnn.autograd import Variable, assign, backward, is_grad_enabled
from minicnn.autograd.inplace import replace
from minicnn.autograd.storage import copied, is_contiguous, keep_strides, promised, settle, share
from minicnn.dtypes import as_dtype, bool_, check_fits, float32, float64, int32, int64, result_type
from minicnn.operators import activation, arithmetic, comparison, elementwise, indexing, matmul, reduction
from minicnn.operators import shape as shapes
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly


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
                f"minicnn computes on the CPU only, got device {str(name)!r}; the same models in `reference` "
                "run on CUDA"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


class memory_format(enum.Enum):  # noqa: N801 (torch's name)
    """In which order the elements of a tensor lie."""

    preserve_format = "preserve_format"
    contiguous_format = "contiguous_format"
    channels_last = "channels_last"

    def __repr__(self) -> str:
        return f"torch.{self.value}"


class Size(tuple):
    """A shape, as `torch.Size`."""

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


NUMBERS = (bool, int, float, np.number, np.bool_)
OPERANDS = (Variable, np.ndarray, *NUMBERS)


def _binary(call: Callable, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """The method of an operator sign, which leaves lists, strings and the like to the other operand."""

    def compute(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return call(other, self) if swapped else call(self, other)

    return compute


def _without_gradient(function: Callable, kinds: str = "fiub") -> Callable:
    """The method of a comparison or of a bitwise operation, for dtypes of `kinds`."""

    def compute(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        left, right = self._array, array_of(other)
        dtype = result_type(left, right)
        if dtype.kind not in kinds:
            raise TypeError(f"{function.__name__} needs bool or integer operands, got {dtype}")
        right = np.asarray(right).astype(dtype, copy=False)
        result = computed(np.asarray(quietly(function, left.astype(dtype, copy=False), right)))
        keep_strides(result, [operand for operand in (self, other) if isinstance(operand, Variable)])
        return result

    return compute


def _named(method: Callable) -> Callable:
    """The method of an operator sign under a name of its own, where nobody else is left to ask."""

    def compute(self: "Tensor", other: Any) -> Any:
        result = method(self, other)
        if result is NotImplemented:
            raise TypeError(f"expected a Tensor or a number, got {type(other).__name__}")
        return result

    return compute


def _in_place(compute: Callable) -> Callable[[Any, Any], Any]:
    """The method of a sign like `%=`."""

    def change(self: "Tensor", other: Any) -> Any:
        return self._assign(lambda former: compute(former, other), other)

    return change


def _divide(number: Any, x: Any) -> Any:
    """number / x as PyTorch computes it, number · (1 / x), whose gradient needs the result alone."""
    if isinstance(number, OPERANDS[:2]):
        return arithmetic.true_divide(number, x)
    return arithmetic.Multiply.call(elementwise.reciprocal(x), number)


class Tensor(Variable):
    """A multi-dimensional array that remembers how it was computed.

    Args:
        data: a NumPy array, shared and not copied (`minicnn.tensor` copies), and after it whether gradients with
            respect to the tensor are wanted. Or as in PyTorch a list, sizes, a Tensor or nothing, for one of float32.
        requires_grad: whether gradients with respect to this tensor are wanted; floating point only.

    Raises:
        TypeError: where `data` isn't real numbers.
        ValueError: for nested lists that don't form a box, or negative sizes.
        RuntimeError: where a gradient is asked for of a tensor that isn't floating point.
    """

    __slots__ = ()
    __array_priority__ = 1000  # `ndarray + Tensor` is the Tensor's business

    def __init__(self, *data: Any, requires_grad: builtins.bool = False) -> None:
        array, *rest = data or (0,)
        if isinstance(array, (np.ndarray, np.generic)) and len(rest) < 2:
            super().__init__(np.asarray(array), *rest or (requires_grad,))
            self._layout = None  # the program knows this memory
        else:
            super().__init__(_float_array(data), requires_grad)
            if isinstance(array, Variable):
                self._memory = array._memory
                share(array, self)

    # What it is

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether gradients with respect to this tensor are computed."""
        view = self._view
        if view is not None and view.steps is not None:
            self._catch_up()
        return self._requires_grad or (view is not None and view.root._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        self._catch_up()
        if value:
            self._require_grad()
        elif self._node is not None:
            raise RuntimeError("you can only change requires_grad flags of leaf tensors; use detach()")
        else:
            self._requires_grad = False

    def requires_grad_(self, requires_grad: builtins.bool = True) -> "Tensor":
        """Set `requires_grad`; returns self."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Any:
        """The node that computed this tensor, or None for a leaf."""
        self._catch_up()
        return self._node

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no recorded operation computed this tensor."""
        return self.grad_fn is None

    @property
    def grad(self) -> "Tensor | None":
        """The gradient that backward accumulated, of this tensor's shape and dtype; None where there is none.

        Raises, when assigned to:
            TypeError: for something that is neither a Tensor nor None.
            RuntimeError: for another shape or dtype.
        """
        return self._grad

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad must be a Tensor or None, got {type(value).__name__}")
            if value._array.shape != self._array.shape or value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"grad must be of shape {self._array.shape} and {self._array.dtype}, got "
                    f"{value._array.shape} and {value._array.dtype}"
                )
        self._grad = value

    @property
    def shape(self) -> Size:
        """The size of every dimension."""
        return Size(self._array.shape)

    @property
    def ndim(self) -> builtins.int:
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
        """The same memory outside the graph; changes through it go unnoticed by backward.

        Raises, when assigned to:
            TypeError: for something that is no Tensor.
            RuntimeError: for a dtype that can't require gradients where this tensor does.
        """
        result = computed(self._array)
        share(self, result)
        return result

    @data.setter
    def data(self, value: "Tensor") -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be of a floating-point dtype, not "
                f"{value._array.dtype}"
            )
        replace(self, value)

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        (axis,) = reduction.normalize_dims(dim, max(self.ndim, 1))
        if not self.ndim:
            raise IndexError("a 0-dimensional tensor has no dimension to take the size of")
        return self._array.shape[axis]

    def dim(self) -> builtins.int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> builtins.int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> builtins.int:
        """Bytes that one element takes."""
        return self._array.itemsize

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is float32, float64 or another float."""
        return self._array.dtype.kind == "f"

    def stride(self) -> tuple[builtins.int, ...]:
        """For every dimension, how many elements apart neighbours lie, as PyTorch would lay them."""
        return promised(self)[1]

    def is_contiguous(self, memory_format: memory_format = memory_format.contiguous_format) -> builtins.bool:
        """Whether the elements lie in row-major order, or channels-last, as PyTorch would lay them."""
        if memory_format is _memory_format.channels_last:
            return self.ndim == 4 and is_contiguous(self.permute(0, 2, 3, 1))
        if not isinstance(memory_format, _memory_format):
            raise TypeError(f"memory_format must be one of minicnn's, such as channels_last, got {memory_format!r}")
        return is_contiguous(self)

    def contiguous(self, memory_format: memory_format = memory_format.contiguous_format) -> "Tensor":
        """This tensor with its elements in row-major order, or channels-last; itself where they are already.

        Args:
            memory_format: `contiguous_format` or, for (N, C, H, W), `channels_last`.

        Raises:
            RuntimeError: for channels-last elements of a tensor that hasn't 4 dimensions, or another format.
        """
        if self.is_contiguous(memory_format):
            return self
        if memory_format is _memory_format.preserve_format:
            raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
        return self._laid(memory_format)

    def _laid(self, memory_format: memory_format) -> "Tensor":
        """A copy with its elements in another order."""
        if memory_format is _memory_format.preserve_format:
            return shapes.Clone.apply(self)
        if memory_format is _memory_format.contiguous_format:
            return shapes.Contiguous.apply(self)
        if self.ndim != 4:
            raise RuntimeError(f"channels_last needs a tensor of 4 dimensions, got shape {tuple(self.shape)}")
        return shapes.Contiguous.apply(self.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    # Out of minicnn and between dtypes

    def numpy(self) -> np.ndarray:
        """The array, sharing memory.

        Raises:
            RuntimeError: for a tensor that requires a gradient, unless in `no_grad`: detach it first.
        """
        if self.requires_grad and is_grad_enabled():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        settle(self)
        return self._array

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: builtins.bool = False) -> "Tensor":
        return computed(np.asarray(array))

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
        result = self.data
        result._memory = self._memory
        return result

    def clone(self, *, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """A copy, inside the graph."""
        return self._laid(memory_format)

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        memory_format: memory_format = memory_format.preserve_format,
    ) -> "Tensor":
        """In another dtype: `to(dtype)`, `to("cpu", dtype)` or `to(other)`; itself where nothing changes.

        Args:
            args: a dtype, a device, or a Tensor whose dtype to take; then `non_blocking` and `copy`.
            dtype, device: the same by name.
            non_blocking: has no effect: nothing travels.
            copy: copy even where nothing changes.
            memory_format: the order of the elements.

        Raises:
            RuntimeError: for a device that isn't the CPU.
            TypeError: for arguments that are neither dtype, device nor Tensor.
        """
        flags = [argument for argument in args if isinstance(argument, builtins.bool)]
        copy = flags[1] if len(flags) > 1 else copy  # after non_blocking
        for argument in args:
            if isinstance(argument, builtins.bool):
                continue
            if isinstance(argument, Variable):
                dtype = argument._array.dtype
            elif isinstance(argument, (str, builtins.int, _device)):
                device = argument
            elif argument is not None:
                dtype = argument
        if device is not None:
            _device(device)
        result = self if dtype is None else cast(self, as_dtype(dtype))
        if memory_format is not _memory_format.preserve_format and not result.is_contiguous(memory_format):
            return result._laid(memory_format)
        return result.clone() if copy and result is self else result

    def type(self, dtype: Any) -> "Tensor":
        """In another dtype."""
        return cast(self, as_dtype(dtype))

    def type_as(self, other: "Tensor") -> "Tensor":
        """In the dtype of `other`."""
        return cast(self, other.dtype)

    def float(self, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """As float32."""
        return self.to(float32, memory_format=memory_format)

    def double(self, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """As float64."""
        return self.to(float64, memory_format=memory_format)

    def long(self, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """As int64."""
        return self.to(int64, memory_format=memory_format)

    def int(self, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """As int32."""
        return self.to(int32, memory_format=memory_format)

    def bool(self, memory_format: memory_format = memory_format.preserve_format) -> "Tensor":
        """As bool."""
        return self.to(bool_, memory_format=memory_format)

    def cpu(self) -> "Tensor":
        """Itself."""
        return self

    def cuda(self, *_: Any) -> "Tensor":
        """Refused: minicnn computes on the CPU.

        Raises:
            RuntimeError: always.
        """
        return self.to("cuda")

    # Gradients

    def backward(self, gradient: Any = None, retain_graph: builtins.bool | None = None) -> None:
        """Accumulate the gradient of this tensor in every leaf's `.grad`.

        Args:
            gradient: the gradient by this tensor, of its shape; may be left out for a single element.
            retain_graph: keep the graph, so that it can be walked again.

        Raises:
            RuntimeError: without a graph, on a second walk, without `gradient` for several elements, or
                with one of another shape.
        """
        backward(self, gradient, retain_graph)

    def retain_grad(self) -> None:
        """Keep `.grad` of this tensor too, though it isn't a leaf.

        Raises:
            RuntimeError: where it doesn't require a gradient.
        """
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None:
            self._node.retain(self)

    # Changes in place

    def _assign(self, compute: Callable[[Any], Any], *operands: Any, repeated: builtins.bool = False) -> "Tensor":
        """Replace the values by `compute(self)`; see `minicnn.autograd.assign`."""
        assign(self, compute, *operands, repeated=repeated)
        return self

    def add_(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self += alpha · other"""
        return self._assign(lambda x: _add(x, other, alpha), other)

    def sub_(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self −= alpha · other"""
        return self._assign(lambda x: _subtract(x, other, alpha), other)

    def mul_(self, other: Any) -> "Tensor":
        """self *= other"""
        return self._assign(lambda x: arithmetic.Multiply.call(x, other), other)

    def div_(self, other: Any) -> "Tensor":
        """self /= other"""
        return self._assign(lambda x: arithmetic.true_divide(x, other), other)

    def pow_(self, exponent: Any) -> "Tensor":
        """self **= exponent"""
        return self._assign(lambda x: arithmetic.power(x, exponent), exponent)

    def relu_(self) -> "Tensor":
        """All elements max(x, 0)."""
        return activation.relu(self, inplace=True)

    def clamp_(self, min: Any = None, max: Any = None) -> "Tensor":
        """All elements held within [min, max]."""
        return self._assign(lambda x: elementwise.clamp(x, min, max), min, max)

    def zero_(self) -> "Tensor":
        """All elements 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> "Tensor":
        """All elements `value`.

        Args:
            value: a number, or a Tensor without dimensions.

        Raises:
            RuntimeError: for a Tensor with dimensions, or a number that the dtype can't hold.
        """
        if array_of(value).ndim if isinstance(value, OPERANDS[:2]) else 0:
            raise RuntimeError(f"fill_ needs a number or a Tensor without dimensions, got shape {value.shape}")
        self._check_assignable(value)
        filling = cast(value, self._array.dtype)
        return self._assign(lambda x: indexing.Put.apply(x, filling, (...,)), repeated=True)

    def copy_(self, source: Any) -> "Tensor":
        """All elements from `source`, broadcast and converted.

        Raises:
            RuntimeError: where its shape doesn't broadcast to this tensor's.
        """
        shape = np.shape(array_of(source))
        if len(shape) > self.ndim:
            raise RuntimeError(f"output with shape {tuple(self.shape)} doesn't match the broadcast shape {shape}")
        self[...] = source
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        self._check_assignable(value)
        indexing.put(self, key, value)

    def _check_assignable(self, value: Any) -> None:
        """Raise for a value that this tensor's dtype can't hold, or that is no number."""
        if isinstance(value, NUMBERS):
            check_fits(value, self._array.dtype)
        elif not isinstance(value, OPERANDS):
            raise TypeError(f"can't assign a {type(value).__name__} to a Tensor of {self.dtype}")

    def __iadd__(self, other: Any) -> "Tensor":
        return self.add_(other)

    def __isub__(self, other: Any) -> "Tensor":
        return self.sub_(other)

    def __imul__(self, other: Any) -> "Tensor":
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> "Tensor":
        return self.div_(other)

    def __ipow__(self, other: Any) -> "Tensor":
        return self.pow_(other)

    # Arithmetic and comparison

    __add__ = _binary(arithmetic.Add.call)
    __radd__ = _binary(arithmetic.Add.call, swapped=True)
    __sub__ = _binary(arithmetic.Subtract.call)
    __rsub__ = _binary(arithmetic.Subtract.call, swapped=True)
    __mul__ = _binary(arithmetic.Multiply.call)
    __rmul__ = _binary(arithmetic.Multiply.call, swapped=True)
    __truediv__ = _binary(arithmetic.true_divide)
    __rtruediv__ = _binary(_divide, swapped=True)
    __pow__ = _binary(arithmetic.power)
    __rpow__ = _binary(arithmetic.power, swapped=True)
    __floordiv__ = _binary(arithmetic.floor_divide)
    __rfloordiv__ = _binary(arithmetic.floor_divide, swapped=True)
    __mod__ = _binary(arithmetic.remainder)
    __rmod__ = _binary(arithmetic.remainder, swapped=True)
    __matmul__ = _binary(matmul.matmul)
    __rmatmul__ = _binary(matmul.matmul, swapped=True)
    __and__ = __rand__ = _without_gradient(np.bitwise_and, "iub")
    __or__ = __ror__ = _without_gradient(np.bitwise_or, "iub")
    __xor__ = __rxor__ = _without_gradient(np.bitwise_xor, "iub")
    __eq__ = _without_gradient(np.equal)  # type: ignore[assignment]
    __ne__ = _without_gradient(np.not_equal)  # type: ignore[assignment]
    __lt__ = _without_gradient(np.less)
    __le__ = _without_gradient(np.less_equal)
    __gt__ = _without_gradient(np.greater)
    __ge__ = _without_gradient(np.greater_equal)
    __hash__ = object.__hash__
    eq, ne, lt = _named(__eq__), _named(__ne__), _named(__lt__)
    le, gt, ge = _named(__le__), _named(__gt__), _named(__ge__)
    __ifloordiv__, __imod__ = _in_place(arithmetic.floor_divide), _in_place(arithmetic.remainder)
    __iand__, __ior__ = _in_place(_named(__and__)), _in_place(_named(__or__))
    __ixor__ = _in_place(_named(__xor__))
    mul, div, pow = _named(__mul__), _named(__truediv__), _named(__pow__)
    matmul = matmul.matmul
    __neg__ = neg = elementwise.negative
    __abs__ = abs = elementwise.absolute
    exp = elementwise.exp
    log = elementwise.log
    sqrt = elementwise.sqrt
    reciprocal = elementwise.reciprocal
    clamp = elementwise.clamp
    equal, allclose = comparison.equal, comparison.allclose
    sigmoid = activation.sigmoid
    tanh = activation.tanh
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    def add(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self + alpha · other"""
        return _add(self, other, alpha)

    def sub(self, other: Any, *, alpha: Any = 1) -> "Tensor":
        """self − alpha · other"""
        return _subtract(self, other, alpha)

    def relu(self) -> "Tensor":
        """max(x, 0), elementwise."""
        return activation.relu(self)

    def __invert__(self) -> "Tensor":
        if self._array.dtype.kind == "f":
            raise TypeError("~ needs a bool or integer tensor")
        return computed(np.asarray(~self._array))

    # Reductions

    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    max = reduction.maximum
    min = reduction.minimum
    argmax = reduction.argmax
    argmin = reduction.argmin
    any = reduction.any_of
    all = reduction.all_of

    # Shape

    view = shapes.view
    reshape = shapes.reshape
    flatten = shapes.flatten
    permute = shapes.permute
    transpose = shapes.transpose
    squeeze = shapes.squeeze
    unsqueeze = shapes.unsqueeze
    expand = shapes.expand
    unbind = indexing.unbind
    __getitem__ = indexing.index

    def view_as(self, other: "Tensor") -> "Tensor":
        """`view(other.shape)`"""
        return self.view(other.shape)

    def expand_as(self, other: "Tensor") -> "Tensor":
        """`expand(other.shape)`"""
        return self.expand(other.shape)

    def t(self) -> "Tensor":
        """A matrix transposed.

        Raises:
            ValueError: for more than 2 dimensions.
        """
        if self.ndim > 2:
            raise ValueError(f"t() needs at most 2 dimensions, got shape {tuple(self._array.shape)}")
        return self.permute(tuple(range(self.ndim))[::-1])

    @property
    def T(self) -> "Tensor":  # noqa: N802 (torch's name)
        """The dimensions in reverse order."""
        return self.permute(tuple(range(self.ndim - 1, -1, -1)))

    # Python's protocols

    def __len__(self) -> builtins.int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return indexing.parts(self, 0)

    def __contains__(self, value: Any) -> builtins.bool:
        if not isinstance(value, OPERANDS):
            raise RuntimeError(f"Tensor.__contains__ only supports Tensor or number, got {type(value).__name__}")
        return (self == value).any().item()

    def __bool__(self) -> builtins.bool:
        if self._array.size != 1:
            raise RuntimeError(f"Boolean value of Tensor with {self._array.size} values is ambiguous")
        return self._array.item() != 0

    def __float__(self) -> builtins.float:
        return builtins.float(self.item())

    def __int__(self) -> builtins.int:
        return builtins.int(self.item())

    def __index__(self) -> builtins.int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return builtins.int(self._array.item())

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if not self._array.ndim else object.__format__(self, specification)

    def __repr__(self) -> str:
        parts = [np.array2string(self._array, separator=", ", prefix="tensor(", precision=4, floatmode="maxprec_equal")]
        if self._array.size == 0 and self.ndim != 1:
            parts.append(f"size={tuple(self.shape)}")
        if self.dtype not in (float32, int64, bool_) or (self._array.size == 0 and self.dtype != float32):
            parts.append(f"dtype={self.dtype}")
        view = self._view
        if view is not None and view.steps is None and view.node is not view.root._node:
            parts.append("grad_fn=<Invalid>")
        elif self.grad_fn is not None:
            parts.append(f"grad_fn={self._node!r}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"

    def __deepcopy__(self, memo: dict) -> "Tensor":
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors support deepcopy; use detach() or clone()")
        result = copied(self, memo, computed)
        result._requires_grad = self._requires_grad
        memo[id(self)] = result
        result._grad = copy.deepcopy(self._grad, memo)
        return result

    def __reduce__(self) -> tuple:
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors can be pickled; use detach()")
        return _restored, (self._array, self._requires_grad, is_contiguous(self))


def _restored(array: np.ndarray, requires_grad: bool, row_major: bool) -> Tensor:
    """A Tensor as it was before it was pickled."""
    if not row_major:
        return Tensor(array, requires_grad)
    tensor = computed(array)
    tensor._requires_grad = requires_grad
    return tensor


def _float_array(data: tuple) -> np.ndarray:
    """The float32 array that `torch.Tensor(*data)` is made of: zeros for sizes, values from lists."""
    if all(isinstance(size, (builtins.int, np.integer)) and not isinstance(size, builtins.bool) for size in data):
        if min(data, default=0) < 0:
            raise ValueError(f"sizes must not be negative, got {data}")
        return np.zeros(data or (0,), float32)
    (values,) = data if len(data) == 1 else (None,)
    if isinstance(values, Size):
        return np.zeros(values, float32)
    if isinstance(values, Variable):
        if values._array.dtype != float32:
            raise TypeError(f"Tensor holds float32, got a Tensor of {values._array.dtype}; use minicnn.tensor")
        return values._array
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"Tensor needs an array, a list, sizes or a Tensor, got {data!r}; use minicnn.tensor")
    try:
        return np.array(values, float32)
    except (ValueError, TypeError) as error:
        raise type(error)(f"Tensor needs nested lists of numbers, of equal lengths: {error}") from None


def computed(array: np.ndarray) -> Tensor:
    """A Tensor for what an operation computed: in row-major order as far as programs are concerned."""
    tensor = Tensor.__new__(Tensor)
    Variable.__init__(tensor, array)
    return tensor


_device = device
_memory_format = memory_format
Variable._computed = computed


def _add(x: Any, other: Any, alpha: Any) -> Any:
    return arithmetic.Add.call(x, other if alpha == 1 else arithmetic.Multiply.call(other, alpha))


def _subtract(x: Any, other: Any, alpha: Any) -> Any:
    return arithmetic.Subtract.call(x, other if alpha == 1 else arithmetic.Multiply.call(other, alpha))
