"""Switches between ways of computing, shaped like `torch.backends`."""

from minicnn.backends import cudnn, mps
from minicnn.backends.switches import winograd

__all__ = ["cudnn", "mps", "winograd"]
