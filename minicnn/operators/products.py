"""Products of vectors and matrices by their number of dimensions, and sums of a tensor and a product."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.autograd.graph import entitled
from minicnn.autograd.operator import Former
from minicnn.dtypes import result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.arithmetic import Add, Multiply
from minicnn.operators.matmul import MatrixProduct
from minicnn.operators.operands import alone, array_of, cast
from minicnn.operators.out import deliver
from minicnn.operators.reduction import sum
from minicnn.operators.shape import expand, permute, reshape


def _multiplied(name: str, a: Any, b: Any, a_dims: int, b_dims: int) -> Any:
    """a @ b, for operands of so many dimensions.

    Raises:
        ShapeError: for other dimensions, or sizes that don't fit.
        DtypeError: for two dtypes, or bools.
    """
    left, right = array_argument(a, name), array_argument(b, name)
    inner = right.shape[-2 if b_dims > 1 else -1] if right.ndim == b_dims else None
    if left.ndim != a_dims or left.shape[-1] != inner or left.shape[:-2] != right.shape[:-2]:
        raise ShapeError(
            f"{name} needs {a_dims} and {b_dims} dimensions, of sizes that fit, got shapes {left.shape}, {right.shape}"
        )
    if left.dtype != right.dtype or left.dtype == bool:
        raise DtypeError(f"{name} needs operands of one dtype other than bool, got {left.dtype} and {right.dtype}")
    return MatrixProduct.apply(a, b)


def mm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """The product of two matrices: (M, K) and (K, N) give (M, N).

    Args:
        input, mat2: the matrices.
        out: a Tensor of the result's dtype that receives it.

    Raises:
        ShapeError: for other dimensions, or sizes that don't fit.
        DtypeError: for two dtypes, or bools.
    """
    return deliver(_multiplied("mm", input, mat2, 2, 2), out, same_dtype=True)


@entitled("BmmBackward0")
def bmm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """The products of the matrices of two stacks: (B, M, K) and (B, K, N) give (B, M, N).

    Raises: as `mm`.
    """
    return deliver(_multiplied("bmm", input, mat2, 3, 3), out, same_dtype=True)


def mv(input: Any, vec: Any, *, out: Any = None) -> Any:
    """The product of a matrix and a vector: (M, K) and (K,) give (M,).

    Raises: as `mm`.
    """
    return deliver(_multiplied("mv", input, vec, 2, 1), out, same_dtype=True)


def dot(input: Any, tensor: Any, *, out: Any = None) -> Any:
    """Σ of the products of the elements of two vectors.

    Raises: as `mm`.
    """
    return deliver(_multiplied("dot", input, tensor, 1, 1), out, same_dtype=True)


def vdot(input: Any, other: Any) -> Any:
    """`dot`: of real numbers they are the same."""
    return _multiplied("vdot", input, other, 1, 1)


def inner(input: Any, other: Any) -> Any:
    """Σ of the products along the last dimensions: (…, K) and (~, K) give (…, ~); with a number, the product.

    Raises:
        ShapeError: where the last dimensions differ.
        DtypeError: for two dtypes, or bools.
    """
    left, right = array_argument(input, "inner"), array_argument(other, "inner")
    if not left.ndim or not right.ndim:
        return Multiply.call(input, other)
    if left.shape[-1] != right.shape[-1]:
        raise ShapeError(f"inner needs last dimensions that match, got shapes {left.shape} and {right.shape}")
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Any, vec2: Any) -> Any:
    """The products of all pairs of elements of two vectors: (M,) and (N,) give (M, N).

    Raises:
        ShapeError: for other dimensions.
    """
    left, right = array_argument(input, "outer"), array_argument(vec2, "outer")
    if left.ndim != 1 or right.ndim != 1:
        raise ShapeError(f"outer needs two vectors, got shapes {left.shape} and {right.shape}")
    return Multiply.call(reshape(input, (-1, 1)) if left.size else reshape(input, (0, 1)), vec2)


def _scaled(x: Any, factor: Any) -> Any:
    """factor · x in the dtype of x, for which a number of another category is rounded towards 0."""
    if factor == 1:
        return x
    kind = array_of(x).dtype.kind
    return Multiply.call(x, float(factor) if kind == "f" else bool(factor) if kind == "b" else int(factor))


class AddProduct(Add):
    """a + b, laid in row-major order whatever order the operands lie in."""

    elementwise = False


def _plus_product(name: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · product; where beta is 0, NaN in `input` doesn't count."""
    given, shape, dtype = array_argument(input, name), array_of(product).shape, array_of(product).dtype
    if given.dtype != dtype:
        raise DtypeError(f"{name} needs an input of the dtype {dtype} of the product, got {given.dtype}")
    try:
        fits = np.broadcast_shapes(given.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name} needs an input that broadcasts to {shape}, got {given.shape}")
    if type(input) is Former and given.shape != shape:
        raise ShapeError(f"{name}_ can't write a result of shape {shape} into a tensor of shape {given.shape}")
    product = _scaled(product, alpha)
    return product if beta == 0 else AddProduct.apply(_scaled(input, beta), product)


