"""Tensors of the dtype of another one, and random numbers in its place."""

import warnings
from collections.abc import Callable
from typing import Any

from minicnn import creation
from minicnn.attributes import layout
from minicnn.autograd import Variable
from minicnn.creation.options import check_options
from minicnn.operators import drawing, filling
from minicnn.tensor_types import legacy_tensor


def _new(make: Callable) -> Callable:
    """The method that makes a tensor as `make` does, of the dtype of the tensor unless `dtype` says otherwise."""

    def method(self: Any, *args: Any, dtype: Any = None, **options: Any) -> Any:
        return make(*args, dtype=self._array.dtype if dtype is None else dtype, **options)

    method.__name__ = f"new_{make.__name__}"
    method.__qualname__ = f"Tensor.{method.__name__}"
    method.__doc__ = f"`{make.__name__}` in the dtype of this tensor, unless `dtype` says otherwise."
    return method


class Making(Variable):
    """The methods of Tensor that make others like it, or fill it with random numbers."""

    __slots__ = ()

    new_zeros, new_ones, new_empty = _new(creation.zeros), _new(creation.ones), _new(creation.empty)
    new_full, new_empty_strided = _new(creation.full), _new(creation.empty_strided)

    normal_, uniform_, random_, bernoulli_ = filling.normal_, filling.uniform_, filling.random_, filling.bernoulli_
    exponential_, geometric_ = filling.exponential_, filling.geometric_
    log_normal_, cauchy_ = filling.log_normal_, filling.cauchy_

    def new_tensor(self: Any, data: Any, *, dtype: Any = None, **options: Any) -> Any:
        """`tensor(data)` in the dtype of this one, unless `dtype` says otherwise; warns of Tensors, as PyTorch does."""
        if isinstance(data, Variable):
            warnings.warn(
                "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                "sourceTensor.detach().clone().requires_grad_(True), rather than tensor.new_tensor(sourceTensor).",
                stacklevel=2,
            )
        return creation.tensor(data, dtype=self._array.dtype if dtype is None else dtype, **options)

    def new(self, *data: Any, device: Any = None) -> Any:
        """A Tensor of this dtype from sizes, nested lists or a Tensor: PyTorch's old spelling of the others.

        Raises:
            TypeError: for other arguments, and for a Tensor of another dtype.
            ValueError: for nested lists that don't form a box, or negative sizes.
        """
        check_options(device=device)
        return legacy_tensor(data, self._array.dtype, "new")

    def bernoulli(self, p: Any = None, *, generator: Any = None) -> Any:
        """1 with the probabilities in this tensor, or `p`; see `minicnn.bernoulli`."""
        return drawing.bernoulli(self, p, generator=generator)

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Any:
        """Indices drawn with the probabilities in each row; see `minicnn.multinomial`."""
        return drawing.multinomial(self, num_samples, replacement, generator=generator)

    @property
    def layout(self) -> layout:
        """Always `minicnn.strided`."""
        return layout.strided
