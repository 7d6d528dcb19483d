"""Numba kernels on plain NumPy arrays: no Tensor, no graph, each forward beside its backward.

Kernel modules are imported at first use, so that `import minicnn` loads neither Numba nor any
machine code: `kernels.pooling` imports `minicnn.kernels.pooling` when an operator first asks for it.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minicnn.kernels import (
        activation,
        convolution,
        dropout,
        few_rows,
        groups,
        loss,
        memory,
        normalization,
        optimizers,
        padding,
        parts,
        pooling,
        prelu,
        resampling,
        row_norm,
        softmax,
        sums,
        threads,
    )

__all__ = [
    "activation",
    "convolution",
    "dropout",
    "few_rows",
    "groups",
    "loss",
    "memory",
    "normalization",
    "optimizers",
    "padding",
    "parts",
    "pooling",
    "prelu",
    "resampling",
    "row_norm",
    "softmax",
    "sums",
    "threads",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
