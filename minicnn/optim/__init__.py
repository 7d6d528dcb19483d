"""Optimizers and learning rate schedulers, with PyTorch's names."""

from minicnn.compat import missing
from minicnn.optim import lr_scheduler, swa_utils
from minicnn.optim.adadelta import Adadelta
from minicnn.optim.adafactor import Adafactor
from minicnn.optim.adagrad import Adagrad
from minicnn.optim.adam import Adam, AdamW
from minicnn.optim.adamax import Adamax
from minicnn.optim.asgd import ASGD
from minicnn.optim.lbfgs import LBFGS
from minicnn.optim.nadam import NAdam
from minicnn.optim.optimizer import Optimizer
from minicnn.optim.radam import RAdam
from minicnn.optim.rmsprop import RMSprop
from minicnn.optim.rprop import Rprop
from minicnn.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