@entitled("AddmmBackward0")
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · mat1 @ mat2

    Args:
        input: broadcasts to (M, N); not read where `beta` is 0.
        mat1, mat2: (M, K) and (K, N), of its dtype.
        beta, alpha: numbers; for integers whole ones.

    Raises:
        ShapeError, DtypeError: for shapes or dtypes that don't fit.
    """
    return _plus_product("addmm", input, _multiplied("addmm", mat1, mat2, 2, 2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · mat @ vec, for (M, K) and (K,); see `addmm`."""
    return _plus_product("addmv", input, _multiplied("addmv", mat, vec, 2, 1), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · Σ over the stack of batch1 @ batch2, for (B, M, K) and (B, K, N); see `addmm`."""
    product = _multiplied("addbmm", batch1, batch2, 3, 3)
    return _plus_product("addbmm", input, cast(sum(product, 0), array_of(product).dtype), beta, alpha)


@entitled("BaddbmmBackward0")
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · batch1 @ batch2, for (B, M, K) and (B, K, N); see `addmm`."""
    return _plus_product("baddbmm", input, _multiplied("baddbmm", batch1, batch2, 3, 3), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · the outer product of two vectors, in the dtype in which all meet.

    Args:
        input: broadcasts to (M, N); not read where `beta` is 0.
        vec1, vec2: (M,) and (N,).
        beta, alpha: numbers; for integers whole ones.

    Raises:
        ShapeError: for shapes that don't fit.
    """
    dtype = result_type(array_argument(input, "addr"), array_argument(vec1, "addr"), array_argument(vec2, "addr"))
    if dtype.kind != "f" and (isinstance(beta, float) or isinstance(alpha, float)):
        raise DtypeError(f"addr of {dtype} needs whole numbers as beta and alpha, got {beta} and {alpha}")
    product = outer(cast(vec1, dtype), cast(vec2, dtype))
    return _plus_product("addr", cast(input, dtype), product, beta, alpha)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Σ of products over several dimensions of each.

    Args:
        a, b: of one dtype.
        dims: how many of the last of a and the first of b; or two lists of dims that belong together.

    Returns: the other dimensions of a, then those of b.

    Raises:
        ShapeError: where the dims don't match.
        DtypeError: for two dtypes, or bools.
        IndexError: for dims out of range.
    """
    left, right = array_argument(a, "tensordot"), array_argument(b, "tensordot")
    first, second = _pairs(dims, left.ndim)
    axes, others = [single_axis(d, left.ndim) for d in first], [single_axis(d, right.ndim) for d in second]
    if len(axes) != len(others) or len(set(axes)) < len(axes) or len(set(others)) < len(others):
        raise ShapeError(f"tensordot needs as many dims of a as of b, none twice, got {dims}")
    for axis, other in zip(axes, others, strict=True):
        n, m = left.shape[axis], right.shape[other]
        if n != m:
            if 1 not in (n, m):
                raise ShapeError(f"tensordot: contracted dims need to match, but have sizes {n} and {m}")
            a = sum(a, axis, keepdim=True, dtype=left.dtype) if m == 1 else a
            b = sum(b, other, keepdim=True, dtype=right.dtype) if n == 1 else b
    left, right = array_of(a), array_of(b)
    free, others_free = ([d for d in range(x.ndim) if d not in used] for x, used in ((left, axes), (right, others)))
    size = int(np.prod([left.shape[d] for d in axes], dtype=np.int64))
    rows, columns = [left.shape[d] for d in free], [right.shape[d] for d in others_free]
    first_matrix = reshape(permute(a, (*free, *axes)), (int(np.prod(rows, dtype=np.int64)), size))
    second_matrix = reshape(permute(b, (*others, *others_free)), (size, int(np.prod(columns, dtype=np.int64))))
    return reshape(_multiplied("tensordot", first_matrix, second_matrix, 2, 2), (*rows, *columns))


def _pairs(dims: Any, ndim: int) -> tuple[Sequence, Sequence]:
    """The dims of the first and of the second operand of a tensordot."""
    if hasattr(dims, "__index__") and not isinstance(dims, bool):
        count = dims.__index__()
        if count < 0 or count > ndim:
            raise ShapeError(f"tensordot needs dims from 0 to {ndim}, got {count}")
        return range(ndim - count, ndim), range(count)
    if not isinstance(dims, (tuple, list)) or len(dims) != 2:
        raise TypeError(f"tensordot needs a number or two lists as dims, got {dims!r}")
    first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    return first, second


def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: each element of `input` times the whole of `other`, in blocks.

    Args:
        input, other: any shapes; of the shorter one the first dimensions are taken for 1.
    """
    left, right = array_argument(input, "kron").shape, array_argument(other, "kron").shape
    ndim = max(len(left), len(right))
    left, right = ((1,) * (ndim - len(left)) + left), ((1,) * (ndim - len(right)) + right)
    a = reshape(input, tuple(size for n in left for size in (n, 1)))
    b = reshape(other, tuple(size for n in right for size in (1, n)))
    return alone(reshape(Multiply.call(a, b), tuple(n * m for n, m in zip(left, right, strict=True))))


class Cross(Operator):
    """The vector product along one axis of size 3."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        by_a, by_b, _ = ctx.needs_input_grad
        ctx.saved, ctx.axis = (a if by_b else None, b if by_a else None), axis
        return _cross(a, b, axis)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (a, b), axis = ctx.saved, ctx.axis
        return None if b is None else _cross(b, g, axis), None if a is None else _cross(g, a, axis)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (a, b), axis = ctx.tensors(), ctx.axis
        return None if b is None else Cross.apply(b, g, axis), None if a is None else Cross.apply(g, a, axis)


def _cross(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    def turned(x: np.ndarray, order: list[int]) -> np.ndarray:
        return np.take(x, order, axis)

    ahead, behind = [1, 2, 0], [2, 0, 1]
    with np.errstate(all="ignore"):
        return turned(a, ahead) * turned(b, behind) - turned(a, behind) * turned(b, ahead)


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The vector product of vectors of 3 elements.

    Args:
        input, other: as many dimensions, broadcast to each other.
        dim: where the vectors lie; by default the first dimension of size 3.

    Raises:
        ShapeError: for other sizes or shapes that don't broadcast.
        IndexError: for a `dim` out of range.
    """
    if dim is None:
        shape = array_argument(input, "cross").shape
        if 3 not in shape:
            raise ShapeError(f"cross needs a dimension of size 3, got shape {shape}")
        dim = shape.index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The vector product of vectors of 3 elements, which lie along `dim`; see `cross`."""
    left, right = array_argument(input, "cross"), array_argument(other, "cross")
    if left.ndim != right.ndim:
        raise ShapeError(f"cross needs operands of as many dimensions, got shapes {left.shape} and {right.shape}")
    axis = single_axis(dim, left.ndim)
    if not left.ndim or left.shape[axis] != 3 or right.shape[axis] != 3:
        raise ShapeError(f"cross needs size 3 along dim {dim}, got shapes {left.shape} and {right.shape}")
    dtype = result_type(left, right)
    if dtype.kind == "b":
        raise DtypeError("cross does not support bool tensors")
    try:
        shape = np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise ShapeError(f"cross can't broadcast shapes {left.shape} and {right.shape}") from None
    operands = [x if array_of(x).shape == shape else expand(x, shape) for x in (cast(input, dtype), cast(other, dtype))]
    return Cross.apply(*operands, axis)
