"""One pass over memory for every optimizer step: read gradient, parameter and moments, write them back.

All arrays are one-dimensional, of one size and in one element order, changed in place save the gradient.
Hyperparameters arrive as float64 and are rounded to the parameter's dtype once; the arithmetic follows
PyTorch's operation by operation, and a multiplication may contract with the addition behind it to one
rounding, as there.

A step is bound by memory: splitting it over threads pays only once the arrays outgrow a core's caches. Below
`PARALLEL_SIZE` elements the whole range runs in the calling thread.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel

PARALLEL_SIZE = 32768
BLOCK = 8192


@kernel(fastmath={"contract"})
def _sgd_slice(parameter, gradient, rate, weight_decay, sign):
    dtype = parameter.dtype.type
    rate, weight_decay, sign = dtype(-rate), dtype(weight_decay), dtype(sign)
    for i in range(parameter.size):
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * parameter[i]
        parameter[i] = parameter[i] + rate * g


@kernel(parallel=True)
def sgd(
    parameter: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    weight_decay: float,
    sign: float,
) -> None:
    """Gradient descent.

    g = sign · gradient + weight_decay · p
    p = p − rate · g

    Args:
        parameter: p, changed.
        gradient: of its size.
        rate: the learning rate.
        weight_decay: the factor of the L2 penalty.
        sign: −1 to ascend, 1 to descend.
    """
    size = parameter.size
    if size < PARALLEL_SIZE:
        _sgd_slice(parameter, gradient, rate, weight_decay, sign)
    else:
        for block in prange((size + BLOCK - 1) // BLOCK):
            part = slice(block * BLOCK, min(size, (block + 1) * BLOCK))
            _sgd_slice(parameter[part], gradient[part], rate, weight_decay, sign)


@kernel(fastmath={"contract"})
def _momentum_slice(parameter, gradient, buffer, rate, weight_decay, sign, keep, take, ahead, nesterov):
    dtype = parameter.dtype.type
    rate, weight_decay, sign = dtype(-rate), dtype(weight_decay), dtype(sign)
    keep, take, ahead = dtype(keep), dtype(take), dtype(ahead)
    for i in range(parameter.size):
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * parameter[i]
        b = keep * buffer[i] + take * g
        buffer[i] = b
        if nesterov:
            b = g + ahead * b
        parameter[i] = parameter[i] + rate * b


@kernel(parallel=True)
def sgd_momentum(
    parameter: np.ndarray,
    gradient: np.ndarray,
    buffer: np.ndarray,
    rate: float,
    weight_decay: float,
    sign: float,
    keep: float,
    take: float,
    ahead: float,
    nesterov: bool,
) -> None:
    """Gradient descent with momentum.

    g = sign · gradient + weight_decay · p
    b = keep · b + take · g
    p = p − rate · (g + ahead · b if nesterov else b)

    Args:
        parameter: p, changed.
        gradient: of its size.
        buffer: b, changed.
        rate: the learning rate.
        weight_decay: the factor of the L2 penalty.
        sign: −1 to ascend, 1 to descend.
        keep: the momentum; 0 in the first step.
        take: 1 − dampening; 1 in the first step.
        ahead: the momentum again, for Nesterov's look ahead.
        nesterov: whether to look ahead.
    """
    size = parameter.size
    if size < PARALLEL_SIZE:
        _momentum_slice(parameter, gradient, buffer, rate, weight_decay, sign, keep, take, ahead, nesterov)
    else:
        for block in prange((size + BLOCK - 1) // BLOCK):
            part = slice(block * BLOCK, min(size, (block + 1) * BLOCK))
            _momentum_slice(
                parameter[part],
                gradient[part],
                buffer[part],
                rate,
                weight_decay,
                sign,
                keep,
                take,
                ahead,
                nesterov,
            )


@kernel(fastmath={"contract"})
def _adam_slice(
    parameter,
    gradient,
    mean,
    square,
    largest,
    step_size,
    beta1,
    beta2,
    root_correction,
    eps,
    weight_decay,
    shrink,
    sign,
    amsgrad,
):
    dtype = parameter.dtype.type
    take1, small = dtype(1 - beta1), 1 - beta1 < 0.5
    keep1 = dtype(1) - take1
    take2, keep2 = dtype(1 - beta2), dtype(beta2)
    step_size, root_correction, eps = dtype(-step_size), dtype(root_correction), dtype(eps)
    weight_decay, shrink, sign = dtype(weight_decay), dtype(shrink), dtype(sign)
    for i in range(parameter.size):
        p = parameter[i]
        if shrink != 1:
            p = p * shrink
        g = sign * gradient[i]
        if weight_decay != 0:
            g = g + weight_decay * p
        m = mean[i]
        if small:  # the end of the line that is nearer, as torch.lerp
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
        parameter[i] = p + step_size * m / denominator


@kernel(parallel=True)
def adam(
    parameter: np.ndarray,
    gradient: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    largest: np.ndarray,
    step_size: float,
    beta1: float,
    beta2: float,
    root_correction: float,
    eps: float,
    weight_decay: float,
    shrink: float,
    sign: float,
    amsgrad: bool,
) -> None:
    """Adam, AdamW and AMSGrad.

    p = shrink · p;  g = sign · gradient + weight_decay · p
    m = beta1 · m + (1 − beta1) · g;  v = beta2 · v + (1 − beta2) · g²;  v̂ = max(v̂, v) if amsgrad else v
    p = p − step_size · m / (√v̂ / root_correction + eps)

    Args:
        parameter: p, changed.
        gradient: of its size.
        mean: m, changed.
        square: v, changed.
        largest: v̂, changed; not looked at unless `amsgrad`.
        step_size: learning rate / (1 − beta1ᵗ) in step t.
        beta1, beta2: what m and v keep in a step.
        root_correction: √(1 − beta2ᵗ).
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        shrink: 1 − rate · decay where the decay is decoupled, else 1.
        sign: −1 to ascend, 1 to descend.
        amsgrad: whether v̂ never shrinks.
    """
    size = parameter.size
    if size < PARALLEL_SIZE:
        _adam_slice(
            parameter,
            gradient,
            mean,
            square,
            largest,
            step_size,
            beta1,
            beta2,
            root_correction,
            eps,
            weight_decay,
            shrink,
            sign,
            amsgrad,
        )
    else:
        for block in prange((size + BLOCK - 1) // BLOCK):
            part = slice(block * BLOCK, min(size, (block + 1) * BLOCK))
            _adam_slice(
                parameter[part],
                gradient[part],
                mean[part],
                square[part],
                largest[part],
                step_size,
                beta1,
                beta2,
                root_correction,
                eps,
                weight_decay,
                shrink,
                sign,
                amsgrad,
            )
