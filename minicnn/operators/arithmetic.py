"""Elementwise operations and the matrix product."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import float32, result_type


def array_of(operand: Any) -> Any:
    """The array behind a Tensor; anything else as it is."""
    return operand._array if isinstance(operand, Variable) else operand


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum `gradient` over the axes along which an operand of `shape` was broadcast."""
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        axis + extra for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis + extra] != 1
    )
    return gradient.sum(axis=axes, keepdims=True).reshape(shape)


def check_broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raise ValueError unless shapes `a` and `b` broadcast together."""
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        raise ValueError(f"operands of shapes {a} and {b} can't be broadcast together") from None


class Cast(Operator):
    """x in another dtype."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        ctx.dtype = x.dtype
        with np.errstate(invalid="ignore"):  # NaN to integer: whatever the machine gives, as in torch
            return x.astype(dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        return grad_output.astype(ctx.dtype), None


def cast(x: Any, dtype: np.dtype) -> Any:
    """`x` as a Tensor of `dtype`; a Tensor of that dtype already is returned itself."""
    if isinstance(x, Variable):
        return x if x._array.dtype == dtype else Cast.apply(x, dtype)
    return Variable.result_class(np.asarray(x, dtype))


class Binary(Operator):
    """An elementwise operation on two operands that broadcast against each other."""

    function: Callable

    @classmethod
    def forward(cls, ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.shapes = a.shape, b.shape
        if cls.reads:
            ctx.saved = a, b
        with np.errstate(all="ignore"):
            return np.asarray(cls.function(a, b))

    @classmethod
    def backward(cls, ctx: Any, grad_output: np.ndarray) -> tuple:
        with np.errstate(all="ignore"):
            gradients = cls.gradients(ctx, grad_output)
        return tuple(
            unbroadcast(gradient, shape) if gradient is not None and needed else None
            for gradient, shape, needed in zip(gradients, ctx.shapes, ctx.needs_input_grad, strict=True)
        )

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        """The gradients by both operands, before broadcasting is undone."""
        raise NotImplementedError

    @classmethod
    def call(cls, a: Any, b: Any, dtype: np.dtype | None = None) -> Any:
        """Apply to Tensors, arrays or Python numbers, promoted as PyTorch promotes them.

        Raises:
            ValueError: where the shapes don't broadcast.
        """
        left, right = array_of(a), array_of(b)
        dtype = dtype or result_type(left, right)
        if np.shape(left) != np.shape(right):
            check_broadcast(np.shape(left), np.shape(right))
        return cls.apply(cast(a, dtype), cast(b, dtype))


class Add(Binary):
    """a + b"""

    reads = ""
    function = np.add

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        return g, g


class Subtract(Binary):
    """a - b"""

    reads = ""
    function = np.subtract

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        return g, -g if ctx.needs_input_grad[1] else None


class Multiply(Binary):
    """a * b"""

    function = np.multiply

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        needs_a, needs_b = ctx.needs_input_grad
        return g * b if needs_a else None, g * a if needs_b else None


class Divide(Binary):
    """a / b"""

    function = np.true_divide

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return g / b, -g * (a / b) / b if ctx.needs_input_grad[1] else None


class Power(Binary):
    """a ** b; the gradient by b is 0 where a is 0 and b isn't negative"""

    function = np.power

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a = np.where(b == 0, 0, g * b * np.power(a, b - 1)) if ctx.needs_input_grad[0] else None
        by_b = None
        if ctx.needs_input_grad[1]:
            by_b = np.where((a == 0) & (b >= 0), 0, g * np.power(a, b) * np.log(a))
        return by_a, by_b


class Maximum(Binary):
    """The larger of a and b, NaN where either is; ties share the gradient"""

    function = np.maximum

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        half = g / 2
        return np.where(a == b, half, np.where(a > b, g, 0)), np.where(a == b, half, np.where(b > a, g, 0))


class Minimum(Binary):
    """The smaller of a and b, NaN where either is; ties share the gradient"""

    function = np.minimum

    @staticmethod
    def gradients(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        half = g / 2
        return np.where(a == b, half, np.where(a < b, g, 0)), np.where(a == b, half, np.where(b < a, g, 0))


class Where(Operator):
    """a where the condition holds, b elsewhere."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.condition, ctx.shapes = condition, (a.shape, b.shape)
        return np.where(condition, a, b)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        zero = g.dtype.type(0)
        return (
            None,
            unbroadcast(np.where(ctx.condition, g, zero), ctx.shapes[0]),
            unbroadcast(np.where(ctx.condition, zero, g), ctx.shapes[1]),
        )


class Unary(Operator):
    """An elementwise operation on one operand; integers become float32 first."""

    function: Callable

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = np.asarray(cls.function(x))
        if cls.reads:
            ctx.saved = (y if cls.reads == "output" else x,)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return cls.gradient(g, *ctx.saved)

    @staticmethod
    def gradient(g: np.ndarray, saved: np.ndarray) -> np.ndarray:
        """The gradient by x, from the saved input or output."""
        raise NotImplementedError

    @classmethod
    def call(cls, x: Any) -> Any:
        """Apply to a Tensor or an array."""
        dtype = array_of(x).dtype
        return cls.apply(cast(x, dtype if dtype.kind == "f" else float32))


class Negative(Unary):
    """-x"""

    reads = ""
    function = np.negative

    @staticmethod
    def gradient(g: np.ndarray) -> np.ndarray:  # type: ignore[override]  # nothing is saved
        return -g

    @classmethod
    def call(cls, x: Any) -> Any:
        if array_of(x).dtype == bool:
            raise TypeError("negation, the - operator, is not defined for bool tensors")
        return cls.apply(x)


class Absolute(Unary):
    """|x|, with gradient 0 at 0"""

    function = np.abs

    @staticmethod
    def gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        return g * np.sign(x)

    @classmethod
    def call(cls, x: Any) -> Any:
        return cls.apply(x)


class Exponential(Unary):
    """eˣ"""

    reads = "output"
    function = np.exp

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g * y


class Logarithm(Unary):
    """ln x"""

    function = np.log

    @staticmethod
    def gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        return g / x


class SquareRoot(Unary):
    """√x"""

    reads = "output"
    function = np.sqrt

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g / (2 * y)


def exp(x: Any) -> Any:
    """eˣ, elementwise."""
    return Exponential.call(x)


def log(x: Any) -> Any:
    """ln x, elementwise; -inf at 0, NaN below."""
    return Logarithm.call(x)


def sqrt(x: Any) -> Any:
    """√x, elementwise; NaN below 0."""
    return SquareRoot.call(x)


def absolute(x: Any) -> Any:
    """|x|, elementwise."""
    return Absolute.call(x)


class Clamp(Operator):
    """x held within [low, high]; the gradient passes where x lies within, bounds included."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        ctx.saved, ctx.bounds = (x,), (low, high)
        return np.clip(x, low, high)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x,), (low, high) = ctx.saved, ctx.bounds
        inside = np.ones(x.shape, bool)
        if low is not None:
            inside &= x >= low
        if high is not None:
            inside &= x <= high
        return g * inside, None, None


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002
    """`x` held within [min, max], elementwise.

    Args:
        min, max: numbers, one of which may be None.
    """
    if min is None and max is None:
        raise ValueError("clamp needs min or max")
    dtype = result_type(array_of(x), *[bound for bound in (min, max) if bound is not None])
    return Clamp.apply(cast(x, dtype), min, max)


def floor_divide(a: Any, b: Any) -> Any:
    """⌊a / b⌋, elementwise; carries no gradient."""
    return _without_gradient(np.floor_divide, a, b)


def remainder(a: Any, b: Any) -> Any:
    """a − b·⌊a / b⌋, elementwise; carries no gradient."""
    return _without_gradient(np.remainder, a, b)


def _without_gradient(function: Callable, a: Any, b: Any) -> Any:
    if any(isinstance(x, Variable) and x._requires_grad for x in (a, b)):
        raise RuntimeError(f"{function.__name__} carries no gradient; detach() its operands")
    left, right = array_of(a), array_of(b)
    dtype = result_type(left, right)
    if dtype.kind != "f" and np.any(np.asarray(right) == 0):
        raise RuntimeError("ZeroDivisionError: integer division by zero")
    check_broadcast(np.shape(left), np.shape(right))
    with np.errstate(all="ignore"):
        return Variable.result_class(np.asarray(function(np.asarray(left, dtype), np.asarray(right, dtype))))


class MatrixProduct(Operator):
    """a @ b, NumPy's rules for vectors and stacks of matrices."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        return np.asarray(np.matmul(a, b))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        rows = a[None, :] if a.ndim == 1 else a  # (…, M, K)
        columns = b[:, None] if b.ndim == 1 else b  # (…, K, N)
        if a.ndim == 1:
            g = np.expand_dims(g, -1 if b.ndim == 1 else -2)
        if b.ndim == 1:
            g = np.expand_dims(g, -1)  # (…, M, N)
        by_a = by_b = None
        if ctx.needs_input_grad[0]:  # (…, M, N) @ (…, N, K)
            by_a = unbroadcast(np.matmul(g, columns.swapaxes(-1, -2)), rows.shape).reshape(a.shape)
        if ctx.needs_input_grad[1]:  # (…, K, M) @ (…, M, N)
            by_b = unbroadcast(np.matmul(rows.swapaxes(-1, -2), g), columns.shape).reshape(b.shape)
        return by_a, by_b


def matmul(a: Any, b: Any) -> Any:
    """The matrix product of Tensors or arrays of one dtype, each with at least one dimension.

    Args:
        a: (K,) or (…, M, K).
        b: (K,) or (…, K, N).

    Returns: (…, M, N), without the axes that a vector lacks.

    Raises:
        ValueError: where the shapes don't fit.
        TypeError: where the dtypes differ.
    """
    left, right = array_of(a), array_of(b)
    if left.dtype != right.dtype:
        raise TypeError(f"matmul needs operands of one dtype, got {left.dtype} and {right.dtype}")
    inner = right.shape[-2] if right.ndim > 1 else right.shape[0] if right.ndim else 0
    if not left.ndim or not right.ndim or left.shape[-1] != inner:
        raise ValueError(f"matmul can't multiply shapes {left.shape} and {right.shape}")
    check_broadcast(left.shape[:-2], right.shape[:-2])
    return MatrixProduct.apply(a, b)


def true_divide(a: Any, b: Any) -> Any:
    """a / b; integers divide as float32."""
    dtype = result_type(array_of(a), array_of(b))
    return Divide.call(a, b, dtype if dtype.kind == "f" else float32)


def power(a: Any, b: Any) -> Any:
    """a ** b; integers to a negative power are refused, as in torch."""
    base, exponent = array_of(a), array_of(b)
    if result_type(base, exponent).kind in "iu" and np.any(np.asarray(exponent) < 0):
        raise ValueError("integers to negative integer powers are not allowed")
    return Power.call(a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where `condition` holds, `b` elsewhere, all broadcast together.

    Args:
        condition: bool Tensor.
        a, b: Tensors or Python numbers.

    Raises:
        TypeError: where `condition` isn't bool.
    """
    mask = array_of(condition)
    if getattr(mask, "dtype", None) != bool:
        raise TypeError(f"where needs a bool condition, got {getattr(mask, 'dtype', type(mask).__name__)}")
    dtype = result_type(array_of(a), array_of(b))
    return Where.apply(mask, cast(a, dtype), cast(b, dtype))
