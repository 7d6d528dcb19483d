"""A network whose convolutions are somebody's own functions: `minicnn train --conv mine.py:conv2d`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import Tensor, enable_grad, from_numpy, nn
from minicnn.autograd import Function
from minicnn.kernels.geometry import convolution_geometry
from minicnn.learn.trial import own_line
from minicnn.nn import functional as F
from minicnn.testing.operations import OPERATIONS
from minicnn.testing.process import CannotTryError
from minicnn.testing.target import bound, located
from minicnn.testing.worker import NotAFunctionError, load, parameters

ARRAYS = ("input", "weight", "bias")
OPTIONS: Mapping[str, Any] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
"""A convolution's options, and what a function without that parameter computes."""


class Theirs:
    """A function on NumPy arrays, and how it is called.

    Args:
        target: "file.py:function" or "package.module:function".
        first: the parameters before those of conv2d.

    Raises:
        ValueError: it isn't there, can't be imported, or takes something else than a convolution's arguments.
    """

    def __init__(self, target: str, first: tuple[str, ...] = ()) -> None:
        self.target, self.file = target, target.rpartition(":")[0]
        try:
            self.function = load(located(target))
            self.binding = bound(OPERATIONS["conv2d"], parameters(self.function), {}, first)
        except (CannotTryError, NotAFunctionError) as error:
            raise ValueError(str(error)) from None
        except Exception as error:  # whatever the file raises while it is executed
            raise ValueError(self._told(error)) from error

    def __call__(self, arrays: Mapping[str, np.ndarray | None], options: Mapping[str, Any]) -> Any:
        """What the function returns.

        Raises:
            ValueError: an option is asked for that it has no parameter for.
            RuntimeError: whatever it raises.
        """
        for name, default in OPTIONS.items():
            if name not in self.binding.takes and options[name] != default:
                raise ValueError(f"a layer has {name}={options[name]}, and {self.target} has no parameter {name}")
        if arrays["bias"] is not None and "bias" not in self.binding.takes:
            raise ValueError(f"a layer has a bias, and {self.target} has no parameter bias")
        given = {name: None if one is None else one.copy() for name, one in arrays.items()} | dict(options)
        try:
            return self.function(
                *[given[name] for name in self.binding.positional],
                **{own: given[name] for own, name in self.binding.named.items()},
            )
        except Exception as error:  # whatever somebody's code raises
            raise RuntimeError(self._told(error)) from error

    def array(self, result: Any, shape: tuple[int, ...], dtype: np.dtype, what: str) -> np.ndarray:
        """A result as an array of the shape that it must have.

        Raises:
            ValueError: for anything else.
        """
        if not isinstance(result, np.ndarray):
            raise ValueError(f"{self.target} returned {type(result).__name__} for {what}; an array is needed")
        if result.shape != shape:
            raise ValueError(f"{self.target} returned shape {result.shape} for {what}, expected {shape}")
        return np.ascontiguousarray(result, dtype)

    def _told(self, error: Exception) -> str:
        where = own_line(error, str(Path(self.file).resolve()))
        return f"{self.target}{f', {where},' if where else ''} raised {type(error).__name__}: {error}"


