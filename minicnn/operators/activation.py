"""Activations: nonlinearities of single elements, one class for each, and the functions that PyTorch has for them.

What an activation and its derivative compute stands in `kernels.activation`; a class here says which of the two arrays,
x or y, the derivative is computed from. Softmax and its kin stand in `minicnn.operators.softmax`, activations with a
second operand in `minicnn.operators.gates`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import default_float, float32, float64
from minicnn.errors import DtypeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.half import half_in_float32, is_half
from minicnn.operators.operands import array_of, cast
from minicnn.operators.slopes import SLOPES, elu_by_x, elu_by_y
from minicnn.operators.unary import without_gradient


def floating(x: Any, name: str) -> Any:
    """`x` itself, a Tensor or an array of float32 or float64.

    Raises:
        TypeError: for anything else, naming the operation.
        DtypeError: for other dtypes.
    """
    dtype = array_argument(x, name).dtype
    if dtype not in (float32, float64):
        raise DtypeError(f"{name} needs float32 or float64, got {dtype}")
    return x


def in_place(input: Any, compute: Callable[[Any], Any]) -> Any:
    """Replace the values of a Tensor or an array by `compute(input)`; returns a Tensor that shows them."""
    tensor = input if isinstance(input, Variable) else Variable._computed(input)
    return tensor._assign(compute)  # type: ignore[attr-defined]


class Activation(Operator):
    """y = f(x), elementwise.

    A subclass names its loops in `kernels.activation` and says what the backward reads: "x", "y", or with "sign" x as a
    rule and y where x is overwritten, since either lies on the same side of every threshold.
    """

    elementwise = True
    hands_over = True

    loops: str
    reads = "x"
    fault = ""
    """Why there is no gradient in place with certain parameters, which `ctx.refuses` is set for."""

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, *parameters: float) -> np.ndarray:
        overwritten = ctx.out is not None
        free = cls.reads != "x" or not ctx.needs_input_grad[0]
        loops = cls.loops_for(overwritten)
        y = loops.forward(x, parameters, ctx.out if free else None)
        ctx.saved = (y if cls.reads == "y" or (cls.reads == "sign" and overwritten) else x,)
        ctx.parameters, ctx.loops = parameters, loops
        ctx.refuses = overwritten and bool(cls.fault) and parameters[0] < 0
        return y

    @classmethod
    def loops_for(cls, overwritten: bool) -> Any:
        """The kernels, where x is overwritten or not."""
        return getattr(kernels.activation, cls.loops)

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> tuple:
        if ctx.refuses:
            raise RuntimeError(cls.fault)
        by_x = ctx.loops.backward(g, ctx.saved[0], ctx.parameters, ctx.may_overwrite)
        return by_x, *[None] * len(ctx.parameters)

    @classmethod
    def backward_recorded(cls, ctx: Any, g: Any) -> tuple:
        """g · f′(x): with respect to g its gradient is the same map, with respect to x it is g · f″(x)."""
        if ctx.refuses:
            raise RuntimeError(cls.fault)
        saved, slope = ctx.saved[0], SLOPES.get(cls.loops)
        if slope is None:  # f is of straight pieces
            return ctx.linear(g, lambda array: ctx.loops.backward(array, saved, ctx.parameters), reads=True)
        of_result = id(saved) in ctx.made
        tensor = ctx.result(0, saved) if of_result else ctx.argument(0, saved)
        slope = elu_by_y if slope is elu_by_x and of_result else slope
        return g * slope(tensor, *ctx.parameters), *[None] * len(ctx.parameters)


class Relu(Activation):
    """max(x, 0); NaN stays NaN; the gradient at 0 is 0."""

    loops, reads = "relu", "y"


class LeakyRelu(Activation):
    """x where x > 0, slope · x elsewhere."""

    loops, reads = "leaky_relu", "sign"
    fault = "leaky_relu in place has no gradient for a negative slope; leave out inplace=True"


class Threshold(Activation):
    """x where x > threshold, value elsewhere."""

    loops = "threshold"


class Hardtanh(Activation):
    """x held within [low, high]."""

    loops = "hardtanh"


class Elu(Activation):
    """positive · x where x > 0, negative · (exp(inner · x) − 1) elsewhere."""

    loops, reads = "elu", "sign"
    fault = "elu in place has no gradient for a negative alpha; leave out inplace=True"

    @classmethod
    def loops_for(cls, overwritten: bool) -> Any:
        return kernels.activation.elu_in_place if overwritten else kernels.activation.elu


class Celu(Elu):
    """max(x, 0) + min(0, alpha · (exp(x / alpha) − 1))"""

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, *parameters: float) -> np.ndarray:
        y = super().forward(ctx, x, *parameters)
        negative, positive, _ = parameters
        ctx.parameters = negative, positive, 1 / float(np.float32(negative))  # as PyTorch rounds it, in float64 too
        return y


class Sigmoid(Activation):
    """1 / (1 + e⁻ˣ)"""

    loops, reads = "sigmoid", "y"


class Tanh(Activation):
    """tanh x"""

    loops, reads = "tanh", "y"


class Silu(Activation):
    """x · sigmoid(x)"""

    loops = "silu"


class Mish(Activation):
    """x · tanh(ln(1 + eˣ))"""

    loops = "mish"


class Gelu(Activation):
    """x · Φ(x)"""

    loops = "gelu"


class GeluTanh(Activation):
    """x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³)))"""

    loops = "gelu_tanh"


class LogSigmoid(Activation):
    """ln sigmoid(x), in row-major order whatever the order of x, as PyTorch's."""

    loops = "log_sigmoid"
    elementwise = False


