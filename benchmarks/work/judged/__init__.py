"""Right implementations of different make, which the judge of `minicnn check` must acquit.

Their arithmetic differs (order of summation, float32 or float64 inside, transforms), what they accept differs, and so
does what they are functions of: NumPy arrays, torch tensors, minicnn tensors, files.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.work.judged import fourier, minimal_filtering, rungs

HERE = "benchmarks.work.judged"
C_SOURCE = Path(__file__).with_name("conv.c")


@dataclass(frozen=True)
class Right:
    """One right implementation.

    Attributes:
        name: of what it is made.
        operation: what it computes.
        target: `module:function`; empty for the program in C, which is compiled first.
        backward: `module:function` of its gradients, if they are judged too.
        factor: the factor of the rounding bound that its arithmetic needs; None for the judge's own.
        takes: what it is a function of: "numpy", "torch" or "minicnn".
    """

    name: str
    operation: str
    target: str
    backward: str | None = None
    factor: float | None = None
    takes: str = "numpy"

    @property
    def title(self) -> str:
        """The operation and what it is made of."""
        return f"{self.operation}: {self.name}"


def _with_gradient(name: str, operation: str, module: str) -> Right:
    return Right(name, operation, f"{HERE}.{module}:{operation}", f"{HERE}.{module}:{operation}_backward")


def _forward(name: str, operation: str, module: str, factor: float | None = None) -> Right:
    return Right(name, operation, f"{HERE}.{module}:{operation}", factor=factor)


CONVOLUTIONS = (
    _with_gradient("seven Python loops", "conv2d", "loops"),
    _with_gradient("patch matrix (im2col)", "conv2d", "im2col"),
    _with_gradient("einsum over a strided view", "conv2d", "strided_view"),
    _forward("scipy.signal.correlate", "conv2d", "scipy_signal"),
    _with_gradient("float64 accumulation", "conv2d", "accumulating"),
    _with_gradient("a Numba kernel", "conv2d", "compiled"),
    _forward("stride and one padding only", "conv2d", "few_options"),
    _forward("FFT", "conv2d", "fourier", fourier.FACTOR),
    _forward("Winograd F(2×2, 3×3)", "conv2d", "minimal_filtering", minimal_filtering.FACTOR),
    Right("a program in C", "conv2d", ""),
    Right("PyTorch", "conv2d", "torch.nn.functional:conv2d", takes="torch"),
    Right("PyTorch, channels_last", "conv2d", f"{HERE}.channels_last:conv2d", takes="torch"),
    Right("PyTorch's own kernels", "conv2d", f"{HERE}.pytorch_kernels:conv2d", takes="torch"),
    Right("PyTorch's own kernels, channels_last", "conv2d", f"{HERE}.pytorch_kernels:channels_last", takes="torch"),
    *(
        Right(f"minicnn, {rung}", "conv2d", f"{HERE}.rungs:{rung}", factor=rungs.FACTORS.get(rung), takes="minicnn")
        for rung in rungs.NAMES
    ),
)
OTHERS = (
    _with_gradient("loops over windows", "max_pool2d", "pooling_loops"),
    _with_gradient("a strided view", "max_pool2d", "pooling_view"),
    _with_gradient("loops over windows", "avg_pool2d", "pooling_loops"),
    _forward("loops over windows", "adaptive_avg_pool2d", "pooling_loops"),
    _with_gradient("two passes", "batch_norm", "normalization"),
    _forward("two passes", "layer_norm", "normalization"),
    _with_gradient("shifted by the maximum", "softmax", "losses"),
    _with_gradient("shifted by the maximum", "log_softmax", "losses"),
    _forward("shifted by the maximum", "cross_entropy", "losses"),
    *(_with_gradient("NumPy", operation, "shapes") for operation in ("linear", "relu")),
    *(_forward("NumPy", operation, "shapes") for operation in ("pad", "unfold", "fold", "conv_transpose2d")),
)
_BY_NAME = (
    "conv_transpose2d", "linear", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "batch_norm", "layer_norm", "relu",
    "softmax", "log_softmax", "cross_entropy", "pad", "unfold", "fold",
)  # fmt: skip
LIBRARIES = tuple(
    Right(name, operation, f"{module}.nn.functional:{operation}", takes=module)
    for module, name in (("torch", "PyTorch"), ("minicnn", "minicnn"))
    for operation in _BY_NAME
)
RIGHT = (*CONVOLUTIONS, *OTHERS, *LIBRARIES)
MAKES = tuple(
    f"conv2d: {name}"
    for name in (
        "patch matrix (im2col)", "einsum over a strided view", "scipy.signal.correlate", "float64 accumulation",
        "a Numba kernel", "stride and one padding only", "FFT", "Winograd F(2×2, 3×3)", "a program in C",
        "PyTorch's own kernels", "PyTorch's own kernels, channels_last", "minicnn, implicit",
    )
)  # fmt: skip
"""Titles of convolutions that have little in common, and of which a judgement takes a second or two: for long runs."""
