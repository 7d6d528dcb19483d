"""Image data sets with torchvision's names and folders, and `Digits`, which needs no download."""

from minicnn.compat import missing
from minicnn.datasets.cifar10 import CIFAR10
from minicnn.datasets.digits import Digits
from minicnn.datasets.mnist import MNIST, FashionMNIST

__all__ = ["CIFAR10", "MNIST", "Digits", "FashionMNIST"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
