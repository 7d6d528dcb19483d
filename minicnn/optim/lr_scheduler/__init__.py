"""Learning rates that change while training goes on.

A scheduler sets the optimizer's learning rates when it is made and whenever its `step` is called. As in
PyTorch, most compute the next rate from the present one, so that several can act on one optimizer.
"""

from minicnn.optim.lr_scheduler.base import LRScheduler, _LRScheduler
from minicnn.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from minicnn.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from minicnn.optim.lr_scheduler.cyclic import CyclicLR
from minicnn.optim.lr_scheduler.factors import ExponentialLR, LambdaLR, MultiplicativeLR, MultiStepLR, StepLR
from minicnn.optim.lr_scheduler.one_cycle import OneCycleLR
from minicnn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minicnn.optim.lr_scheduler.ramps import ConstantLR, LinearLR, PolynomialLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "_LRScheduler",
]
