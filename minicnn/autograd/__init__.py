"""Reverse-mode differentiation: the recording mode, the graph and its walk, `Function`, `gradcheck`."""

from minicnn.autograd.differentiate import backward, grad
from minicnn.autograd.function import Function
from minicnn.autograd.gradcheck import gradcheck
from minicnn.autograd.inplace import assign
from minicnn.autograd.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minicnn.autograd.operator import Operator
from minicnn.autograd.variable import Variable
from minicnn.compat import missing

__all__ = [
    "Function",
    "Operator",
    "Variable",
    "assign",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
