"""Convolution by Winograd's minimal filtering, F(m×m, 3×3): fewer multiplications, more rounding.

The image is cut into tiles of t × t = (m + 2) × (m + 2) cells that overlap by two, each giving m × m outputs:

    Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A

with the tile d, the 3 × 3 kernel g and small constant matrices A, B, G (Lavin & Gray, "Fast algorithms for
convolutional neural networks", 2016). In the transformed domain every element is multiplied by itself alone, so over
channels and outputs there are t² matrix products of (tiles × C) by (C × O), with t² / m² multiplications for an
output instead of 9: 4 for m = 2, 2.25 for m = 4. The sums and differences of the transforms cost accuracy.

The gradient with respect to input is the same algorithm with the kernel turned around. The formula is linear in g, so
the gradient with respect to weight is its adjoint, over tiles:

    ∂g = Gᵀ [ Σ (A ∂Y Aᵀ) ⊙ (Bᵀ d B) ] G

Only for 3 × 3 kernels with stride 1, dilation 1 and one group.
"""

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.convolution.lines import block_at, block_count, line, line_transposed
from minicnn.kernels.convolution.sandwich import sandwich
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import SECOND_LEVEL, lanes
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import each, share, tasks
from minicnn.kernels.threads import get_num_threads

A2 = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
B2 = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
G2 = np.array([[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]])
A4 = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
B4 = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
     [0, 4, 0, -5, 0, 1]]
)  # fmt: skip
G4 = np.array(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
     [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
)  # fmt: skip
"""Aᵀ, Bᵀ and G of F(2, 3) and F(4, 3)."""

image_to_2, image_to_4 = sandwich(B2), sandwich(B4)
weight_to_2, weight_to_4 = sandwich(G2), sandwich(G4)
output_from_2, output_from_4 = sandwich(A2), sandwich(A4)
gradient_to_2, gradient_to_4 = sandwich(A2.T), sandwich(A4.T)
weight_from_2, weight_from_4 = sandwich(G2.T), sandwich(G4.T)

BLOCK_BYTES = 3 * SECOND_LEVEL // 2
"""How much transformed data a task holds at once: about what the second-level cache does."""
FEWEST_TILES = 96
"""But never fewer tiles than this, since every block reads all weights again."""
SIDE = 16
"""Of the squares in which weights are turned."""
WEIGHT_COST = 100
"""What one transformed weight costs, written and read once, in multiply-adds."""


@part
def _inside(row, column, size, H, W):
    return row >= 0 and column >= 0 and row + size <= H and column + size <= W


@part(allocates=True)
def _gather(image, n, row, column, size, cells):
    """cells[p, q] = image[n, row + p, column + q], zeros outside the image."""
    _, H, W, C = image.shape
    for p in range(size):
        for q in range(size):
            target = cells[(p * size + q) * C : (p * size + q + 1) * C]
            if 0 <= row + p < H and 0 <= column + q < W:
                target[:] = image[n, row + p, column + q]
            else:
                target[:] = 0


@part
def _transform_images(image, first, count, down, across, step, top, left, m, cells, V, stride, plane):
    """V[e, tile] = (Bᵀ d B)[e]"""
    _, H, W, C = image.shape
    t = m + 2
    nothing = cells[:0]
    for k in range(count):
        n, rest = (first + k) // (down * across), (first + k) % (down * across)
        row, column = top + rest // across * step, left + rest % across * step
        if _inside(row, column, t, H, W):
            source, at, h, w = image.reshape(-1), ((n * H + row) * W + column) * C, W * C, C
        else:
            _gather(image, n, row, column, t, cells)
            source, at, h, w = cells, 0, t * C, C
        if m == 2:
            image_to_2(source, at, h, w, C, V, k * stride, t * plane, plane, C, nothing)
        else:
            image_to_4(source, at, h, w, C, V, k * stride, t * plane, plane, C, nothing)


@part
def _transform_gradients(g, first, count, down, across, m, cells, D, stride, plane):
    """D[e, tile] = (A ∂Y Aᵀ)[e]"""
    _, H, W, O = g.shape
    t = m + 2
    nothing = cells[:0]
    for k in range(count):
        n, rest = (first + k) // (down * across), (first + k) % (down * across)
        row, column = rest // across * m, rest % across * m
        if _inside(row, column, m, H, W):
            source, at, h, w = g.reshape(-1), ((n * H + row) * W + column) * O, W * O, O
        else:
            _gather(g, n, row, column, m, cells)
            source, at, h, w = cells, 0, m * O, O
        if m == 2:
            gradient_to_2(source, at, h, w, O, D, k * stride, t * plane, plane, O, nothing)
        else:
            gradient_to_4(source, at, h, w, O, D, k * stride, t * plane, plane, O, nothing)


@part(allocates=True)
def _transform_outputs(M, first, count, down, across, m, stride, plane, bias, cells, y):
    """y = Aᵀ M[:, tile] A + bias"""
    _, H, W, O = y.shape
    t = m + 2
    for k in range(count):
        n, rest = (first + k) // (down * across), (first + k) % (down * across)
        row, column = rest // across * m, rest % across * m
        whole = _inside(row, column, m, H, W)
        if whole:
            target, at, h, w = y.reshape(-1), ((n * H + row) * W + column) * O, W * O, O
        else:
            target, at, h, w = cells, 0, m * O, O
        if m == 2:
            output_from_2(M, k * stride, t * plane, plane, O, target, at, h, w, O, bias)
        else:
            output_from_4(M, k * stride, t * plane, plane, O, target, at, h, w, O, bias)
        if not whole:
            for p in range(min(m, H - row)):
                for q in range(min(m, W - column)):
                    y[n, row + p, column + q] = cells[(p * m + q) * O : (p * m + q + 1) * O]


@part(allocates=True)
def _convolve_block(first, count, x, packed, bias, y, top, left, m, block, scratch, vector):
    """Some tiles: transform, t² products, transform back."""
    C, O, t = x.shape[3], y.shape[3], m + 2
    down, across = -(-y.shape[1] // m), -(-y.shape[2] // m)
    # rows a vector longer than they need be, lest they all fall into the same sets of the cache
    vc, vo = (-(-C // vector) + 1) * vector, (-(-O // vector) + 1) * vector
    V = scratch[: t * t * block * vc]
    M = scratch[V.size : V.size + t * t * block * vo]
    cells = scratch[V.size + M.size :]
    segments = np.zeros(1, np.int64)
    _transform_images(x, first, count, down, across, m, top, left, m, cells, V, vc, block * vc)
    for o_block in range(block_count(O, vector)):
        o, vectors, valid = block_at(o_block, O, vector)
        for e in range(t * t):
            line(
                V, e * block * vc, vc, packed, (o * t * t + e * vectors * vector) * C, vectors * vector,
                segments, segments, 1, C, bias, 0, 0, False, M, e * block * vo + o, vo, count, vectors, valid,
            )  # fmt: skip
    _transform_outputs(M, first, count, down, across, m, vo, block * vo, bias, cells, y)


@each
def _transform_weights(c, weight, packed, m, vector):
    """packed[block][e][c][lane] = (G g Gᵀ)[e] for weights (3, 3, C, O), in blocks of outputs."""
    C, O = weight.shape[2:]
    t = m + 2
    flat, nothing = weight.reshape(-1), packed[:0]
    for block in range(block_count(O, vector)):
        o, vectors, valid = block_at(block, O, vector)
        width = vectors * vector
        at, e, present = o * t * t * C + c * width, C * width, width - vector + valid
        if m == 2:
            weight_to_2(flat, c * O + o, 3 * C * O, C * O, present, packed, at, t * e, e, width, nothing)
        else:
            weight_to_4(flat, c * O + o, 3 * C * O, C * O, present, packed, at, t * e, e, width, nothing)


@each
def _convolve_part(part, x, packed, bias, y, top, left, m, block, scratch, vector):
    tiles, parts = y.shape[0] * -(-y.shape[1] // m) * -(-y.shape[2] // m), len(scratch)
    end = tiles * (part + 1) // parts
    for begin in range(tiles * part // parts, end, block):
        count = min(end - begin, block)
        _convolve_block(begin, count, x, packed, bias, y, top, left, m, block, scratch[part], vector)


@kernel
def _convolve(x, weight, packed, bias, y, top, left, m, block, scratch, vector):
    share(_transform_weights, weight.shape[2], (weight, packed, m, vector))
    share(_convolve_part, len(scratch), (x, packed, bias, y, top, left, m, block, scratch, vector))


@each
def _weight_part(part, x, g, partial, top, left, m, block, scratches, vector):
    """partial[part][e][c][o] = Σ over a part's tiles of (Bᵀ d B)[e] ⊗ (A ∂Y Aᵀ)[e]."""
    C, O, t, parts = x.shape[3], g.shape[3], m + 2, partial.shape[0]
    down, across = -(-g.shape[1] // m), -(-g.shape[2] // m)
    tiles = g.shape[0] * down * across
    sums = partial.reshape(-1)
    vc, vo = (-(-C // vector) + 1) * vector, (-(-O // vector) + 1) * vector
    scratch = scratches[part]
    V = scratch[: t * t * block * vc]
    D = scratch[V.size : V.size + t * t * block * vo]
    cells = scratch[V.size + D.size :]
    segments = np.zeros(1, np.int64)
    begin, last = tiles * part // parts, tiles * (part + 1) // parts
    if begin == last:
        partial[part] = 0
    for first in range(begin, last, block):
        count = min(last - first, block)
        _transform_images(x, first, count, down, across, m, top, left, m, cells, V, vc, block * vc)
        _transform_gradients(g, first, count, down, across, m, cells, D, vo, block * vo)
        for e in range(t * t):
            for o_block in range(block_count(O, vector)):
                o, vectors, valid = block_at(o_block, O, vector)
                c0 = (part * t * t + e) * C * O + o
                line_transposed(
                    V, e * block * vc, vc, D, e * block * vo + o, vo, segments, segments, 1, count,
                    sums, c0, O, first > begin, sums, c0, O, C, vectors, valid,
                )  # fmt: skip


@each
def _transform_back(c, partial, m, grad):
    """grad[p, q, c, o] = (Gᵀ (Σ over parts) G)[p, q]"""
    parts, planes, C, O = partial.shape
    for number in range(1, parts):
        for e in range(planes):
            total, more = partial[0, e, c], partial[number, e, c]
            for o in range(O):
                total[o] += more[o]
    flat, result = partial.reshape(-1), grad.reshape(-1)
    if m == 2:
        weight_from_2(flat, c * O, 4 * C * O, C * O, O, result, c * O, 3 * C * O, C * O, O, result[:0])
    else:
        weight_from_4(flat, c * O, 6 * C * O, C * O, O, result, c * O, 3 * C * O, C * O, O, result[:0])


@kernel
def _weight_gradient(x, g, partial, grad, top, left, m, block, scratch, vector):
    share(_weight_part, len(partial), (x, g, partial, top, left, m, block, scratch, vector))
    share(_transform_back, x.shape[3], (partial, m, grad))


@tasks
def _turned(task, weight, turned):
    """turned[p, q, o, c] = weight[2 − p, 2 − q, c, o], in squares that the cache holds."""
    C, O = weight.shape[2:]
    down = -(-C // SIDE)
    p, q, c0 = task // down // 3, task // down % 3, task % down * SIDE
    for o0 in range(0, O, SIDE):
        for o in range(o0, min(O, o0 + SIDE)):
            for c in range(c0, min(C, c0 + SIDE)):
                turned[p, q, o, c] = weight[2 - p, 2 - q, c, o]


def applies(geometry: Geometry, groups: int) -> bool:
    """Whether the algorithm can compute this convolution."""
    axes = (geometry.height, geometry.width)
    return groups == 1 and all((a.kernel, a.stride, a.dilation) == (3, 1, 1) for a in axes)


def _require(geometry: Geometry, groups: int) -> None:
    if not applies(geometry, groups):
        axes = (geometry.height, geometry.width)
        raise ValueError(
            "algorithm='winograd' needs a 3×3 kernel with stride 1, dilation 1 and groups 1, got kernel "
            f"{geometry.kernel}, stride {tuple(a.stride for a in axes)}, dilation {tuple(a.dilation for a in axes)}, "
            f"groups {groups}"
        )


def _tile_outputs(N: int, size: tuple[int, int]) -> int:
    """m: larger tiles multiply less for each output, but have more weights, and reach over the border more."""

    def cost(m: int) -> int:
        return (m + 2) ** 2 * (N * -(-size[0] // m) * -(-size[1] // m) + WEIGHT_COST)

    return min((4, 2), key=cost)


def _plan(N: int, size: tuple[int, int], C: int, O: int, dtype: np.dtype) -> tuple[int, int, np.ndarray]:
    """m, the number of tiles to hold at once, and room for them in every thread."""
    m, vector, threads = _tile_outputs(N, size), lanes(dtype), get_num_threads()
    tile = (m + 2) ** 2 * sum(-(-channels // vector) + 1 for channels in (C, O)) * vector
    tiles = -(-N * -(-size[0] // m) * -(-size[1] // m) // threads)
    block = min(tiles, max(FEWEST_TILES, BLOCK_BYTES // (tile * dtype.itemsize)))
    scratch = empty((threads, block * tile + (m + 2) ** 2 * max(C, O) + vector), dtype)
    return m, block, scratch


def _run(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, size: tuple, corner: tuple) -> np.ndarray:
    """The convolution with weights (3, 3, C, O), whose first tile begins at `corner`."""
    N, C, O = x.shape[0], *weight.shape[2:]
    y = empty((N, *size, O), x.dtype)
    if not y.size:
        return y
    m, block, scratch = _plan(N, size, C, O, x.dtype)
    vector = lanes(x.dtype)
    packed = empty(((m + 2) ** 2 * C * -(-O // vector) * vector,), x.dtype)
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    _convolve(x, weight, packed, start, y, *corner, m, block, scratch, vector)
    return y


def _taps_first(weight: np.ndarray) -> np.ndarray:
    """(O, C, 3, 3) as a row-major (3, 3, C, O)."""
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0))


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C, 3, 3) and bias (O,)."""
    _require(geometry, x.shape[3] // weight.shape[1])
    corner = (-geometry.height.before, -geometry.width.before)
    return _run(x, _taps_first(weight), bias, geometry.output_size, corner)


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given the gradient with respect to y (N, OH, OW, O)."""
    _require(geometry, groups)
    corner = (geometry.height.before - 2, geometry.width.before - 2)
    weight = _taps_first(weight)
    turned = empty((3, 3, *weight.shape[:1:-1]), weight.dtype)
    _turned(9 * -(-weight.shape[2] // SIDE), weight, turned)
    return _run(grad_output, turned, None, geometry.input_size, corner)


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C, 3, 3), given x and the gradient with respect to y."""
    _require(geometry, groups)
    N, C, O = x.shape[0], x.shape[3], grad_output.shape[3]
    if not x.size or not grad_output.size:
        return np.zeros((O, C, 3, 3), x.dtype)
    m, block, scratch = _plan(N, geometry.output_size, C, O, x.dtype)
    partial = empty((len(scratch), (m + 2) ** 2, C, O), x.dtype)
    grad = empty((3, 3, C, O), x.dtype)
    corner = (-geometry.height.before, -geometry.width.before)
    _weight_gradient(x, grad_output, partial, grad, *corner, m, block, scratch, lanes(x.dtype))
    return grad.transpose(3, 2, 0, 1)
