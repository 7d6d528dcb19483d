"""One pass over memory for every optimizer step: read gradients, parameters and moments, write them back.

A step covers all the parameters that it treats alike in one call, since calling a kernel costs more than changing a
small parameter. Parameter i and what belongs to it are flat arrays in one element order. Row i of a table says of how
many elements, and at which addresses they begin: p, its gradient and then what the rule below names. All are changed
in place save the gradient.

Hyperparameters arrive rounded to the parameters' dtype; the arithmetic follows PyTorch's operation by operation, and a
multiplication may contract with the addition behind it to one rounding, as there.

A step is bound by memory: splitting it over threads pays only once the arrays outgrow a core's caches. Below
`WAKE_OPTIMIZERS` elements everything runs in the calling thread.
"""

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.machine import WAKE_OPTIMIZERS
from minicnn.kernels.tasks import share

BLOCK = 8192

SGD, MOMENTUM, ADAM = 0, 1, 2
"""The rules, each described at its kernel."""


@part(fastmath={"contract"})
def _sgd(parameter, gradient, hyperparameters):
    """Gradient descent.

    g = sign · gradient + weight_decay · p
    p = p − rate · g

    Hyperparameters: weight_decay, the factor of the L2 penalty; sign, −1 to ascend, 1 to descend; −rate, the learning
    rate's negative.
    """
    weight_decay, sign, minus_rate = hyperparameters[0], hyperparameters[1], hyperparameters[2]
    for i in range(parameter.size):
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * parameter[i]
        parameter[i] = parameter[i] + minus_rate * g


@part(fastmath={"contract"})
def _momentum(parameter, gradient, buffer, hyperparameters):
    """Gradient descent with momentum.

    g = sign · gradient + weight_decay · p
    b = keep · b + take · g
    p = p − rate · (g + ahead · b if nesterov else b)

    Hyperparameters: weight_decay, sign and −rate as for `SGD`; keep, the momentum, and take, 1 − dampening, which are
    0 and 1 in the first step; ahead, the momentum again, for Nesterov's look ahead; nesterov, whether to look ahead.
    """
    weight_decay, sign, minus_rate = hyperparameters[0], hyperparameters[1], hyperparameters[2]
    keep, take, ahead, nesterov = hyperparameters[3], hyperparameters[4], hyperparameters[5], hyperparameters[6] != 0
    for i in range(parameter.size):
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * parameter[i]
        b = keep * buffer[i] + take * g
        buffer[i] = b
        if nesterov:
            b = g + ahead * b
        parameter[i] = parameter[i] + minus_rate * b


@part(fastmath={"contract"})
def _adam(parameter, gradient, mean, square, largest, hyperparameters):
    """Adam, AdamW and AMSGrad.

    p = shrink · p;  g = sign · gradient + weight_decay · p
    m = beta1 · m + (1 − beta1) · g;  v = beta2 · v + (1 − beta2) · g²;  v̂ = max(v̂, v) if amsgrad else v
    p = p − step_size · m / (√v̂ / root_correction + eps)

    Hyperparameters: weight_decay and sign as for `SGD`; −step_size, that of learning rate / (1 − beta1ᵗ) in step t;
    1 − beta1; near, whether that is less than 1/2; beta2; 1 − beta2; root_correction, √(1 − beta2ᵗ); eps, which keeps
    the division finite; shrink, 1 − rate · decay where the decay is decoupled, else 1; amsgrad, whether v̂ never
    shrinks, else it isn't looked at.
    """
    weight_decay, sign, minus_step_size = hyperparameters[0], hyperparameters[1], hyperparameters[2]
    take1, near, keep2, take2 = hyperparameters[3], hyperparameters[4] != 0, hyperparameters[5], hyperparameters[6]
    root_correction, eps, shrink = hyperparameters[7], hyperparameters[8], hyperparameters[9]
    amsgrad = hyperparameters[10] != 0
    keep1 = parameter.dtype.type(1) - take1
    for i in range(parameter.size):
        p = parameter[i]
        if shrink != 1:
            p = p * shrink
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * p
        m = mean[i]
        if near:  # the end of the line that is nearer, as torch.lerp
            m = m + take1 * (g - m)
        else:
            m = g - keep1 * (g - m)
        v = square[i] * keep2 + take2 * g * g
        mean[i] = m
        square[i] = v
        if amsgrad:
            if not largest[i] >= v:  # also where v is NaN
                largest[i] = v
            v = largest[i]
        denominator = np.sqrt(v) / root_correction + eps
        parameter[i] = p + minus_step_size * m / denominator


@intrinsic
def _pointer(typing_context, address, model):
    """`address` as a pointer to numbers of the dtype of the array `model`."""
    pointer = types.CPointer(model.dtype)

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(pointer))

    return pointer(address, model), codegen


@part(allocates=True)
def _step_between(rule, table, hyperparameters, first, last):
    """Change elements first … last − 1 of all parameters, counted as if they lay end to end."""
    start = 0
    for i in range(table.shape[0]):
        row, size = table[i], table[i, 0]
        here = slice(max(0, first - start), max(0, last - start))
        p = carray(_pointer(row[1], hyperparameters), size)[here]
        g = carray(_pointer(row[2], hyperparameters), size)[here]
        if rule == SGD:
            _sgd(p, g, hyperparameters)
        elif rule == MOMENTUM:
            b = carray(_pointer(row[3], hyperparameters), size)[here]
            _momentum(p, g, b, hyperparameters)
        else:
            m = carray(_pointer(row[3], hyperparameters), size)[here]
            v = carray(_pointer(row[4], hyperparameters), size)[here]
            most = carray(_pointer(row[-1], hyperparameters), size)[here]
            _adam(p, g, m, v, most, hyperparameters)
        start += size


@part
def _step_blocks(first, last, rule, table, hyperparameters, block, total):
    _step_between(rule, table, hyperparameters, first * block, min(total, last * block))


@kernel
def step(rule: int, table: np.ndarray, hyperparameters: np.ndarray) -> None:
    """Change parameters, none of which share memory.

    Args:
        rule: `SGD`, `MOMENTUM` or `ADAM`.
        table: int64 (P, 1 + A): the size of each parameter and the addresses of its A arrays: p and its gradient; for
            `MOMENTUM` b; for `ADAM` m, v and, if amsgrad, v̂.
        hyperparameters: those of the rule, in the dtype of all the arrays.
    """
    total = table[:, 0].sum()
    block = BLOCK if total >= WAKE_OPTIMIZERS else max(total, 1)
    share(_step_blocks, -(-total // block), (rule, table, hyperparameters, block, total))  # type: ignore[call-arg]


@kernel
def address(x: np.ndarray) -> int:
    """Where the memory of `x` begins; five times as fast as asking NumPy."""
    return x.ctypes.data
