"""How tensors come to be: from data, filled with a value, at equal distances, or drawn at random."""

from minicnn.creation.data import as_tensor, asarray, from_numpy, frombuffer, scalar_tensor, tensor
from minicnn.creation.drawn import normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm
from minicnn.creation.filled import (
    empty,
    empty_like,
    empty_permuted,
    empty_strided,
    eye,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from minicnn.creation.ranges import arange, closed_range, linspace, logspace

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "closed_range",
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "eye",
    "from_numpy",
    "frombuffer",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]