class Softplus(Activation):
    """ln(1 + exp(beta · x)) / beta; x where beta · x is above the threshold."""

    loops = "softplus"


class Hardsigmoid(Activation):
    """x / 6 + 1 / 2, held within [0, 1]."""

    loops = "hardsigmoid"


class Hardswish(Activation):
    """x · hardsigmoid(x)"""

    loops = "hardswish"


class Softsign(Activation):
    """x / (1 + |x|)"""

    loops = "softsign"


class Tanhshrink(Activation):
    """x − tanh x"""

    loops = "tanhshrink"

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, *parameters: float) -> np.ndarray:
        y = super().forward(ctx, x, *parameters)
        if ctx.needs_input_grad[0]:
            ctx.saved = (x.copy(order="K"),)  # PyTorch keeps tanh x, so that x may change
        return y


class Softshrink(Activation):
    """x moved towards 0 by the width, not beyond."""

    loops = "softshrink"


class Hardshrink(Activation):
    """x, 0 where |x| is at most the width."""

    loops = "hardshrink"


def number_argument(value: Any, operation: str, argument: str, dtype: np.dtype) -> float:
    """A number, or a Tensor of one element, as a float within `dtype`.

    Raises:
        TypeError: for anything else.
        RuntimeError: where the dtype can't hold it.
    """
    value = array_of(value)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        raise TypeError(f"{operation} needs a number as {argument}, got {type(value).__name__}")
    magnitude: Any = abs(value)
    if dtype.kind == "f" and float(np.finfo(dtype).max) < magnitude < np.inf:
        raise RuntimeError(f"{argument} {value} cannot be converted to {dtype} without overflow")
    return float(value)


def _apply(operator: type[Activation], name: str, input: Any, inplace: bool = False, **parameters: Any) -> Any:
    """The activation of a float Tensor; `parameters` are numbers, in the order of the kernel's."""
    half = not _is_float(input) and is_half(input)
    dtype = array_of(input if half or _is_float(input) else floating(input, name)).dtype
    numbers = [number_argument(value, name, argument, dtype) for argument, value in parameters.items()]
    apply = half_in_float32(operator.apply) if half else operator.apply
    if inplace:
        return in_place(input, lambda x: apply(x, *numbers))
    return apply(input, *numbers)


def _integers(function: Callable, name: str, input: Any, inplace: bool) -> Any:
    """What `function` makes of an integer array, in the same dtype."""
    array = array_argument(input, name)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{name} is not defined for {array.dtype}")

    def compute(x: Any) -> Any:
        return without_gradient(lambda whole: function(whole).astype(array.dtype, copy=False), x)

    return in_place(input, compute) if inplace else compute(input)


def _is_float(input: Any) -> bool:
    """Whether this is a Tensor of float32 or float64, as nearly always."""
    return isinstance(input, Variable) and input._array.dtype.char in "fd"


