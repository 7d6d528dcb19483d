"""Switches between ways of computing, shaped like `torch.backends`."""

from minicnn.backends import cuda, cudnn, mps
from minicnn.backends.switches import winograd
from minicnn.compat import missing

__all__ = ["cuda", "cudnn", "mps", "winograd"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
