"""Convolution by Winograd's minimal filtering, F(m×m, 3×3): fewer multiplications, more rounding.

The image is cut into tiles of t × t = (m + 2) × (m + 2) cells that overlap by two, each giving m × m outputs:

    Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A

with the tile d, the 3 × 3 kernel g and small constant matrices A, B, G (Lavin & Gray, "Fast algorithms for
convolutional neural networks", 2016). In the transformed domain every element is multiplied by itself alone, so over
channels and outputs there are t² matrix products of (tiles × C) by (C × O), with t² / m² multiplications for an
output instead of 9: 4 for m = 2, 2.25 for m = 4. The sums and differences of the transforms cost accuracy.

The gradient by input is the same algorithm with the kernel turned around. The formula is linear in g, so
the gradient by weight is its adjoint, over tiles:

    ∂g = Gᵀ [ Σ (A ∂Y Aᵀ) ⊙ (Bᵀ d B) ] G

Only for 3 × 3 kernels with stride 1, dilation 1 and one group.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.convolution.lines import WIDEST, block_at, block_count, line, line_transposed
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.memory import dense, element_strides, empty, flat
from minicnn.kernels.microkernel import lanes
from minicnn.kernels.threads import get_num_threads

G2 = np.array([[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]])
G4 = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
BLOCK_BYTES = 3 * 2**19
"""How much transformed data a task holds at once: about what the second-level cache does."""


@kernel
def _bt2(a, b, c, d, channels, out, i, s):
    """Bᵀ of F(2, 3) along one axis: elements i, i + s, … of out, channel by channel."""
    for k in range(channels):
        out[i, k] = a[k] - c[k]
        out[i + s, k] = b[k] + c[k]
        out[i + 2 * s, k] = c[k] - b[k]
        out[i + 3 * s, k] = b[k] - d[k]


@kernel
def _bt4(a, b, c, d, e, f, channels, out, i, s):
    """Bᵀ of F(4, 3) along one axis."""
    for k in range(channels):
        out[i, k] = 4 * a[k] - 5 * c[k] + e[k]
        out[i + s, k] = d[k] + e[k] - 4 * (b[k] + c[k])
        out[i + 2 * s, k] = e[k] - d[k] + 4 * (b[k] - c[k])
        out[i + 3 * s, k] = e[k] - c[k] + 2 * (d[k] - b[k])
        out[i + 4 * s, k] = e[k] - c[k] + 2 * (b[k] - d[k])
        out[i + 5 * s, k] = 4 * b[k] - 5 * d[k] + f[k]


@kernel
def _at2(a, b, c, d, channels, out, i, s):
    """Aᵀ of F(2, 3) along one axis."""
    for k in range(channels):
        out[i, k] = a[k] + b[k] + c[k]
        out[i + s, k] = b[k] - c[k] - d[k]


@kernel
def _at4(a, b, c, d, e, f, channels, out, i, s):
    """Aᵀ of F(4, 3) along one axis."""
    for k in range(channels):
        p, q, r, u = b[k] + c[k], b[k] - c[k], d[k] + e[k], d[k] - e[k]
        out[i, k] = a[k] + p + r
        out[i + s, k] = q + 2 * u
        out[i + 2 * s, k] = p + 4 * r
        out[i + 3 * s, k] = q + 8 * u + f[k]


@kernel
def _a2(a, b, channels, out, i, s):
    """A of F(2, 3) along one axis."""
    for k in range(channels):
        out[i, k] = a[k]
        out[i + s, k] = a[k] + b[k]
        out[i + 2 * s, k] = a[k] - b[k]
        out[i + 3 * s, k] = -b[k]


@kernel
def _a4(a, b, c, d, channels, out, i, s):
    """A of F(4, 3) along one axis."""
    for k in range(channels):
        p, q, r, u = a[k] + c[k], b[k] + d[k], a[k] + 4 * c[k], 2 * b[k] + 8 * d[k]
        out[i, k] = a[k]
        out[i + s, k] = p + q
        out[i + 2 * s, k] = p - q
        out[i + 3 * s, k] = r + u
        out[i + 4 * s, k] = r - u
        out[i + 5 * s, k] = d[k]


@kernel
def _gather(image, n, top, left, size, cells):
    """Copy a tile of size × size cells, zeros outside the image, to `cells`."""
    _, H, W, C = image.shape
    for i in range(size):
        for j in range(size):
            row, column, cell = top + i, left + j, i * size + j
            if 0 <= row < H and 0 <= column < W:
                for c in range(C):
                    cells[cell, c] = image[n, row, column, c]
            else:
                for c in range(C):
                    cells[cell, c] = 0


@kernel
def _transform_input(cells, m, half, channels, V, tile):
    """V[e, tile] = (Bᵀ d B)[e] for the tile's cells d."""
    if m == 2:
        for j in range(4):
            _bt2(cells[j], cells[4 + j], cells[8 + j], cells[12 + j], channels, half, j, 4)
        for i in range(0, 16, 4):
            _bt2(half[i], half[i + 1], half[i + 2], half[i + 3], channels, V[:, tile], i, 1)
    else:
        for j in range(6):
            _bt4(
                cells[j],
                cells[6 + j],
                cells[12 + j],
                cells[18 + j],
                cells[24 + j],
                cells[30 + j],
                channels,
                half,
                j,
                6,
            )
        for i in range(0, 36, 6):
            _bt4(
                half[i],
                half[i + 1],
                half[i + 2],
                half[i + 3],
                half[i + 4],
                half[i + 5],
                channels,
                V[:, tile],
                i,
                1,
            )


