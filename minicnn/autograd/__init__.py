"""Reverse-mode differentiation: the recording mode, the graph and its walk, `Function`, `gradcheck`."""

from minicnn.autograd.anomalies import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from minicnn.autograd.differentiate import backward, grad
from minicnn.autograd.function import Function, FunctionCtx, InplaceFunction, once_differentiable
from minicnn.autograd.gradcheck import gradcheck, gradgradcheck
from minicnn.autograd.inplace import assign
from minicnn.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minicnn.autograd.operator import Operator
from minicnn.autograd.variable import Variable
from minicnn.compat import missing

__all__ = [
    "Function",
    "FunctionCtx",
    "InplaceFunction",
    "Operator",
    "Variable",
    "assign",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
