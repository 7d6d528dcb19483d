"""The version of minicnn, and of the GPU libraries that it is built with: none."""

__version__ = "0.1.0"
cuda = None
hip = None
xpu = None