@kernel
def _transform_output(M, tile, m, half, channels, cells):
    """cells = Aᵀ M[:, tile] A"""
    if m == 2:
        for j in range(4):
            _at2(M[j, tile], M[4 + j, tile], M[8 + j, tile], M[12 + j, tile], channels, half, j, 4)
        for i in range(2):
            h = 4 * i
            _at2(half[h], half[h + 1], half[h + 2], half[h + 3], channels, cells, 2 * i, 1)
    else:
        for j in range(6):
            _at4(
                M[j, tile], M[6 + j, tile], M[12 + j, tile], M[18 + j, tile], M[24 + j, tile], M[30 + j, tile],
                channels, half, j, 6,
            )  # fmt: skip
        for i in range(4):
            h = 6 * i
            _at4(
                half[h],
                half[h + 1],
                half[h + 2],
                half[h + 3],
                half[h + 4],
                half[h + 5],
                channels,
                cells,
                4 * i,
                1,
            )


@kernel
def _transform_gradient(cells, m, half, channels, D, tile):
    """D[e, tile] = (A ∂Y Aᵀ)[e] for the m × m cells of the gradient."""
    if m == 2:
        for j in range(2):
            _a2(cells[j], cells[2 + j], channels, half, j, 2)
        for i in range(4):
            _a2(half[2 * i], half[2 * i + 1], channels, D[:, tile], 4 * i, 1)
    else:
        for j in range(4):
            _a4(cells[j], cells[4 + j], cells[8 + j], cells[12 + j], channels, half, j, 4)
        for i in range(6):
            h = 4 * i
            _a4(half[h], half[h + 1], half[h + 2], half[h + 3], channels, D[:, tile], 6 * i, 1)


@kernel(parallel=True)
def _transform_weight(weight, so, sc, sp, sq, origin, C, O, G, packed, vector):
    """packed[block][e][c][lane] = (G g Gᵀ)[e], in blocks of outputs, zeros in the last vector where there is none.

    The strides so, sc, sp, sq and the origin say where weight[o, c, p, q] lies.
    """
    t = G.shape[0]
    for c in prange(C):
        half = np.empty((t, 3, WIDEST * vector), weight.dtype)
        for block in range(block_count(O, vector)):
            o, vectors, valid = block_at(block, O, vector)
            width = vectors * vector
            present = width - vector + valid
            base = o * t * t * C + c * width
            for i in range(t):
                for q in range(3):
                    for lane in range(width):
                        half[i, q, lane] = 0
                    for p in range(3):
                        factor = weight.dtype.type(G[i, p])
                        source = origin + c * sc + p * sp + q * sq + o * so
                        for lane in range(present):
                            half[i, q, lane] += factor * weight[source + lane * so]
            for i in range(t):
                for j in range(t):
                    here = base + (i * t + j) * C * width
                    for lane in range(width):
                        packed[here + lane] = 0
                    for q in range(3):
                        factor = weight.dtype.type(G[j, q])
                        for lane in range(width):
                            packed[here + lane] += factor * half[i, q, lane]


