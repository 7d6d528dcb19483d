"""A convolution's data, and minicnn's and PyTorch's ways through it."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as TF

import minicnn
import minicnn.nn.functional as F
from benchmarks.rows import Way
from benchmarks.spec import Convolution
from minicnn.kernels import memory

FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


class Problem(NamedTuple):
    """A convolution with numbers in it, float32 and row-major.

    Attributes:
        convolution: its sizes.
        x: (N, C, H, W).
        weight: (O, C/groups, KH, KW).
        bias: (O,).
        grad_output: (N, O, OH, OW).
    """

    convolution: Convolution
    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    grad_output: np.ndarray

    @classmethod
    def random(cls, convolution: Convolution) -> "Problem":
        """Normally distributed numbers, always the same."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal(convolution.input_shape, np.float32)
        weight = rng.standard_normal(convolution.weight_shape, np.float32)
        weight /= np.float32(np.sqrt(convolution.kernel[0] * convolution.kernel[1]))
        bias = rng.standard_normal(convolution.O, np.float32)
        return cls(convolution, x, weight, bias, rng.standard_normal(convolution.output_shape, np.float32))


def channels_last(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) with channels last, in memory that begins where the layer before lets it begin: at a cache line."""
    return aligned(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def aligned(array: np.ndarray) -> np.ndarray:
    """A row-major copy in memory of minicnn's, where its results lie; PyTorch's begin at cache lines too."""
    result = memory.empty(array.shape, array.dtype)
    result[...] = array
    return result


def as_parameter(weight: np.ndarray) -> np.ndarray:
    """(O, C, KH, KW) lying in memory as (KH, KW, C, O), as minicnn's `nn.Conv2d` keeps it."""
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)


def formats(convolution: Convolution) -> list[str]:
    """PyTorch's memory formats that differ; channels_last means nothing for one channel."""
    return list(FORMATS) if convolution.C > 1 else ["NCHW"]


def minicnn_way(problem: Problem, backward: bool, by_input: bool = True, algorithm: str = "auto") -> Way:
    """minicnn's convolution, input and weights lying in memory as inside a network.

    Args:
        problem: what to convolve.
        backward: compute the gradients too.
        by_input: that by the input among them.
        algorithm: as in `conv2d`.

    Returns: a function that returns y, or y and the gradients by input, weight and bias.
    """
    x = minicnn.from_numpy(channels_last(problem.x)).requires_grad_(backward and by_input)
    parameters = as_parameter(problem.weight), problem.bias.copy()
    weight, bias = (minicnn.from_numpy(array).requires_grad_(backward) for array in parameters)
    grad_output = minicnn.from_numpy(channels_last(problem.grad_output))
    arguments = problem.convolution.arguments

    def way() -> list:
        y = F.conv2d(x, weight, bias, *arguments, algorithm=algorithm)
        return [y.detach(), *_gradients(y, grad_output, [x, weight, bias])]

    return way


def torch_way(problem: Problem, backward: bool, by_input: bool = True, memory_format: str = "NCHW") -> Way:
    """PyTorch's convolution, every array in one memory format.

    Args:
        problem, backward, by_input: as in `minicnn_way`.
        memory_format: "NCHW" or "channels_last".
    """
    x, weight, grad_output = (
        torch.from_numpy(a).clone(memory_format=FORMATS[memory_format])
        for a in (problem.x, problem.weight, problem.grad_output)
    )
    bias = torch.from_numpy(problem.bias).clone()
    x.requires_grad_(backward and by_input)
    weight.requires_grad_(backward)
    bias.requires_grad_(backward)
    arguments = problem.convolution.arguments

    def way() -> list:
        y = TF.conv2d(x, weight, bias, *arguments)
        return [y.detach(), *_gradients(y, grad_output, [x, weight, bias])]

    return way


def _gradients(y, grad_output, leaves: list) -> list:
    """Walk back from y, if there is a way; take the gradients from the leaves, so that the next call makes new ones."""
    if not y.requires_grad:
        return []
    y.backward(grad_output)
    gradients = [leaf.grad for leaf in leaves if leaf.requires_grad]
    for leaf in leaves:
        leaf.grad = None
    return gradients
