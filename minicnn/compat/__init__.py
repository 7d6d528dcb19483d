"""PyTorch's and torchvision's module paths, served by minicnn.

    from minicnn.compat import torch, torchvision

From then on `import torch.nn as nn` or `from torchvision import datasets` in the same process mean minicnn, too.
`minicnn run` executes whole programs so, without an edit.
"""

from typing import Any

from minicnn.compat import modules
from minicnn.compat.modules import install, serving, uninstall

__all__ = ["install", "serving", "torch", "torchvision", "uninstall"]


def __getattr__(name: str) -> Any:
    return getattr(modules, name)
