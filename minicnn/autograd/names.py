"""PyTorch's names of operations: what `grad_fn` prints, and which tensors it lists as its inputs.

Most operations are called as PyTorch's: `Gather` is its GatherBackward0. The table holds the others. Where one
operation here stands for several there, the name follows from what the forward left on the node.
"""

from collections.abc import Callable, Sequence
from typing import Any

_BINARY = {
    *("Add", "Subtract", "Multiply", "Divide", "Power", "Maximum", "Minimum", "Remainder", "Where", "MatrixProduct"),
}
"""Operations of two tensors: a number beside one counts as one."""


def _reduction(name: str) -> Callable[[Any], str]:
    """PyTorch numbers reductions of all elements and reductions along dimensions."""

    def of(node: Any) -> str:
        axes, shape = node.spread
        return f"{name}Backward{int(len(axes) < len(shape))}"

    return of


def _taken(node: Any) -> str:
    key = node.arguments[0]
    if any(isinstance(part, int) for part in key):
        return "SelectBackward0"
    return "UnsqueezeBackward0" if any(part is None for part in key) else "SliceBackward0"


def _permuted(node: Any) -> str:
    axes = node.arguments[0]
    moved = sum(axis != place for place, axis in enumerate(axes))
    return "TransposeBackward0" if moved == 2 else "PermuteBackward0"


def _product(node: Any) -> str:
    return {(1, 1): "DotBackward0", (2, 1): "MvBackward0", (2, 2): "MmBackward0"}.get(node.dims, "UnsafeViewBackward0")


def _linear(node: Any) -> str:
    if len(node.outputs[0][0]) != 2:
        return "ViewBackward0" if node.edges[2] else "UnsafeViewBackward0"
    return "AddmmBackward0" if node.edges[2] else "MmBackward0"


def _padded(node: Any) -> str:
    if node.mode == "constant":
        return "ConstantPadNdBackward0"
    return {"reflect": "ReflectionPad2DBackward0", "replicate": "ReplicationPad2DBackward0"}.get(
        node.mode, "CopySlices"
    )


_NAMES: dict[str, str | Callable[[Any], str]] = {
    "Add": "AddBackward0",
    "Subtract": "SubBackward0",
    "Multiply": "MulBackward0",
    "Divide": "DivBackward0",
    "Power": "PowBackward0",
    "Negative": "NegBackward0",
    "Absolute": "AbsBackward0",
    "Exponential": "ExpBackward0",
    "Logarithm": "LogBackward0",
    "SquareRoot": "SqrtBackward0",
    "Clamp": "ClampBackward1",
    "GeluTanh": "GeluBackward0",
    "Prelu": "PreluKernelBackward0",
    "RandomLeakyRelu": "RreluWithNoiseBackward0",
    "Softsign": "DivBackward0",
    "Tanhshrink": "SubBackward0",
    "ClampBetween": "ClampBackward1",
    "MatrixProduct": _product,
    "Sum": _reduction("Sum"),
    "Mean": _reduction("Mean"),
    "Variance": "VarBackward0",
    "Deviation": "StdBackward0",
    "ExtremeOf": lambda node: f"{node.title}Backward1",
    "ExtremeAlong": lambda node: f"{node.title}Backward0",
    "Contiguous": "CloneBackward0",
    "Reshape": "UnsafeViewBackward0",
    "Permute": _permuted,
    "Concatenate": "CatBackward0",
    "Take": _taken,
    "Pick": "IndexBackward0",
    "Put": "CopySlices",
    "Write": "CopySlices",
    "Cast": "ToCopyBackward0",
    "Linear": _linear,
    "Conv2d": "ConvolutionBackward0",
    "Conv2dWithoutChannels": "ConvolutionBackward0",
    "ConvTranspose2d": "ConvolutionBackward0",
    "MaxPool2d": "MaxPool2DWithIndicesBackward0",
    "MaxUnpool2d": "MaxUnpool2DBackward0",
    "AdaptiveMaxPool2d": "AdaptiveMaxPool2DBackward0",
    "AveragePool2d": "AvgPool2DBackward0",
    "BatchNorm": "NativeBatchNormBackward0",
    "GroupNorm": "NativeGroupNormBackward0",
    "RowNorm": "NativeLayerNormBackward0",
    "Unfold": "Im2ColBackward0",
    "Fold": "Col2ImBackward0",
    "Windows": "UnfoldBackward0",
    "First": "SqueezeBackward1",
    "OnlyRow": "SqueezeBackward1",
    "Pad": _padded,
    "CrossEntropy": "NllLossBackward0",
    "NegativeLogLikelihood": "NllLossBackward0",
    "SquaredError": "MseLossBackward0",
    "Dropout": "MulBackward0",
}

_ORDER = {"AddmmBackward0": (2, 0, 1)}
"""Where PyTorch lists the arguments in another order: bias, x, weight."""


def torch_name(node: Any) -> str:
    """What PyTorch calls the operation of a node."""
    own = node.operator.__name__
    name = _NAMES.get(own, f"{own}Backward0")
    return name if isinstance(name, str) else name(node)


def listed_inputs(node: Any) -> Sequence[int]:
    """The positions of the arguments that PyTorch lists as a node's inputs: the tensors, as far as is known."""
    order = _ORDER.get(node.name())
    if order is not None:
        return order
    last = max((position for position, edge in enumerate(node.edges) if edge is not None), default=-1)
    count = max(last + 1, 2 if node.operator.__name__ in _BINARY else 0)
    return range(min(count, len(node.edges)))
