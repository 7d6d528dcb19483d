"""What is done to a whole tree of modules: switching its mode, converting its parameters and buffers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from minicnn.attributes import device as cpu_device
from minicnn.autograd import no_grad
from minicnn.creation import empty_like
from minicnn.dtypes import as_dtype, float16, float32, float64
from minicnn.nn.tree import Tree
from minicnn.nn.uninitialized import is_lazy
from minicnn.tensor import Tensor

if TYPE_CHECKING:
    from minicnn.nn.module import Module

_DEVICE_TYPES = {"cpu", "cuda", "mps", "xpu", "xla", "meta"}
Self = TypeVar("Self", bound="Conversion")


class Conversion(Tree):
    """What a `Module` does to itself and all below it."""

    training: bool

    def apply(self: Self, fn: "Callable[[Module], None]") -> Self:
        """Call `fn(module)` on every module of the tree, children first, and return this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Put the tree into training mode, or out of it, and return this module.

        Raises:
            ValueError: where `mode` is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Let all parameters require a gradient, or none, and return this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros where `set_to_none` is False."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def _apply(self: Self, convert: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of parameters, gradients and buffers by what `convert` makes of them."""
        modules: Any = self.modules() if recurse else (self,)
        for module in modules:
            with no_grad():
                for parameter in module._parameters.values():
                    if parameter is None:
                        continue
                    parameter.data = convert(parameter.data)
                    if parameter.grad is not None:
                        parameter.grad = convert(parameter.grad)
                for name, buffer in module._buffers.items():
                    if is_lazy(buffer):
                        buffer.data = convert(buffer.data)
                    elif buffer is not None:
                        module._buffers[name] = convert(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Convert parameters and buffers of floating-point dtype, in place, and return this module.

        Args:
            args: a device, a dtype, both in this order, or a Tensor whose dtype to take.
            device: "cpu"; there is no other.
            dtype: a floating-point dtype.
            non_blocking: there is nothing to wait for on a CPU, so both values mean the same.
            memory_format: in which order parameters of four dimensions lie; kernels take any.

        Raises:
            RuntimeError: for another device.
            TypeError: for a dtype that isn't of floating point, or an unknown argument.
        """
        device, dtype, format = _target(*args, **kwargs)
        if device is not None:
            cpu_device(device)
        if dtype is not None:
            dtype = as_dtype(dtype)
            if dtype.kind != "f":
                raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")

        def convert(tensor: Tensor) -> Tensor:
            if dtype is not None and tensor.is_floating_point():
                tensor = tensor.to(dtype)
            return tensor.contiguous(memory_format=format) if format is not None and tensor.ndim == 4 else tensor

        return self if dtype is None and format is None else self._apply(convert)

    def type(self: Self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a dtype, in place, and return this module.

        Raises:
            RuntimeError: for a dtype that parameters can't have.
        """
        dtype = as_dtype(dst_type)
        return self._apply(lambda tensor: tensor.to(dtype))

    def float(self: Self) -> Self:
        """Convert parameters and buffers of floating-point dtype to float32."""
        return self.to(dtype=float32)

    def double(self: Self) -> Self:
        """Convert parameters and buffers of floating-point dtype to float64."""
        return self.to(dtype=float64)

    def half(self: Self) -> Self:
        """Convert parameters and buffers of floating-point dtype to float16, which can be kept but not computed in."""
        return self.to(dtype=float16)

    def bfloat16(self) -> Any:
        """Not to be had.

        Raises:
            RuntimeError: always: NumPy has no such dtype.
        """
        raise RuntimeError("minicnn has no bfloat16; float32 and float64 compute, float16 is kept")

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Replace parameters and buffers by uninitialised ones of the same shapes and dtypes.

        Args:
            device: None or "cpu".
            recurse: also those of the children.

        Raises:
            RuntimeError: for another device.
        """
        if device is not None:
            cpu_device(device)
        return self._apply(empty_like, recurse)

    def cpu(self: Self) -> Self:
        """This module: everything is on the CPU already."""
        return self

    def share_memory(self: Self) -> Self:
        """Not to be had.

        Raises:
            RuntimeError: always; memory isn't shared between processes.
        """
        raise RuntimeError("minicnn's tensors can't be shared between processes; pass state_dict() to the other one")

    def cuda(self, device: Any = None) -> Any:
        """Not to be had.

        Raises:
            RuntimeError: always; the same models for CUDA are in `reference`.
        """
        return self.to(device="cuda" if device is None else f"cuda:{device}")

    def xpu(self, device: Any = None) -> Any:
        """Not to be had.

        Raises:
            RuntimeError: always.
        """
        return self.to(device="xpu")

    def ipu(self, device: Any = None) -> Any:
        """Not to be had.

        Raises:
            RuntimeError: always.
        """
        return self.to(device="ipu")

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to do: kernels are compiled when they are first called. Arguments as in PyTorch."""


def _target(
    *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> tuple[Any, Any, Any]:
    """Device, dtype and memory format that the arguments of `Module.to` ask for."""
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif argument is None or isinstance(argument, bool):  # no device given; non_blocking
            continue
        elif isinstance(argument, (cpu_device, int)) or str(argument).split(":")[0] in _DEVICE_TYPES:
            device = argument
        else:
            dtype = argument
    return device, dtype, memory_format
