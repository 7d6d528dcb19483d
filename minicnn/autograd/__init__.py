"""Reverse-mode differentiation: the recording mode, the graph and its walk, `Function`, `gradcheck`."""

from minicnn.autograd.function import Function
from minicnn.autograd.gradcheck import gradcheck
from minicnn.autograd.graph import Context, Node, Operator, Variable, backward, grad, run_backward, start_gradients
from minicnn.autograd.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = [
    "Context",
    "Function",
    "Node",
    "Operator",
    "Variable",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "is_grad_enabled",
    "no_grad",
    "run_backward",
    "set_grad_enabled",
    "start_gradients",
]
