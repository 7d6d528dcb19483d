"""Numbers at equal distances: `arange`, `linspace`, `logspace`."""

import warnings
from math import ceil, isfinite
from typing import Any

import numpy as np

from minicnn.creation.options import allocated, factory
from minicnn.dtypes import check_fits, default_float, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.numbers import integer_argument, number

_ABSENT: Any = object()


@factory
def arange(start: Any = _ABSENT, end: Any = _ABSENT, step: Any = _ABSENT, *, dtype: Any = None) -> Any:
    """Numbers from `start` up to but without `end`, `step` apart: `arange(end)` or `arange(start, end, step=1)`.

    Args:
        start, end, step: numbers, or Tensors without dimensions that stand for one.
        dtype: int64 if all are ints, else the default one. An integer dtype takes `start` and `step` without their
            fractions, but as many numbers as they would give with them, as in PyTorch.

    Raises:
        TypeError: for something else than numbers, or dtype bool.
        ShapeError: for step 0 or one that leads away from `end`.
        RuntimeError: for infinite or NaN bounds, ints of more than 64 bits, or without enough memory.
    """
    if end is _ABSENT and step is _ABSENT:
        start, end = 0, start
    elif start is _ABSENT and step is _ABSENT:
        start = 0
    if _ABSENT in (start, end):
        raise TypeError("arange needs end, or start and end, or start, end and step")
    first, last = number(start, "start"), number(end, "end")
    pace = 1 if step is _ABSENT else number(step, "step")
    numbers = (first, last, pace)
    whole = all(isinstance(one, int) for one in numbers)
    wanted = dtype or (int64 if whole else default_float())
    if wanted.kind == "b":
        raise DtypeError("arange gives numbers, got dtype bool")
    for one in numbers:
        if isinstance(one, int):
            check_fits(one, int64)
    if not (isfinite(first) and isfinite(last)):
        raise RuntimeError(f"arange can't go from {first} to {last}")
    if not isfinite(pace):
        raise RuntimeError(f"step must be finite, got {pace}")
    if pace == 0 or (first > last if pace > 0 else first < last):
        raise ShapeError(f"arange can't go from {first} to {last} in steps of {pace}")
    count = -((first - last) // pace) if whole else ceil((last - first) / pace)
    if wanted.kind in "iu":
        first, pace = int(first), int(pace) if isfinite(pace) else 0
    values = allocated(np.arange, count)
    return (first + values * pace).astype(wanted)


@factory
def closed_range(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """`torch.range`: numbers from `start` up to `end`, which is included; PyTorch warns of it. See `arange`.

    Raises:
        TypeError: for something else than numbers, or dtype bool.
        ShapeError: for step 0 or one that leads away from `end`.
    """
    warnings.warn("torch.range is deprecated, since it includes its end; use torch.arange", stacklevel=3)
    first, last = (0, start) if end is None else (start, end)
    first, last, pace = number(first, "start"), number(last, "end"), number(step, "step")
    if pace == 0 or not isfinite(first + last + pace) or (first > last if pace > 0 else first < last):
        raise ShapeError(f"range can't go from {first} to {last} in steps of {pace}")
    wanted = dtype or default_float()
    if wanted.kind == "b":
        raise DtypeError("range gives numbers, got dtype bool")
    return (first + allocated(np.arange, int((last - first) / pace) + 1) * pace).astype(wanted)


@factory
def linspace(start: Any, end: Any, steps: Any, *, dtype: Any = None) -> Any:
    """`steps` numbers at equal distances from `start` to `end`, both included, of the default dtype unless given.

    Args:
        start, end: numbers, or Tensors without dimensions that stand for one.
        steps: how many; one number is `start`.

    Raises:
        TypeError: for something else than numbers, or dtype bool.
        ShapeError: for negative `steps`, or Tensors with dimensions.
        RuntimeError: for bounds that the dtype can't hold.
    """
    return _spaced("linspace", start, end, steps, dtype or default_float())


@factory
def logspace(start: Any, end: Any, steps: Any, base: float = 10.0, *, dtype: Any = None) -> Any:
    """`base` to the power of `steps` numbers at equal distances from `start` to `end`; see `linspace`."""
    wanted = dtype or default_float()
    exponents = _spaced("logspace", start, end, steps, wanted, np.dtype("float64"))
    with np.errstate(all="ignore"):
        powers = np.power(float(number(base, "base")), exponents)
        if len(powers) == 1:
            check_fits(float(powers[0]), wanted)
        return powers.astype(wanted)


def _spaced(name: str, start: Any, end: Any, steps: Any, dtype: np.dtype, computed: np.dtype | None = None) -> Any:
    """Numbers at equal distances, counted from both ends so that both are met; `computed` is the dtype to return."""
    first, last = _bound(start, "start", name), _bound(end, "end", name)
    count = integer_argument(steps, name, "steps")
    if count < 0:
        raise ShapeError(f"{name} needs steps that aren't negative, got {count}")
    if dtype.kind == "b" and count > 1:
        raise DtypeError(f"{name} gives numbers, got dtype bool")
    if not count:
        return np.empty(0, computed or dtype)
    if count == 1:  # whatever the end is; of a single power, the dtype is not asked of the exponent
        last, dtype = first, computed or dtype
    for bound in (first, last):
        if dtype.kind in "iu" or not isinstance(bound, float):
            check_fits(bound, dtype)
    if dtype.kind in "iu":  # negative numbers count down from the largest in unsigned dtypes
        first, last = [int(bound) % 256**dtype.itemsize if dtype.kind == "u" else int(bound) for bound in (first, last)]
    exact = computed or (dtype if dtype.kind == "f" and dtype.itemsize > 2 else np.dtype("float64"))
    places = allocated(np.arange, count)
    with np.errstate(all="ignore"):
        low, high = exact.type(first), exact.type(last)
        pace = (high - low) / exact.type(max(count - 1, 1))
        # PyTorch's integers round a product and a sum at once: 1 − ⅔ · 3 is −0.9999999999999999, whose whole part is 0
        wide = np.dtype(np.longdouble) if dtype.kind in "iu" and computed is None else exact
        low, high, pace = (wide.type(one) for one in (low, high, pace))
        values = np.where(
            places < count // 2, low + pace * places.astype(wide), high - pace * (count - 1 - places).astype(wide)
        ).astype(exact)
        if count == 1:
            values[0] = low
        return values.astype(computed or dtype)


def _bound(value: Any, argument: str, name: str) -> Any:
    if getattr(value, "ndim", 0):
        raise ShapeError(f"{name} needs {argument} without dimensions, got a tensor of {value.ndim}")
    return number(value, argument)