@kernel
def _convolve_block(task, x, packed, bias, y, top, left, m, block, vector):
    """One block of tiles: transform, t² products, transform back."""
    N, _, _, C = x.shape
    _, OH, OW, O = y.shape
    t = m + 2
    down, across = -(-OH // m), -(-OW // m)
    tiles = N * down * across
    first = task * block
    count = min(tiles - first, block)
    V, M = np.empty((t * t, block, C), x.dtype), np.empty((t * t, block, O), x.dtype)
    cells, half = np.empty((t * t, max(C, O)), x.dtype), np.empty((t * t, max(C, O)), x.dtype)
    segments = np.zeros(1, np.int64)
    for k in range(count):
        n, rest = (first + k) // (down * across), (first + k) % (down * across)
        i, j = rest // across * m, rest % across * m
        _gather(x, n, top + i, left + j, t, cells)
        _transform_input(cells, m, half, C, V, k)
    for o_block in range(block_count(O, vector)):
        o, vectors, valid = block_at(o_block, O, vector)
        for e in range(t * t):
            line(
                V.reshape(-1), e * block * C, C, packed, (o * t * t + e * vectors * vector) * C, vectors * vector,
                segments, segments, 1, C, bias, 0, 0, False, M.reshape(-1), e * block * O + o, O, count, vectors, valid,
            )  # fmt: skip
    for k in range(count):
        n, rest = (first + k) // (down * across), (first + k) % (down * across)
        i, j = rest // across * m, rest % across * m
        _transform_output(M, k, m, half, O, cells)
        for p in range(min(m, OH - i)):
            for q in range(min(m, OW - j)):
                result, cell = y[n, i + p, j + q], cells[p * m + q]
                if bias.size:
                    for o in range(O):
                        result[o] = cell[o] + bias[o]
                else:
                    for o in range(O):
                        result[o] = cell[o]


@kernel(parallel=True)
def _convolve(x, packed, bias, y, top, left, m, block, vector):
    tiles = y.shape[0] * -(-y.shape[1] // m) * -(-y.shape[2] // m)
    for task in prange(-(-tiles // block)):
        _convolve_block(np.int64(task), x, packed, bias, y, top, left, m, block, vector)


@kernel
def _weight_part(part, x, g, partial, top, left, m, block, vector):
    """partial[part][e][c][o] = Σ over a part's tiles of (Bᵀ d B)[e] ⊗ (A ∂Y Aᵀ)[e]."""
    N, _, _, C = x.shape
    _, OH, OW, O = g.shape
    t, parts = m + 2, partial.shape[0]
    down, across = -(-OH // m), -(-OW // m)
    tiles = N * down * across
    sums = partial.reshape(-1)
    V, D = np.empty((t * t, block, C), x.dtype), np.empty((t * t, block, O), x.dtype)
    cells, half = np.empty((t * t, max(C, O)), x.dtype), np.empty((t * t, max(C, O)), x.dtype)
    segments = np.zeros(1, np.int64)
    begin, last = tiles * part // parts, tiles * (part + 1) // parts
    if begin == last:
        for k in range(t * t * C * O):
            sums[part * t * t * C * O + k] = 0
    for first in range(begin, last, block):
        count = min(last - first, block)
        for k in range(count):
            n, rest = (first + k) // (down * across), (first + k) % (down * across)
            i, j = rest // across * m, rest % across * m
            _gather(x, n, top + i, left + j, t, cells)
            _transform_input(cells, m, half, C, V, k)
            _gather(g, n, i, j, m, cells)
            _transform_gradient(cells, m, half, O, D, k)
        started = first > begin
        for e in range(t * t):
            for o_block in range(block_count(O, vector)):
                o, vectors, valid = block_at(o_block, O, vector)
                c0 = (part * t * t + e) * C * O + o
                line_transposed(
                    V.reshape(-1), e * block * C, C, D.reshape(-1), e * block * O + o, O, segments, segments, 1,
                    count, sums, c0, O, started, sums, c0, O, C, vectors, valid,
                )  # fmt: skip


@kernel(parallel=True)
def _weight_products(x, g, partial, top, left, m, block, vector):
    for part in prange(partial.shape[0]):
        _weight_part(np.int64(part), x, g, partial, top, left, m, block, vector)


@kernel(parallel=True)
def _transform_back(partial, G, grad):
    """grad[p, q, c, o] = (Gᵀ (Σ over parts) G)[p, q]"""
    parts, _, C, O = partial.shape
    t = G.shape[0]
    for c in prange(C):
        half = np.empty((3, t, O), partial.dtype)
        total = np.empty(O, partial.dtype)
        for p in range(3):
            for j in range(t):
                for o in range(O):
                    half[p, j, o] = 0
        for i in range(t):
            for j in range(t):
                for o in range(O):
                    total[o] = partial[0, i * t + j, c, o]
                for part in range(1, parts):
                    for o in range(O):
                        total[o] += partial[part, i * t + j, c, o]
                for p in range(3):
                    factor = partial.dtype.type(G[i, p])
                    for o in range(O):
                        half[p, j, o] += factor * total[o]
        for p in range(3):
            for q in range(3):
                result = grad[p, q, c]
                for o in range(O):
                    result[o] = 0
                for j in range(t):
                    factor = partial.dtype.type(G[j, q])
                    for o in range(O):
                        result[o] += factor * half[p, j, o]


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


def _tile_outputs(size: tuple[int, int]) -> int:
    """m: 4, or 2 where the result is so small that larger tiles would mostly lie outside."""
    return 4 if min(size) > 2 else 2


def _block(m: int, C: int, O: int, itemsize: int) -> int:
    """How many tiles a task transforms at once: lines of 14 for the micro-kernel."""
    return max(14, min(112, BLOCK_BYTES // ((m + 2) ** 2 * (C + O) * itemsize) // 14 * 14))


def _run(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    O: int,
    strides: tuple,
    origin: int,
    size: tuple,
    corner: tuple,
) -> np.ndarray:
    N, _, _, C = x.shape
    y = empty((N, *size, O), x.dtype)
    if not y.size:
        return y
    m = _tile_outputs(size)
    G, vector = (G4 if m == 4 else G2), lanes(x.dtype)
    packed = empty(((m + 2) ** 2 * C * -(-O // vector) * vector,), x.dtype)
    _transform_weight(weight, *strides, origin, C, O, G, packed, vector)
    _convolve(x, packed, bias, y, *corner, m, _block(m, C, O, x.itemsize), vector)
    return y


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C, 3, 3) and bias (O,)."""
    _require(geometry, x.shape[3] // weight.shape[1])
    weight = dense(weight)
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    corner = (-geometry.height.before, -geometry.width.before)
    return _run(x, flat(weight), start, len(weight), element_strides(weight), 0, geometry.output_size, corner)


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient by x (N, H, W, C), given the gradient by y (N, OH, OW, O)."""
    _require(geometry, groups)
    weight = dense(weight)
    so, sc, sp, sq = element_strides(weight)
    corner = (geometry.height.before - 2, geometry.width.before - 2)
    return _run(
        grad_output, flat(weight), np.empty(0, grad_output.dtype), weight.shape[1], (sc, so, -sp, -sq), 2 * (sp + sq),
        geometry.input_size, corner,
    )  # fmt: skip


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient by weight (O, C, 3, 3), given x and the gradient by y."""
    _require(geometry, groups)
    C, O = x.shape[3], grad_output.shape[3]
    if not x.size or not grad_output.size:
        return np.zeros((O, C, 3, 3), x.dtype)
    m = _tile_outputs(geometry.output_size)
    partial = empty((get_num_threads(), (m + 2) ** 2, C, O), x.dtype)
    corner = (-geometry.height.before, -geometry.width.before)
    _weight_products(x, grad_output, partial, *corner, m, _block(m, C, O, x.itemsize), lanes(x.dtype))
    grad = np.empty((3, 3, C, O), x.dtype)
    _transform_back(partial, G4 if m == 4 else G2, grad)
    return grad.transpose(3, 2, 0, 1)
