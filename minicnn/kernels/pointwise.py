"""Loops along memory over a function of one number: y = f(x), and ∂x = ∂y · f′ from what the forward kept, x or y.

The loops are bound by memory, or nearly; below `WAKE_POINTWISE` elements waking the other threads costs more than they
save.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.machine import WAKE_POINTWISE
from minicnn.kernels.memory import dense, empty_like, flat, like, read
from minicnn.kernels.tasks import share
from minicnn.kernels.vectors import fill_vectors

SPAN = 4096
"""Elements that a thread takes at a time. Where the result overwrites an argument, so many are copied first: two names
of one array would keep the loop from being vectorised."""


def _named(function: Callable, suffix: str) -> Callable:
    """Name a loop after the function it calls.

    Machine code of two loops of one name, compiled by two processes, may have one symbol, and a process that loads
    both would run the first for the second.
    """

    def decorate(loop: Callable) -> Callable:
        loop.__name__ = loop.__qualname__ = f"{function.py_func.__name__}_{suffix}"  # type: ignore[attr-defined]
        return loop

    return decorate


def _map_kernel(function: Callable) -> Callable:
    """y = function(x, a, b, c) for all elements."""

    @part(allocates=True)
    @_named(function, "span")
    def span(x, y, in_place, a, b, c):
        fill_vectors()
        if in_place:
            x = x.copy()
        for i in range(y.size):
            y[i] = function(x[i], a, b, c)

    @part
    @_named(function, "spans")
    def spans(first, last, x, y, size, in_place, a, b, c):
        fill_vectors()
        for k in range(first, last):
            span(x[k * size : (k + 1) * size], y[k * size : (k + 1) * size], in_place, a, b, c)

    @kernel
    @_named(function, "loop")
    def loop(x, y, in_place, a, b, c):
        size = SPAN if y.size >= WAKE_POINTWISE else max(y.size, 1)
        share(spans, -(-y.size // size), (x, y, size, in_place, a, b, c))

    return loop


def _gradient_kernel(function: Callable) -> Callable:
    """grad_input = function(g, s, a, b, c) for all elements."""

    @part(allocates=True)
    @_named(function, "span")
    def span(g, s, grad_input, in_place, a, b, c):
        fill_vectors()
        if in_place:
            g = g.copy()
        for i in range(grad_input.size):
            grad_input[i] = function(g[i], s[i], a, b, c)

    @part
    @_named(function, "spans")
    def spans(first, last, g, s, grad_input, size, in_place, a, b, c):
        fill_vectors()
        for k in range(first, last):
            begin, end = k * size, (k + 1) * size
            span(g[begin:end], s[begin:end], grad_input[begin:end], in_place, a, b, c)

    @kernel
    @_named(function, "loop")
    def loop(g, s, grad_input, in_place, a, b, c):
        size = SPAN if grad_input.size >= WAKE_POINTWISE else max(grad_input.size, 1)
        share(spans, -(-grad_input.size // size), (g, s, grad_input, size, in_place, a, b, c))

    return loop


class Pointwise:
    """The loops of one function and of its derivative.

    Args:
        function: f(x, a, b, c).
        derivative: d(g, s, a, b, c), with s = x or s = f(x): the operation decides which it keeps.
    """

    def __init__(self, function: Callable, derivative: Callable) -> None:
        self.function, self.derivative = function, derivative

    @functools.cached_property
    def _map(self) -> Callable:
        return _map_kernel(self.function)

    @functools.cached_property
    def _gradient(self) -> Callable:
        return _gradient_kernel(self.derivative)

    def forward(self, x: np.ndarray, parameters: tuple = (), out: np.ndarray | None = None) -> np.ndarray:
        """f(x) for an array of any shape and order, in a new array or in `out`, which may be x."""
        x = x if x.flags.c_contiguous else dense(x)
        y = out if out is not None and out.strides == x.strides else empty_like(x)
        self._map(flat(x), flat(y), y is x, *_three(parameters, x.dtype))
        return y

    def backward(
        self, grad_output: np.ndarray, kept: np.ndarray, parameters: tuple = (), overwrite: bool = False
    ) -> np.ndarray:
        """The gradient with respect to x; written over `grad_output` if it may `overwrite` that."""
        kept = dense(kept)
        g = like(grad_output, kept)
        grad_input = g if overwrite else empty_like(kept)
        self._gradient(read(flat(g)), read(flat(kept)), flat(grad_input), overwrite, *_three(parameters, kept.dtype))
        return grad_input


@functools.lru_cache(maxsize=1024)
def _three(parameters: tuple, dtype: np.dtype) -> list[Any]:
    return [dtype.type(value) for value in (*parameters, 0, 0, 0)[:3]]
