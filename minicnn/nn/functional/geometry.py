"""Where windows lie, for what programs call: arguments that don't fit raise what PyTorch raises."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from minicnn.errors import ShapeError
from minicnn.kernels import geometry

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _raising_shape_errors(make: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`make`, with ShapeErrors for its ValueErrors."""

    @functools.wraps(make)
    def checked(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        try:
            return make(*arguments, **named)
        except ValueError as error:
            raise ShapeError(str(error)) from None

    return checked


convolution_geometry = _raising_shape_errors(geometry.convolution_geometry)
transposed_geometry = _raising_shape_errors(geometry.transposed_geometry)
pooling_geometry = _raising_shape_errors(geometry.pooling_geometry)
