"""What a network is made of, layer by layer, and what it costs; `minicnn summary` prints it.

The totals are those of torchinfo, which the tests compare, with its conventions: a multiply-add for each use of a
weight or a bias; batch normalization counts its parameters once per image, whatever the size of its map.
"""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import minicnn
from minicnn import nn
from minicnn.autograd.observed import every_operation
from minicnn.kernels.geometry import Geometry
from minicnn.nn.functional.pooling import AdaptiveMaxPool2d, AveragePool2d, MaxPool2d
from minicnn.nn.modes import evaluating
from minicnn.summary.receptive_field import Fields

__all__ = ["Layer", "Summary", "summary"]

IN_FORWARD = "(in forward)"
"""The name of a pooling that is no module's, but called in a network's `forward`."""


@dataclass(frozen=True)
class Layer:
    """A call of a layer: of a module without children, or of a pooling function between them.

    Attributes:
        name: the module's dotted name, or IN_FORWARD.
        kind: its class.
        input_shape, output_shape: of what it takes, and of its result.
        kernel: (KH, KW) of its window, if it has one.
        geometry: where its windows lie, if it is a convolution or a max pool.
        parameters: how many numbers it learns; 0 from the second call on.
        mult_adds: multiplications with an addition, for the whole batch.
        output_bytes: what its result takes in memory.
        receptive_field: (rows, columns) of the image that one number of the result sees; None without an image.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, int] | None
    geometry: Geometry | None
    parameters: int
    mult_adds: int
    output_bytes: int
    receptive_field: tuple[int, int] | None


@dataclass(frozen=True)
class Summary:
    """A network's layers in the order of their calls, and totals.

    Attributes:
        layers: the calls.
        input_size: shape of the input.
        parameters, trainable_parameters: how many numbers it has, and learns.
        parameter_bytes: what they take in memory.
        mult_adds: of all layers, for the whole batch.
        training_bytes: the results of the layers with parameters and the gradients with respect to them, the least that
            a training step must keep.
    """

    layers: tuple[Layer, ...]
    input_size: tuple[int, ...]
    parameters: int
    trainable_parameters: int
    parameter_bytes: int
    mult_adds: int
    training_bytes: int


def summary(model: nn.Module, input_size: Sequence[int]) -> Summary:
    """Run a network once, in evaluation and on zeros, and count.

    Args:
        model: the network; left as it was.
        input_size: shape of its input, (N, C, H, W) for images.

    Raises:
        ValueError, RuntimeError: what the network raises where the input doesn't fit.
    """
    parameters = list(model.parameters())
    dtype = parameters[0].dtype if parameters else minicnn.float32
    x = minicnn.zeros(*input_size, dtype=dtype)
    fields, rows = Fields(), _Rows()
    if x.ndim == 4:
        fields.start(x)

    def observe(operator: type, arguments: tuple, outputs: Any) -> None:
        fields.follow(operator, arguments, outputs)
        rows.geometry = next((argument for argument in arguments if isinstance(argument, Geometry)), None)
        if operator in (MaxPool2d, AveragePool2d, AdaptiveMaxPool2d) and not rows.inside:
            rows.add_function(operator, arguments, outputs, fields)

    with ExitStack() as undo:
        undo.enter_context(evaluating(model))
        for name, module in model.named_modules():
            if not any(True for _ in module.children()):
                undo.enter_context(module.register_forward_pre_hook(rows.enter))
                undo.enter_context(module.register_forward_hook(partial(rows.add_module, name, fields)))
        undo.enter_context(every_operation(observe))
        with minicnn.no_grad():
            model(x)
    return Summary(
        layers=tuple(rows.layers),
        input_size=tuple(input_size),
        parameters=sum(p.numel() for p in parameters),
        trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad),
        parameter_bytes=sum(p.numel() * p.dtype.itemsize for p in parameters),
        mult_adds=sum(layer.mult_adds for layer in rows.layers),
        training_bytes=2 * rows.bytes_with_parameters,
    )


class _Rows:
    """Writes down every call."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.inside = False
        self.geometry: Geometry | None = None
        self.bytes_with_parameters = 0
        self._seen: set[int] = set()

    def enter(self, module: nn.Module, arguments: tuple) -> None:
        """A layer's forward begins."""
        self.inside = True
        self.geometry = None

    def add_module(self, name: str, fields: Fields, module: nn.Module, arguments: tuple, output: Any) -> None:
        """A layer's forward has ended."""
        self.inside = False
        if not isinstance(output, minicnn.Tensor):
            raise TypeError(f"{name} returns {type(output).__name__}; a summary needs layers that return one Tensor")
        own = list(module.parameters())
        count = sum(parameter.numel() for parameter in own)
        size = output.numel() * output.dtype.itemsize
        self.bytes_with_parameters += size if own else 0
        self.layers.append(
            Layer(
                name=name,
                kind=type(module).__name__,
                input_shape=tuple(arguments[0].shape),
                output_shape=tuple(output.shape),
                kernel=_kernel(module),
                geometry=self.geometry,
                parameters=0 if id(module) in self._seen else count,
                mult_adds=count * _uses(module, tuple(output.shape)),
                output_bytes=size,
                receptive_field=fields.of(output),
            )
        )
        self._seen.add(id(module))

    def add_function(self, operator: type, arguments: tuple, outputs: Any, fields: Fields) -> None:
        """A pooling function was called between layers."""
        output = outputs[0] if isinstance(outputs, tuple) else outputs
        self.layers.append(
            Layer(
                name=IN_FORWARD,
                kind=operator.__name__,
                input_shape=tuple(arguments[0].shape),
                output_shape=tuple(output.shape),
                kernel=getattr(self.geometry, "kernel", None),
                geometry=self.geometry,
                parameters=0,
                mult_adds=0,
                output_bytes=output.numel() * output.dtype.itemsize,
                receptive_field=fields.of(output),
            )
        )


def _uses(module: nn.Module, shape: tuple[int, ...]) -> int:
    """How often each parameter is multiplied or added: at every cell of a convolution's output, else once per image."""
    convolution = isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
    return shape[0] * (math.prod(shape[2:]) if convolution else 1)


def _kernel(module: nn.Module) -> tuple[int, int] | None:
    size = getattr(module, "kernel_size", None)
    if size is None:
        return None
    return (size, size) if isinstance(size, int) else (size[0], size[-1])
