"""Image data sets with torchvision's names and folders, and `Digits`, which needs no download."""

from minicnn.compat import missing
from minicnn.datasets import folder
from minicnn.datasets._vision import StandardTransform, VisionDataset
from minicnn.datasets.cifar10 import CIFAR10, CIFAR100
from minicnn.datasets.digits import Digits
from minicnn.datasets.fake import FakeData
from minicnn.datasets.folder import DatasetFolder, ImageFolder
from minicnn.datasets.mnist import EMNIST, KMNIST, MNIST, FashionMNIST
from minicnn.datasets.svhn import SVHN

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "EMNIST",
    "KMNIST",
    "MNIST",
    "SVHN",
    "DatasetFolder",
    "Digits",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "StandardTransform",
    "VisionDataset",
    "folder",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
