"""The layers, one file a family."""

from minicnn.nn.layers.activation import LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from minicnn.nn.layers.containers import Identity, ModuleList, Sequential
from minicnn.nn.layers.convolution import Conv2d, ConvTranspose2d
from minicnn.nn.layers.dropout import Dropout
from minicnn.nn.layers.flatten import Flatten
from minicnn.nn.layers.linear import Linear
from minicnn.nn.layers.loss import CrossEntropyLoss, L1Loss, MSELoss, NLLLoss
from minicnn.nn.layers.normalization import BatchNorm1d, BatchNorm2d
from minicnn.nn.layers.pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "ModuleList",
    "NLLLoss",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
