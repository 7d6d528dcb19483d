"""PyTorch's and torchvision's module paths, served by minicnn.

    from minicnn.compat import torch, torchvision

From then on `import torch.nn as nn` or `from torchvision import datasets` in the same process mean minicnn, too.
`minicnn run` executes whole programs so, without an edit.
"""

import importlib
from typing import Any

from minicnn.compat.modules import LIBRARIES, install, serving, uninstall

__all__ = ["install", "serving", "torch", "torchvision", "uninstall"]


def __getattr__(name: str) -> Any:
    if name in LIBRARIES:
        install()
        return importlib.import_module(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
