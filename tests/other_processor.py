"""Run by test_convolution in a process of its own: every kernel of convolution, compiled for an older processor."""

import sys

import numpy as np

from minicnn.kernels.convolution import implicit, naive, winograd
from minicnn.kernels.geometry import convolution_geometry
from minicnn.kernels.microkernel import vector_bytes

assert vector_bytes() == int(sys.argv[1])
rng = np.random.default_rng(0)
for algorithm, C, O, kernel, stride in ((implicit, 3, 9, 3, 2), (implicit, 20, 41, 3, 1), (winograd, 9, 21, 3, 1)):
    geometry = convolution_geometry((9, 17), (kernel, kernel), stride, 1)
    x = rng.integers(-4, 5, (5, 9, 17, C)).astype(np.float32)
    w = rng.integers(-4, 5, (O, C, kernel, kernel)).astype(np.float32)
    g = rng.integers(-4, 5, (5, *geometry.output_size, O)).astype(np.float32)
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
