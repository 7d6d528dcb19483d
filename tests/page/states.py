"""A small state of each operation, as `Explanation.state` gives them."""

from typing import Any

import numpy as np

import minicnn
from minicnn.nn import functional as F

OPERATIONS = ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "batch_norm", "cross_entropy")
NEITHER = ("running_mean", "running_var", "target")
"""Arguments that get no gradient."""


def plain(array: Any) -> dict[str, Any]:
    """An array as JSON takes it."""
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    values = np.asarray(array, np.float64)
    return {"shape": list(values.shape), "values": [words.get(str(value), value) for value in values.ravel().tolist()]}


def state(op: str, arrays: dict[str, Any], options: dict[str, Any], at: list[int], seed: int = 0) -> dict[str, Any]:
    """The state of an operation on these arrays, computed by minicnn."""
    tensors = {name: minicnn.tensor(array) for name, array in arrays.items()}
    unlearned = (*NEITHER, "weight") if op == "cross_entropy" else NEITHER
    for name, tensor in tensors.items():
        if name not in unlearned:
            tensor.requires_grad_()
    # batch_norm changes the running statistics in place: `arrays` keeps those from before
    output = getattr(F, op)(**tensors, **options)
    grad_output = np.random.default_rng(seed).integers(1, 4, output.shape).astype(float)
    output.backward(minicnn.tensor(grad_output))
    results = {"output": plain(output.detach().numpy()), "grad_output": plain(grad_output)}
    results |= {f"grad_{name}": plain(t.grad.numpy()) for name, t in tensors.items() if t.requires_grad}
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    numbers = {name: plain(array) for name, array in arrays.items()}
    return {"op": op, "arrays": numbers, "options": given, "at": at, "results": results}


def example(op: str, seed: int = 1) -> dict[str, Any]:
    """A small state of an operation."""
    numbers = np.random.default_rng(seed)
    image = lambda *shape: numbers.integers(0, 5, shape).astype(float)  # noqa: E731
    weight = lambda *shape: numbers.integers(-2, 3, shape).astype(float)  # noqa: E731
    if op == "conv2d":
        arrays = {"input": image(1, 1, 5, 5), "weight": weight(1, 1, 3, 3), "bias": weight(1)}
        return state(op, arrays, {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}, [0, 0, 1, 2])
    if op == "conv_transpose2d":
        return state(op, {"input": image(1, 1, 3, 3), "weight": weight(1, 1, 3, 3)}, {"stride": 2}, [0, 0, 1, 1])
    if op == "max_pool2d":
        return state(op, {"input": image(1, 1, 6, 6)}, {"kernel_size": 2}, [0, 0, 1, 1])
    if op == "avg_pool2d":
        return state(op, {"input": image(1, 1, 6, 6)}, {"kernel_size": 3, "stride": 2, "padding": 1}, [0, 0, 1, 1])
    if op == "batch_norm":
        arrays = {"input": image(2, 2, 3, 3), "running_mean": np.zeros(2), "running_var": np.ones(2)}
        arrays |= {"weight": np.array([2.0, -1.0]), "bias": np.array([1.0, 0.0])}
        return state(op, arrays, {"training": True, "momentum": 0.1, "eps": 1e-5}, [0, 0, 1, 1])
    return state(op, {"input": weight(4, 5), "target": np.array([0, 3, 1, 4])}, {}, [])
