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
        if inner(node) is not node:
            return torch_name(inner(node))
        axes, shape = node.spread
        return f"{name}Backward{int(len(axes) < len(shape))}"

    return of


def _taken(node: Any) -> str:
    key = node.arguments[0]
    if any(isinstance(part, int) for part in key):
        return "SelectBackward0"
    return "UnsqueezeBackward0" if any(part is None for part in key) else "SliceBackward0"


def _product(node: Any) -> str:
    return {(1, 1): "DotBackward0", (2, 1): "MvBackward0", (2, 2): "MmBackward0"}.get(node.dims, "UnsafeViewBackward0")


def _linear(node: Any) -> str:
    if len(node.outputs[0][0]) != 2:
        return "ViewBackward0" if node.edges[2] else "UnsafeViewBackward0"
    return "AddmmBackward0" if node.edges[2] else "MmBackward0"


def _with_tensor(name: str) -> Callable[[Any], str]:
    """PyTorch numbers operations by whether the second operand is a number or a tensor, here known by its gradient."""

    def of(node: Any) -> str:
        return f"{name}Backward{int(node.edges[1] is not None)}"

    return of


def _of_row(node: Any) -> str:
    """An operation on one row is PyTorch's operation of one dimension."""
    below = node.edges[0][0]
    return below.name() if hasattr(below, "name") else "SqueezeBackward1"


def _padded(node: Any) -> str:
    if node.mode == "constant":
        return "ConstantPadNdBackward0"
    return {"reflect": "ReflectionPad2DBackward0", "replicate": "ReplicationPad2DBackward0"}.get(
        node.mode, "torch::autograd::CopySlices"
    )


_SPELLED = (
    "Add:Add Subtract:Sub Multiply:Mul Divide:Div Negative:Neg Absolute:Abs Exponential:Exp Logarithm:Log "
    "SquareRoot:Sqrt GeluTanh:Gelu Prelu:PreluKernel RandomLeakyRelu:RreluWithNoise Softsign:Div Tanhshrink:Sub "
    "ClampBetween:Clamp Variance:Var Deviation:Std Contiguous:Clone Reshape:UnsafeView Concatenate:Cat Pick:Index "
    "Cast:ToCopy Conv2d:Convolution Conv2dWithoutChannels:Convolution ConvTranspose2d:Convolution "
    "MaxPool2d:MaxPool2DWithIndices MaxUnpool2d:MaxUnpool2D AdaptiveMaxPool2d:AdaptiveMaxPool2D "
    "AveragePool2d:AvgPool2D BatchNorm:NativeBatchNorm GroupNorm:NativeGroupNorm RowNorm:NativeLayerNorm "
    "Unfold:Im2Col Fold:Col2Im Windows:Unfold CrossEntropy:NllLoss NegativeLogLikelihood:NllLoss SquaredError:MseLoss "
    "SmoothAbsoluteError:SmoothL1Loss MultiMargin:MultiMarginLoss MultiLabelMargin:MultilabelMarginLoss "
    "Dropout:Mul AddQuotient:Addcdiv BlockDiagonal:BlockDiag CopySign:Copysign Cross:LinalgCross CumulativeSum:Cumsum "
    "CumulativeProduct:Cumprod Embedded:DiagEmbed FMaximum:Fmax FMinimum:Fmin LogAddExp:Logaddexp "
    "LogAddExp2:Logaddexp2 AMax:Amax AMin:Amin NextAfter:Nextafter TopK:Topk XLogY:Xlogy LogSumExp:Logsumexp "
    "CumulativeLogSumExp:Logcumsumexp VectorNorm:LinalgVectorNorm GridSample:GridSampler2D Determinant:LinalgDet "
    "LogDeterminant:LinalgSlogdet Inverse:LinalgInvEx Solution:LinalgSolveEx SingularValues:LinalgSvd Square:Pow "
    "LocalResponseNorm:Div Nearest:UpsampleNearest2D Resize:UpsampleBilinear2D "
)
"""Operators and PyTorch's names of them, without the Backward0 that follows."""

_NAMES: dict[str, str | Callable[[Any], str]] = {
    **{own: f"{name}Backward0" for own, name in (pair.split(":") for pair in _SPELLED.split())},
    "Power": _with_tensor("Pow"),
    "PowerOfNumber": "PowBackward2",
    "SqueezeAlong": "SqueezeBackward1",
    "Clamp": "ClampBackward1",
    "MatrixProduct": _product,
    "Sum": _reduction("Sum"),
    "Mean": _reduction("Mean"),
    "ExtremeOf": lambda node: f"{node.which}Backward1",
    "ExtremeAlong": lambda node: f"{node.which}Backward0",
    "Take": _taken,
    "Put": "torch::autograd::CopySlices",
    "Write": "torch::autograd::CopySlices",
    "Linear": _linear,
    "First": "SqueezeBackward1",
    "OnlyRow": _of_row,
    "Pad": _padded,
    "FloorQuotient": "DivBackward2",
    "TruncatedQuotient": "DivBackward2",
    "FloorDivide": "torch::autograd::NotImplemented",
    "Heaviside": "torch::autograd::NotImplemented",
    "Product": lambda node: f"ProdBackward{int(node.outputs[0][0] != ())}",
    "Remainder": _with_tensor("Remainder"),
    "Fmod": _with_tensor("Fmod"),
    "Triangle": lambda node: f"{node.triangle[0].__name__.capitalize()}Backward0",
}

_LOSSES = frozenset(
    [
        "SquaredError",
        "BinaryCrossEntropy",
        "BinaryCrossEntropyWithLogits",
        "SmoothAbsoluteError",
        "MultiMargin",
        "MultiLabelMargin",
    ]
)
"""Operators whose sum or mean is one operation in PyTorch."""


def inner(node: Any) -> Any:
    """The loss that a node sums up, where the two are one operation in PyTorch; the node itself elsewhere."""
    if node.operator.__name__ not in ("Sum", "Mean") or not node.edges or node.edges[0] is None:
        return node
    below = node.edges[0][0]
    return below if hasattr(below, "operator") and below.operator.__name__ in _LOSSES else node


_ORDER = {"AddmmBackward0": (2, 0, 1)}
"""Where PyTorch lists the arguments in another order: bias, x, weight."""


def torch_name(node: Any) -> str:
    """What PyTorch calls the operation of a node."""
    if node.title is not None:
        return node.title
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
