"""Run by test_convolution in a process of its own: the kernels made of vectors, compiled for an older processor."""

import sys

import numpy as np

from minicnn.kernels import pooling
from minicnn.kernels.convolution import grouped, implicit, naive, winograd
from minicnn.kernels.geometry import convolution_geometry, pooling_geometry
from minicnn.kernels.machine import vector_bytes

assert vector_bytes() == int(sys.argv[1])
rng = np.random.default_rng(0)
for algorithm, C, O, kernel, stride in (
    (implicit, 1, 6, 5, 1),
    (implicit, 6, 16, 5, 1),
    (implicit, 3, 9, 3, 2),
    (implicit, 20, 41, 3, 1),
    (winograd, 9, 21, 3, 1),
):
    geometry = convolution_geometry((9, 17), (kernel, kernel), stride, 1)
    x = rng.integers(-4, 5, (16, 9, 17, C)).astype(np.float32)
    w = rng.integers(-4, 5, (O, C, kernel, kernel)).astype(np.float32)
    g = rng.integers(-4, 5, (16, *geometry.output_size, O)).astype(np.float32)
    b = rng.integers(-4, 5, O).astype(np.float32)
    results = [
        (module.forward(x, w, b, geometry), module.grad_input(g, w, geometry, 1), module.grad_weight(x, g, geometry, 1))
        for module in (algorithm, naive)
    ]
    for ours, expected in zip(*results, strict=True):
        if algorithm is implicit:
            np.testing.assert_array_equal(ours, expected)
        else:
            np.testing.assert_allclose(ours, expected, atol=1e-4 * np.abs(expected).max())

for C, O, groups in ((16, 16, 16), (24, 24, 24), (32, 64, 32), (64, 64, 32), (64, 64, 16)):
    geometry = convolution_geometry((9, 17), (3, 3), 2, 1)
    x = rng.integers(-4, 5, (3, 9, 17, C)).astype(np.float32)
    w = rng.integers(-4, 5, (O, C // groups, 3, 3)).astype(np.float32)
    g = rng.integers(-4, 5, (3, *geometry.output_size, O)).astype(np.float32)
    for module in (grouped, naive):
        results.append((module.forward(x, w, None, geometry), module.grad_input(g, w, geometry, groups)))
        results.append((module.grad_weight(x, g, geometry, groups),))
    for ours, expected in zip(results[-4] + results[-3], results[-2] + results[-1], strict=True):
        np.testing.assert_array_equal(ours, expected)

for C in (1, 2, 3, 6, 17):
    x = rng.integers(-2, 3, (2, 6, 10, C)).astype(np.float32)
    geometry = pooling_geometry((6, 10), 2)
    y, where = pooling.max_forward(x, geometry)
    windows = x.reshape(2, 3, 2, 5, 2, C).transpose(0, 1, 3, 2, 4, 5).reshape(2, 3, 5, 4, C)
    tap = windows.argmax(3)
    np.testing.assert_array_equal(y, windows.max(3))
    rows, columns = np.ogrid[:3, :5]
    np.testing.assert_array_equal(where, ((2 * rows * 10 + 2 * columns)[..., None] + tap // 2 * 10 + tap % 2))
    np.testing.assert_array_equal(pooling.scatter(y, where, (6, 10), geometry), pooling.scatter(y, where, (6, 10)))
