"""Layers that learn the size of their input from the first one they see, and are the plain layers from then on."""

import inspect
import itertools
from typing import Any

from minicnn.nn.layers.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minicnn.nn.layers.linear import Linear
from minicnn.nn.layers.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from minicnn.nn.layers.parts import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from minicnn.nn.uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy
from minicnn.tensor import Tensor


class LazyModuleMixin:
    """A module whose parameters are made when it is first called.

    A subclass defines `initialize_parameters`, which gives every uninitialized parameter its shape and values; it is
    called with the arguments of the first forward.

    Attributes:
        cls_to_become: the class that the module has from then on, or None to keep its own.
    """

    cls_to_become: type[Any] | None = None
    _parameters: dict
    _buffers: dict

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and values, given forward's arguments.

        Raises:
            NotImplementedError: where a subclass doesn't define it.
        """
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer isn't initialized yet."""
        return any(map(is_lazy, itertools.chain(self._parameters.values(), self._buffers.values())))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if type(self).cls_to_become is not None or self.has_uninitialized_params():
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise RuntimeError(f"module {type(self).__name__} has not been fully initialized")
            if self.cls_to_become is not None:
                self.__class__ = self.cls_to_become
                return self(*args, **kwargs)
        return super().__call__(*args, **kwargs)  # type: ignore[misc]


class _Lazy(LazyModuleMixin):
    """A layer whose first argument is the number of features or channels of its input.

    Attributes:
        _size_name: what the layer calls this number.
    """

    _size_name: str
    _state_shapes: Any

    def __init_subclass__(cls) -> None:
        if cls.cls_to_become is None or cls.__init__ is not _Lazy.__init__:
            return
        plain = inspect.signature(cls.cls_to_become)
        cls.__signature__ = plain.replace(parameters=list(plain.parameters.values())[1:])  # type: ignore[attr-defined]
        name = cls.cls_to_become.__name__
        cls.__doc__ = f"`{name}` whose `{cls._size_name}` is that of its first input; a `{name}` from then on.\n\n"
        cls.__doc__ += f"Arguments as for `{name}`, without the first."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(0, *args, **kwargs)  # type: ignore[call-arg]
        for members, kind in ((self._parameters, UninitializedParameter), (self._buffers, UninitializedBuffer)):
            for name in self._state_shapes():
                if members.get(name) is not None:
                    members[name] = kind(dtype=members[name].dtype)

    def _input_size(self, input: Tensor) -> int:
        """The number of features or channels of an input."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw new parameters, once there are any."""
        if getattr(self, self._size_name) != 0 and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Make the parameters for inputs like this one; those that a state dict brought stay."""
        if not self.has_uninitialized_params():
            return
        setattr(self, self._size_name, self._input_size(input))
        self._check_size()
        for name, shape in self._state_shapes().items():
            for members in (self._parameters, self._buffers):
                if is_lazy(members.get(name)):
                    members[name].materialize(shape)
        self.reset_parameters()

    def _check_size(self) -> None:
        """Raise where the layer can't take inputs of this size."""


class LazyLinear(_Lazy, Linear):  # type: ignore[misc]
    cls_to_become = Linear
    _size_name = "in_features"

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """As for every lazy layer; where a state dict brought the parameters, `in_features` follows."""
        super().initialize_parameters(input)
        self.in_features = self._input_size(input)

    def _input_size(self, input: Tensor) -> int:
        return input.shape[-1]


class _LazyConvolution(_Lazy):
    _size_name = "in_channels"
    _dimensions: int
    groups: int
    in_channels: int

    def _input_size(self, input: Tensor) -> int:
        alone = self._dimensions + 1
        if input.ndim not in (alone, alone + 1):
            raise RuntimeError(
                f"Expected {alone}D (unbatched) or {alone + 1}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {input.shape}"
            )
        return input.shape[-alone]

    def _check_size(self) -> None:
        if self.in_channels % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, got {self.in_channels} and {self.groups}")


class LazyConv1d(_LazyConvolution, Conv1d):  # type: ignore[misc]
    cls_to_become = Conv1d


class LazyConv2d(_LazyConvolution, Conv2d):  # type: ignore[misc]
    cls_to_become = Conv2d


class LazyConvTranspose1d(_LazyConvolution, ConvTranspose1d):  # type: ignore[misc]
    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvolution, ConvTranspose2d):  # type: ignore[misc]
    cls_to_become = ConvTranspose2d


class _LazyNorm(_Lazy):
    _size_name = "num_features"

    def _input_size(self, input: Tensor) -> int:
        return input.shape[1]


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):  # type: ignore[misc]
    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):  # type: ignore[misc]
    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):  # type: ignore[misc]
    cls_to_become = BatchNorm3d


class _LazyInstanceNorm(_LazyNorm):
    """With a weight and running statistics, unless it is told otherwise."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):  # type: ignore[misc]
    """Instance normalization of sequences whose `num_features` is that of its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):  # type: ignore[misc]
    """Instance normalization of images whose `num_features` is that of its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):  # type: ignore[misc]
    """Instance normalization of volumes whose `num_features` is that of its first input."""

    cls_to_become = InstanceNorm3d
