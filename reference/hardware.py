"""What a training runs on, what that can do at most, and how much work an image is."""

import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from minicnn.recipes.errors import UserError, one_of
from minicnn.recipes.table import count

BF16_PEAKS = {
    r"B200": 2250,
    r"GH200|H200|H100 80GB HBM3": 989,
    r"H100 NVL": 835,
    r"H100 PCIe": 756,
    r"A100|A800": 312,
    r"A30": 165,
    r"A10": 125,
    r"L40S": 362,
    r"L40": 181,
    r"L4": 121,
    r"RTX 5090": 209,
    r"RTX 4090": 165,
    r"RTX 3090": 71,
}
"""A part of a card's name → TFLOP/s of its tensor cores on dense bf16 matrices, from NVIDIA's data sheets."""


DEVICES = dict.fromkeys(("auto", "cpu", "cuda"))
PRECISIONS = dict.fromkeys(("off", "bf16"))

Device = Annotated[
    str, typer.Option(callback=one_of(DEVICES), help="Where: cpu, cuda, or auto, a GPU if there is one.")
]
Amp = Annotated[
    str | None,
    typer.Option(callback=one_of(PRECISIONS), help="bf16 multiplies in bfloat16.  [default: bf16 on a GPU]"),
]
ChannelsLast = Annotated[
    bool | None,
    typer.Option("--channels-last/--no-channels-last", help="Keep channels last in memory.  [default: on a GPU]"),
]
Compiled = Annotated[
    bool | None,
    typer.Option("--compile/--no-compile", help="Let torch.compile make the kernels.  [default: on a GPU]"),
]


class Choices(NamedTuple):
    """How to compute.

    Attributes:
        device: where.
        bf16: whether convolutions and matrix products run in bfloat16 (weights stay float32).
        channels_last: whether images and weights lie with their channels last in memory.
        compiled: whether torch.compile makes the kernels.
    """

    device: torch.device
    bf16: bool
    channels_last: bool
    compiled: bool

    @property
    def memory_format(self) -> torch.memory_format:
        """That of weights and images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def __str__(self) -> str:
        """`NVIDIA H200, bf16, channels last, compiled`"""
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            name = f"CPU, {count(torch.get_num_threads(), 'thread')}"
        return ", ".join(
            [
                name,
                "bf16" if self.bf16 else "float32",
                *(["channels last"] if self.channels_last else []),
                *(["compiled"] if self.compiled else []),
            ]
        )


def choose(device: str, local_rank: int, amp: str | None, channels_last: bool | None, compiled: bool | None) -> Choices:
    """Settle what was left open: a GPU where there is one, and there all that makes it fast.

    Args:
        device: "auto", "cpu" or "cuda".
        local_rank: which GPU of this machine.
        amp: "off", "bf16", or None to choose.
        channels_last, compiled: as in `Choices`, or None to choose.

    Raises:
        UserError: where there is no such GPU, or it has no bfloat16.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cuda = device == "cuda" or (device == "auto" and gpus > 0)
    if cuda and local_rank >= gpus:
        found = "no GPU that PyTorch can use" if not gpus else f"only {count(gpus, 'GPU')} for {local_rank + 1} or more"
        raise UserError(f"--device {device}: there is {found}; --device cpu computes without")
    chosen = torch.device("cuda", local_rank) if cuda else torch.device("cpu")
    has_bf16 = not cuda or torch.cuda.get_device_capability(chosen) >= (8, 0)
    if amp == "bf16" and not has_bf16:
        raise UserError(f"--amp bf16: {torch.cuda.get_device_name(chosen)} has no bfloat16")
    return Choices(
        chosen,
        bf16=cuda and has_bf16 if amp is None else amp == "bf16",
        channels_last=cuda if channels_last is None else channels_last,
        compiled=cuda if compiled is None else compiled,
    )


def configure(choices: Choices) -> None:
    """Set PyTorch up: on a GPU the fastest algorithms, and float32 that is float32."""
    if choices.device.type == "cuda":
        torch.cuda.set_device(choices.device)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False


def torch_product(a: np.ndarray) -> Callable[[], Tensor]:
    """What multiplies a matrix by itself, on the processor; see `minicnn.recipes.peak.sgemm_peak`."""
    matrix = torch.from_numpy(a)
    out = torch.empty_like(matrix)
    return lambda: torch.mm(matrix, matrix, out=out)


def bf16_peak(name: str) -> float | None:
    """The most FLOP/s of a card in bfloat16.

    Args:
        name: as `torch.cuda.get_device_name` gives it.

    Returns: None for an unknown card, for a part of one, and for a laptop's, which share their names with faster ones.
    """
    if "MIG" in name or "Laptop" in name:
        return None
    return next((peak * 1e12 for part, peak in BF16_PEAKS.items() if re.search(rf"\b({part})\b", name)), None)


def training_flops(network: nn.Module, shape: tuple[int, int, int]) -> float:
    """Floating-point operations of one image's way through a network, forward and backward.

    A multiply-add counts two; only matrix products and convolutions count.

    Args:
        network: a network in training mode, on the device "meta", where nothing is computed.
        shape: (C, H, W) of an image.
    """
    images = 2  # batch norm takes no single one
    with FlopCounterMode(display=False) as counter:
        scores = network(torch.empty(images, *shape, device="meta"))
        F.cross_entropy(scores, torch.zeros(images, dtype=torch.int64, device="meta")).backward()
    return counter.get_total_flops() / images
