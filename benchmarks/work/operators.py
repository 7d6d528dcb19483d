"""Batch norm, relu and pooling on 32×64×32×32, forward and backward: work that memory limits."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as TF

import minicnn
import minicnn.nn.functional as F
from benchmarks.rows import Sides, Way, Work
from benchmarks.work.convolution import FORMATS, channels_last

SHAPE = (32, 64, 32, 32)


def _work(name: str, ours: Callable, theirs: Callable, passes: float, flops: float) -> Work:
    """An operator and its gradient by the input.

    Args:
        passes: how many times the size of the input must at least be moved, forward and backward together.
        flops: floating-point operations (additions, multiplications, comparisons) for each element of the input.
    """

    def prepare() -> Sides:
        rng = np.random.default_rng(0)
        x = rng.standard_normal(SHAPE, np.float32)
        mx = minicnn.Tensor(channels_last(x), True)
        with minicnn.no_grad():
            g = rng.standard_normal(tuple(ours(mx).shape), np.float32)
        mg = minicnn.Tensor(channels_last(g))

        def minicnn_way() -> list[np.ndarray]:
            mx.grad = None
            y = ours(mx)
            y.backward(mg)
            return [y.detach().numpy(), mx.grad.numpy()]

        def torch_way(memory_format: torch.memory_format) -> Way:
            tx = torch.from_numpy(x).clone(memory_format=memory_format).requires_grad_()
            tg = torch.from_numpy(g).clone(memory_format=memory_format)

            def step() -> list[np.ndarray]:
                tx.grad = None
                y = theirs(tx)
                y.backward(tg)
                return [y.detach().numpy(), tx.grad.numpy()]

            return step

        return Sides(minicnn_way, {name: torch_way(memory_format) for name, memory_format in FORMATS.items()})

    size = float(np.prod(SHAPE))
    return Work(name, "", prepare, flops * size, passes * 4 * size, "memory")


def operators() -> list[Work]:
    """The four operators; the bytes count every array that is read or written once."""
    channels = SHAPE[1]
    arrays = [np.full(channels, value, np.float32) for value in (0, 1, 1, 0)]  # running mean, variance, weight, bias
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    return [
        _work(
            "batch norm",
            lambda x: F.batch_norm(x, *arrays, training=True),
            lambda x: TF.batch_norm(x, *tensors, training=True),
            3 + 5,  # statistics, normalise; sums, gradient
            6 + 9,  # sum, squared distance from the mean, scale and shift; two sums, gradient
        ),
        _work("relu", F.relu, TF.relu, 2 + 3, 1 + 1),
        _work("max pool 2×2", lambda x: F.max_pool2d(x, 2), lambda x: TF.max_pool2d(x, 2), 1.5 + 1.5, 0.75 + 0),
        _work("average pool 2×2", lambda x: F.avg_pool2d(x, 2), lambda x: TF.avg_pool2d(x, 2), 1.25 + 1.25, 1 + 0.25),
    ]
