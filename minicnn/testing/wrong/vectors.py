"""Wrong linear layers and rectifiers, and wrong gradients of them."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.vectors import linear, linear_gradients, relu, rows_of


@mistake("linear", "a linear layer that reads its weight as (inputs, outputs) instead of (outputs, inputs)")
def weight_not_transposed(x, weight, bias=None):
    return linear(x, weight.reshape(weight.shape[::-1]).T, bias)


@mistake("linear", "a linear layer that adds the bias to the first row alone")
def bias_on_first_row(x, weight, bias=None):
    y = linear(x, weight)
    if bias is not None:
        y.reshape(-1, y.shape[-1])[:1] += bias
    return y


@mistake("linear", "a linear layer that flattens all dimensions but the last and does not restore them")
def dimensions_flattened(x, weight, bias=None):
    return linear(rows_of(x).astype(x.dtype), weight, bias)


@mistake("linear", "a linear layer that works in blocks of 8 inputs and drops those left over")
def tail_of_inputs_dropped(x, weight, bias=None):
    I = x.shape[-1]
    whole = I - I % 8 if I > 8 else I
    return linear(x[..., :whole], weight[:, :whole], bias)


@mistake("linear", "a linear layer whose weight gradient is divided by the number of rows", backward=True)
def weight_gradient_averaged(grad_output, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_gradients(grad_output, x, weight, bias)
    return grad_x, (grad_weight / max(len(rows_of(x)), 1)).astype(x.dtype), grad_bias


@mistake("linear", "a linear layer whose weight gradient is xᵀ · g, of the transposed shape", backward=True)
def weight_gradient_transposed(grad_output, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_gradients(grad_output, x, weight, bias)
    return grad_x, grad_weight.T.copy(), grad_bias


@mistake("linear", "a linear layer whose bias gradient is summed over the first dimension alone", backward=True)
def bias_gradient_of_first_dimension(grad_output, x, weight, bias=None):
    grad_x, grad_weight, _ = linear_gradients(grad_output, x, weight, bias)
    summed = grad_output.sum(0) if grad_output.ndim > 1 else grad_output.copy()
    return grad_x, grad_weight, None if bias is None else summed


@mistake("relu", "a rectifier that turns NaN into 0")
def nan_becomes_zero(x):
    return np.where(x > 0, x, x.dtype.type(0))


@mistake("relu", "a right rectifier that works in place, on the caller's array")
def in_place(x):
    x[x <= 0] = 0
    return x.copy()


@mistake("relu", "a right rectifier that returns its input's own memory where nothing is negative")
def returns_its_input(x):
    return x[:] if (x >= 0).all() else relu(x)


@mistake("relu", "a rectifier that is cut off at 6")
def cut_off_at_six(x):
    return np.where(x > 6, x.dtype.type(6), relu(x))


@mistake("relu", "a rectifier's gradient that is 1 at 0", backward=True)
def one_at_zero(grad_output, x):
    return np.where(x >= 0, grad_output, grad_output.dtype.type(0))


@mistake(
    "relu",
    "a rectifier's gradient that is cut off where the output's gradient is negative, not where x is",
    backward=True,
)
def sign_of_the_gradient(grad_output, x):
    return relu(grad_output)


@mistake("relu", "a rectifier's derivative, 1 or 0, without the output's gradient", backward=True)
def derivative_alone(grad_output, x):
    return (x > 0).astype(x.dtype)