def _is_integer(input: Any, name: str) -> bool:
    return array_argument(input, name).dtype.kind in "iub"


def _promoting(operator: type[Activation], name: str, formula: str) -> Callable[[Any], Any]:
    """An activation for which integers become the default dtype first."""

    def activation(input: Any) -> Any:
        if array_argument(input, name).dtype.kind != "f":
            input = cast(input, default_float())
        return _apply(operator, name, input)

    activation.__name__ = activation.__qualname__ = name
    activation.__doc__ = f"{formula}, elementwise."
    return activation


def _with_inplace(operator: type[Activation], name: str, formula: str) -> Callable:
    """An activation without parameters that may replace the values of its input."""

    def activation(input: Any, inplace: bool = False) -> Any:
        return _apply(operator, name, input, inplace)

    activation.__name__ = activation.__qualname__ = name
    activation.__doc__ = f"""{formula}, elementwise.

    Args:
        input: any shape, float32 or float64.
        inplace: replace the values of `input`.

    Returns: a Tensor of the same shape and dtype.

    Raises:
        TypeError: for other dtypes.
    """
    return activation


sigmoid = _promoting(Sigmoid, "sigmoid", "1 / (1 + e⁻ˣ)")
tanh = _promoting(Tanh, "tanh", "tanh x")
softsign = _promoting(Softsign, "softsign", "x / (1 + |x|)")
tanhshrink = _promoting(Tanhshrink, "tanhshrink", "x − tanh x")
silu = _with_inplace(Silu, "silu", "x · sigmoid(x) (Elfwing, Uchibe & Doya, 2018)")
mish = _with_inplace(Mish, "mish", "x · tanh(ln(1 + eˣ)) (Misra, 2019)")
hardsigmoid = _with_inplace(Hardsigmoid, "hardsigmoid", "x / 6 + 1 / 2 held within [0, 1]")
hardswish = _with_inplace(Hardswish, "hardswish", "x · hardsigmoid(x) (Howard et al., 2019)")


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0), elementwise; its gradient at 0 is 0.

    Args:
        input: any shape, float32 or float64 (integers too, without gradient).
        inplace: replace the values of `input`.

    Returns: a Tensor of the same shape and dtype.

    Raises:
        TypeError: for other dtypes.
    """
    if not _is_float(input) and _is_integer(input, "relu"):
        return _integers(lambda x: np.maximum(x, 0), "relu", input, inplace)
    return _apply(Relu, "relu", input, inplace)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, `negative_slope` · x elsewhere.

    Args:
        input: any shape, float32 or float64.
        negative_slope: a number that the dtype can hold.
        inplace: replace the values of `input`; no gradient then where the slope is negative.

    Raises:
        TypeError: for other dtypes, or where the slope is no number.
        RuntimeError: where the dtype can't hold the slope.
    """
    return _apply(LeakyRelu, "leaky_relu", input, inplace, negative_slope=negative_slope)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > `threshold`, `value` elsewhere.

    Args:
        input: any shape, float32 or float64 (integers too, without gradient).
        inplace: replace the values of `input`.
    """
    if _is_integer(input, "threshold"):
        dtype = array_of(input).dtype
        limit, other = _whole(threshold, "threshold", dtype), _whole(value, "value", dtype)
        return _integers(lambda x: np.where(x <= limit, other, x), "threshold", input, inplace)
    return _apply(Threshold, "threshold", input, inplace, threshold=threshold, value=value)


def _whole(value: Any, argument: str, dtype: np.dtype) -> Any:
    """A number as an integer dtype holds it: without its fraction, and counted from the other end beyond its range.

    Raises:
        RuntimeError: where it is no number that 64 bits hold.
    """
    number = number_argument(value, "threshold", argument, dtype)
    if not abs(number) < 2**63:
        raise RuntimeError(f"{argument} {value} cannot be converted to {dtype} without overflow")
    return np.int64(number).astype(dtype)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x held within [`min_val`, `max_val`]; the gradient passes where x lies strictly between.

    Args:
        input: any shape, float32 or float64 (integers too, without gradient).
        inplace: replace the values of `input`.

    Raises:
        ValueError: where `min_val` exceeds `max_val`.
        RuntimeError: for negative limits beside unsigned integers.
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _held(input, min_val, max_val, inplace)


def _held(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    if _is_integer(input, "hardtanh"):
        if array_of(input).dtype.kind == "u" and (min_val < 0 or max_val < 0):
            raise RuntimeError(
                f"hardtanh of {array_of(input).dtype} needs limits of at least 0, got {min_val}, {max_val}"
            )
        return _integers(lambda x: np.clip(x, int(min_val), int(max_val)), "hardtanh", input, inplace)
    return _apply(Hardtanh, "hardtanh", input, inplace, min_val=min_val, max_val=max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6), as `hardtanh(input, 0, 6)`."""
    return hardtanh(input, 0, 6, inplace)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, `alpha` · (eˣ − 1) elsewhere (Clevert, Unterthiner & Hochreiter, 2016).

    Args:
        input: any shape, float32 or float64.
        inplace: replace the values of `input`; no gradient then where `alpha` is negative.
    """
    return _apply(Elu, "elu", input, inplace, alpha=alpha, scale=1.0, input_scale=1.0)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Any, inplace: bool = False) -> Any:
    """1.0507 · elu(x, 1.6733), which keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Args:
        input: any shape, float32 or float64.
        inplace: replace the values of `input`.
    """
    return _apply(Elu, "selu", input, inplace, alpha=SELU_ALPHA * SELU_SCALE, scale=SELU_SCALE, input_scale=1.0)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(x, 0) + min(0, `alpha` · (exp(x / `alpha`) − 1)) (Barron, 2017).

    Args:
        input: any shape, float32 or float64.
        alpha: a number other than 0.
        inplace: replace the values of `input`.

    Raises:
        RuntimeError: for an `alpha` of 0.
    """
    if not array_of(alpha):
        raise RuntimeError("celu needs an alpha other than 0")
    return _apply(Celu, "celu", input, inplace, alpha=alpha, scale=1.0, input_scale=1 / alpha)


