"""What judges of course exercises ask, to set beside `minicnn check`: a handful of fixed cases against PyTorch.

One small image of normally distributed numbers, kernels of 3, stride 1 and 2, padding 0 and 1, batch 1; `allclose` with
rtol 1e-4 and atol 1e-5; the gradient compared once.
"""

import functools
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as TF

from minicnn.testing.operations import OPERATIONS
from minicnn.testing.operations.operation import Operation
from minicnn.testing.wrong import Mistake

RTOL, ATOL = 1e-4, 1e-5
Arrays = dict[str, np.ndarray]


def _image(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((1, 3, 5, 5), np.float32)


def _arrays(operation: str, rng: np.random.Generator) -> Arrays:
    """The arrays of one case, by the names in `minicnn.nn.functional`."""

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    if operation == "conv2d":
        return {"input": _image(rng), "weight": normal(4, 3, 3, 3), "bias": normal(4)}
    if operation == "conv_transpose2d":
        return {"input": _image(rng), "weight": normal(3, 4, 3, 3), "bias": normal(4)}
    if operation == "linear":
        return {"input": normal(4, 10), "weight": normal(5, 10), "bias": normal(5)}
    if operation == "batch_norm":
        statistics = {"running_mean": np.zeros(3, np.float32), "running_var": np.ones(3, np.float32)}
        return {"input": normal(4, 3, 5, 5), **statistics, "weight": normal(3), "bias": normal(3)}
    if operation == "layer_norm":
        return {"input": normal(4, 10), "weight": normal(10), "bias": normal(10)}
    if operation in ("relu", "softmax", "log_softmax"):
        return {"input": normal(4, 10)}
    if operation == "cross_entropy":
        return {"input": normal(4, 10), "target": rng.integers(0, 10, 4)}
    if operation == "fold":
        return {"input": normal(1, 27, 9)}
    return {"input": _image(rng)}


def _options(operation: str) -> list[dict[str, Any]]:
    """The options of each case."""
    windows = [{"stride": stride, "padding": padding} for padding, stride in product((0, 1), (1, 2))]
    if operation in ("conv2d", "conv_transpose2d"):
        return windows
    if operation in ("max_pool2d", "avg_pool2d", "unfold"):
        return [{"kernel_size": 3, **window} for window in windows]
    others: dict[str, list[dict[str, Any]]] = {
        "fold": [
            {"output_size": 5, "kernel_size": 3},
            {"output_size": 5, "kernel_size": 3, "padding": 1, "stride": 2},
        ],
        "adaptive_avg_pool2d": [{"output_size": 1}, {"output_size": 2}],
        "batch_norm": [{"training": True}, {"training": False}],
        "layer_norm": [{"normalized_shape": (10,)}],
        "softmax": [{"dim": 1}],
        "log_softmax": [{"dim": 1}],
        "pad": [{"pad": (1, 1, 1, 1)}, {"pad": (1, 1, 1, 1), "mode": "reflect"}],
    }
    return others.get(operation, [{}])


def _called(mistake: Mistake, operation: Operation, grad: np.ndarray | None, arrays: Arrays, options: Mapping) -> Any:
    """What the mistake answers: as many arrays by position as stand first in its signature."""
    first = [] if grad is None else [grad]
    named = dict(arrays)
    for name in operation.order:
        if name not in named:
            break
        first.append(named.pop(name))
    return mistake.function(*first, **named, **options)


def _equal(received: Any, wanted: torch.Tensor | None) -> bool:
    assert wanted is not None
    received, expected = np.asarray(received), wanted.detach().numpy()
    return received.shape == expected.shape and np.allclose(received, expected, RTOL, ATOL)


@functools.cache
def finds(mistake: Mistake, seed: int = 0) -> bool:
    """Whether the handful sees that a mistake is one."""
    operation, rng = OPERATIONS[mistake.operation], np.random.default_rng(seed)
    cases = _options(operation.name)
    for options in cases[-1:] if mistake.backward else cases:
        arrays = _arrays(operation.name, rng)
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        for name in operation.floats:
            if name in tensors:
                tensors[name].requires_grad_()
        every: dict[str, torch.Tensor | None] = {name: tensors.get(name) for name in operation.arrays}
        y = operation.call(TF, every, {**_defaults(operation), **options})
        try:
            if not mistake.backward:
                right = _equal(_called(mistake, operation, None, arrays, options), y)
                right &= all(_equal(arrays[name], tensors[name]) for name in operation.updates if name in arrays)
            else:
                grad = rng.standard_normal(tuple(y.shape), np.float32)
                y.backward(torch.from_numpy(grad))
                results = _called(mistake, operation, grad, arrays, options)
                results = results if isinstance(results, tuple) else (results,)
                wanted = [tensors[name].grad for name in operation.floats if name in tensors]
                right = all(_equal(*both) for both in zip(results, wanted, strict=False))
        except Exception:
            return True
        if not right:
            return True
    return False


def _defaults(operation: Operation) -> dict[str, Any]:
    return {name: value for name, value in operation.options.items() if value is not ...}