class Own(Function):
    """conv2d by somebody's functions; where one of the two is missing, by minicnn."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Any, options: dict, forward: Any, backward: Any) -> Tensor:
        """y, (N, O, OH, OW)."""
        ctx.save_for_backward(x, weight, bias)
        ctx.options, ctx.theirs = options, backward
        if forward is None:
            return F.conv2d(x, weight, bias, **options)
        result = forward(_arrays(x, weight, bias), options)
        window = (options[name] for name in ("stride", "padding", "dilation"))
        geometry = convolution_geometry(x.shape[2:], weight.shape[2:], *window)
        shape = (x.shape[0], weight.shape[0], *geometry.output_size)
        return from_numpy(forward.array(result, shape, x.numpy().dtype, "y"))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple:  # type: ignore[override]
        """The gradients with respect to x, weight and bias."""
        tensors = ctx.saved_tensors
        if ctx.theirs is None:
            return (*_by_minicnn(tensors, ctx.options, grad_output), None, None, None)
        arrays = {"grad_output": np.ascontiguousarray(grad_output.numpy())} | _arrays(*tensors)
        found = ctx.theirs(arrays, ctx.options)
        named = _named(ctx.theirs, found, [name for name in ARRAYS if arrays[name] is not None])
        gradients: list[Tensor | None] = []
        for name, tensor in zip(ARRAYS, tensors, strict=True):
            if tensor is None:
                gradients.append(None)
                continue
            shape, dtype = tuple(tensor.shape), tensor.numpy().dtype
            what = f"the gradient with respect to {name}"
            gradients.append(from_numpy(ctx.theirs.array(named[name], shape, dtype, what)))
        return (*gradients, None, None, None)


def _arrays(x: Tensor, weight: Tensor, bias: Any) -> dict[str, np.ndarray | None]:
    tensors = zip(ARRAYS, (x, weight, bias), strict=True)
    return {name: None if one is None else np.ascontiguousarray(one.detach().numpy()) for name, one in tensors}


def _by_minicnn(tensors: tuple, options: dict, grad_output: Tensor) -> list:
    with enable_grad():
        leaves = [None if one is None else one.detach().requires_grad_() for one in tensors]
        x, weight, bias = leaves
        F.conv2d(x, weight, bias, **options).backward(grad_output)
    return [None if leaf is None else leaf.grad for leaf in leaves]


def _named(theirs: Theirs, found: Any, names: list[str]) -> dict[str, Any]:
    """Gradients by the names of the inputs, out of a tuple in their order or a dictionary."""
    if isinstance(found, dict):
        keys = {str(key).removeprefix("grad_"): value for key, value in found.items()}
        keys |= {"input": keys["x"]} if "x" in keys and "input" not in keys else {}
        missing = [name for name in names if name not in keys]
        if missing:
            raise ValueError(f"{theirs.target} returned {', '.join(map(str, found))}, and nothing for {missing[0]}")
        return keys
    if not isinstance(found, (tuple, list)) or len(found) < len(names):
        count = len(found) if isinstance(found, (tuple, list)) else 1
        raise ValueError(f"{theirs.target} must return the gradients with respect to {', '.join(names)}, got {count}")
    return dict(zip(names, found, strict=False))


def install(model: nn.Module, forward: str | None, backward: str | None) -> int:
    """Let the convolutions of a network be computed by somebody's functions.

    Args:
        model: its layers of class `Conv2d` are changed.
        forward: "file.py:function" or "package.module:function", which takes arrays and options as F.conv2d does, as
            far as the network needs them; None for minicnn's.
        backward: likewise, with the gradient with respect to y first; it returns the gradients in the order of the
            arrays, or by their names.

    Returns: how many layers were changed.

    Raises:
        ValueError: where a function can't be had, or doesn't suit.
    """
    functions = (
        None if forward is None else Theirs(forward),
        None if backward is None else Theirs(backward, ("grad_output",)),
    )
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    for layer in layers:
        if layer.padding_mode != "zeros":
            raise ValueError(f"a layer pads by {layer.padding_mode}; functions of one's own pad by zeros")
        layer.forward = partial(_convolved, layer, *functions)  # type: ignore[method-assign]
    return len(layers)


def _convolved(layer: nn.Conv2d, forward: Theirs | None, backward: Theirs | None, x: Tensor) -> Tensor:
    options = {name: _simple(getattr(layer, name)) for name in OPTIONS}
    return Own.apply(x, layer.weight, layer.bias, options, forward, backward)


def _simple(value: Any) -> Any:
    """One number for a pair of equal ones."""
    return value[0] if isinstance(value, tuple) and value[0] == value[1] else value