def gelu(input: Any, *, approximate: str = "none") -> Any:
    """x · Φ(x), with Φ the distribution function of the standard normal distribution (Hendrycks & Gimpel, 2016).

    Args:
        input: any shape, float32 or float64.
        approximate: "none", or "tanh" for x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³))).

    Raises:
        RuntimeError: for another `approximate`.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return _apply(Gelu if approximate == "none" else GeluTanh, "gelu", input)


def logsigmoid(input: Any) -> Any:
    """ln(1 / (1 + e⁻ˣ)), elementwise, for float32 or float64; exact where the sigmoid rounds to 0."""
    return _apply(LogSigmoid, "logsigmoid", input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(`beta` · x)) / `beta`; x itself where `beta` · x exceeds `threshold`."""
    return _apply(Softplus, "softplus", input, beta=beta, threshold=threshold)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x − `lambd` above `lambd`, x + `lambd` below −`lambd`, 0 between.

    Raises:
        RuntimeError: for a negative `lambd`.
    """
    if not lambd >= 0:
        raise RuntimeError(f"lambd must be at least 0, got {lambd}")
    return _apply(Softshrink, "softshrink", input, lambd=lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| exceeds `lambd`, 0 elsewhere."""
    return _apply(Hardshrink, "hardshrink", input, lambd=lambd)


def _written(function: Callable) -> Callable:
    """`function` with `inplace=True`."""

    @wraps(function)
    def change(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, inplace=True, **kwargs)

    change.__name__ = change.__qualname__ = f"{function.__name__}_"
    change.__doc__ = f"`{function.__name__}` with `inplace=True`."
    return change


relu_, leaky_relu_ = _written(relu), _written(leaky_relu)
threshold_ = _written(threshold)


def hardtanh_(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """`hardtanh` with `inplace=True`; as in PyTorch everything becomes `max_val` where `min_val` exceeds it.

    Args, Raises: as for `hardtanh`, but for the limits' order.
    """
    return _held(input, min_val, max_val, inplace=True)


elu_, selu_, celu_ = _written(elu), _written(selu), _written(celu)


def sigmoid_(input: Any) -> Any:
    """Replace the values by 1 / (1 + e⁻ˣ)."""
    return in_place(input, sigmoid)


def tanh_(input: Any) -> Any:
    """Replace the values by tanh x."""
    return in_place(input, tanh)
