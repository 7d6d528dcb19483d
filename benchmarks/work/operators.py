"""Norms, activations, pooling, copies and losses, forward and backward: work that memory limits.

On 32×64×32×32, where the row doesn't say otherwise.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as TF

import minicnn
import minicnn.nn.functional as F
from benchmarks.rows import Sides, Way, Work
from benchmarks.work.convolution import FORMATS, aligned, channels_last

SHAPE = (32, 64, 32, 32)


def _work(
    name: str, ours: Callable, theirs: Callable, passes: float, flops: float, shape: tuple[int, ...] = SHAPE
) -> Work:
    """An operator and its gradient with respect to the input.

    Args:
        name: the row's.
        ours, theirs: the operator in minicnn and in PyTorch.
        passes: how many times the size of the input must at least be moved, forward and backward together.
        flops: floating-point operations (additions, multiplications, comparisons) for each element of the input.
        shape: of the input; images lie channels-last in minicnn.
    """
    formats = FORMATS if len(shape) == 4 else {"row-major": torch.contiguous_format}

    def laid(array: np.ndarray) -> np.ndarray:
        return channels_last(array) if array.ndim == 4 else aligned(array)

    def prepare() -> Sides:
        rng = np.random.default_rng(0)
        x = rng.standard_normal(shape, np.float32)
        mx = minicnn.from_numpy(laid(x)).requires_grad_()
        with minicnn.no_grad():
            g = rng.standard_normal(tuple(ours(mx).shape), np.float32)
        mg = minicnn.from_numpy(laid(np.asarray(g)))

        def minicnn_way() -> list:
            mx.grad = None
            y = ours(mx)
            y.backward(mg)
            return [y.detach(), mx.grad]

        def torch_way(memory_format: torch.memory_format) -> Way:
            tx = torch.from_numpy(x).clone(memory_format=memory_format).requires_grad_()
            tg = torch.from_numpy(np.asarray(g))
            tg = tg.clone(memory_format=memory_format if tg.dim() == 4 else torch.contiguous_format)

            def step() -> list:
                tx.grad = None
                y = theirs(tx)
                y.backward(tg)
                return [y.detach(), tx.grad]

            return step

        return Sides(minicnn_way, {name: torch_way(memory_format) for name, memory_format in formats.items()})

    size = float(np.prod(shape))
    return Work(name, "", prepare, flops * size, passes * 4 * size, "memory")


def _linear(N: int, I: int, O: int) -> Work:
    """A linear layer of N rows, with the gradients by weight and input."""
    weight = np.random.default_rng(1).standard_normal((O, I), np.float32)
    own, theirs = minicnn.from_numpy(weight.copy()).requires_grad_(), torch.from_numpy(weight.copy()).requires_grad_()
    name, passes = f"linear {N}×{I} → {O}", 3 + 3 * O * (N + I) / (N * I)
    work = _work(name, lambda x: F.linear(x, own), lambda x: TF.linear(x, theirs), passes, 6 * O, (N, I))
    return work if N < 64 else replace(work, limit="arithmetic")


def operators() -> list[Work]:
    """The operators; the bytes count every array that is read or written once."""
    labels = np.arange(128) * 7 % 1000
    ours, theirs = minicnn.tensor(labels), torch.from_numpy(labels)
    zeros = torch.zeros(SHAPE)
    beside, laid = (
        minicnn.from_numpy(channels_last(zeros.numpy())),
        {f: zeros.clone(memory_format=f) for f in FORMATS.values()},
    )

    def like(x: torch.Tensor) -> torch.Tensor:
        return laid[torch.contiguous_format if x.is_contiguous() else torch.channels_last]

    channels = SHAPE[1]
    arrays = [np.full(channels, value, np.float32) for value in (0, 1, 1, 0)]  # running mean, variance, weight, bias
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    slopes = np.full(channels, 0.25, np.float32)
    own, its = minicnn.from_numpy(slopes.copy()).requires_grad_(), torch.from_numpy(slopes.copy()).requires_grad_()
    small = (1, 16, 10, 10)
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
        _work("max pool 3×3/2", lambda x: F.max_pool2d(x, 3, 2, 1), lambda x: TF.max_pool2d(x, 3, 2, 1), 3, 3),
        _work(
            "global average pool", lambda x: F.adaptive_avg_pool2d(x, 1), lambda x: TF.adaptive_avg_pool2d(x, 1), 2, 2
        ),
        _work("leaky relu", lambda x: F.leaky_relu(x, 0.2), lambda x: TF.leaky_relu(x, 0.2), 5, 2),
        _work("prelu, with the gradient by its slopes", lambda x: F.prelu(x, own), lambda x: TF.prelu(x, its), 5, 4),
        _work("x ** 3", lambda x: x**3, lambda x: x**3, 5, 5),
        _work("sigmoid", F.sigmoid, torch.sigmoid, 5, 6),
        _work("tanh", F.tanh, torch.tanh, 5, 6),
        _work("silu", F.silu, TF.silu, 5, 12),
        _work("gelu", F.gelu, TF.gelu, 5, 20),
        _work("hardswish", F.hardswish, TF.hardswish, 5, 8),
        _work("elu", F.elu, TF.elu, 5, 8),
        _work("softplus", F.softplus, TF.softplus, 5, 12),
        _work("instance norm", F.instance_norm, TF.instance_norm, 8, 15),
        _work("group norm", lambda x: F.group_norm(x, 8), lambda x: TF.group_norm(x, 8), 8, 15),
        _work("cat", lambda x: minicnn.cat([x, beside], 1), lambda x: torch.cat([x, like(x)], 1), 4 + 2, 0),
        _work(
            "transposed copy", lambda x: x.transpose(1, 3).contiguous(), lambda x: x.transpose(1, 3).contiguous(), 4, 0
        ),
        _work(
            "reflect pad",
            lambda x: F.pad(x, (1,) * 4, mode="reflect"),
            lambda x: TF.pad(x, (1,) * 4, mode="reflect"),
            4,
            1,
        ),
        _work("pixel shuffle", lambda x: F.pixel_shuffle(x, 2), lambda x: TF.pixel_shuffle(x, 2), 4, 0),
        _work(
            "nearest ×2", lambda x: F.interpolate(x, scale_factor=2), lambda x: TF.interpolate(x, scale_factor=2), 10, 4
        ),
        _work(
            "bilinear ×2",
            lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
            lambda x: TF.interpolate(x, scale_factor=2, mode="bilinear"),
            10,
            32,
        ),
        _work("relu 1×16×10×10", F.relu, TF.relu, 5, 2, small),
        _work(
            "average pool 2×2 1×16×10×10",
            lambda x: F.avg_pool2d(x, 2),
            lambda x: TF.avg_pool2d(x, 2),
            1.25 + 1.25,
            1 + 0.25,
            small,
        ),
        _work("softmax 128×1000", lambda x: F.softmax(x, 1), lambda x: TF.softmax(x, 1), 5, 8, (128, 1000)),
        _work("log softmax 128×1000", lambda x: F.log_softmax(x, 1), lambda x: TF.log_softmax(x, 1), 5, 8, (128, 1000)),
        _work(
            "cross-entropy 128×1000",
            lambda x: F.cross_entropy(x, ours),
            lambda x: TF.cross_entropy(x, theirs),
            2,
            8,
            (128, 1000),
        ),
        _work(
            "layer norm 4096×768",
            lambda x: F.layer_norm(x, (768,)),
            lambda x: TF.layer_norm(x, (768,)),
            8,
            15,
            (4096, 768),
        ),
        *[
            _linear(N, I, O)
            for N, I, O in [(1, 120, 84), (1, 1024, 512), (64, 1024, 512), (512, 1024, 512), (1, 4096, 4096)]
        ],
    ]
