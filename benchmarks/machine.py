"""The machine: its name, its limits, and the threads both sides run on."""

import os
import platform
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.timing import once
from minicnn.recipes import peak


class Limits(NamedTuple):
    """What the machine can do at most, measured.

    Attributes:
        gflops: GFLOP/s of a product of two large float32 matrices.
        gbs: GB/s of a copy between large arrays, read plus written.
    """

    gflops: float
    gbs: float

    def __str__(self) -> str:
        return f"{self.gflops:.0f} GFLOP/s in sgemm, {self.gbs:.1f} GB/s in a copy (read + written)"


def measure_limits() -> Limits:
    """The limits on the threads that both sides have now."""
    return Limits(sgemm_peak(), copy_bandwidth())


def pin_threads(threads: int) -> None:
    """Give minicnn, NumPy's BLAS and PyTorch the same number of threads."""
    import torch

    import minicnn

    minicnn.set_num_threads(threads)
    torch.set_num_threads(threads)


def describe(threads: int) -> dict[str, str]:
    """CPU, threads, versions and the state of the kernel cache, for the head of every report."""
    import numba
    import torch

    import minicnn
    from minicnn.kernels.cache import cache_directory
    from minicnn.kernels.machine import vector_bytes

    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    kernels = len(list(cache_directory().glob("*.kernel")))
    return {
        "CPU": f"{cpu}, {os.cpu_count()} cores, vectors of {vector_bytes()} bytes",
        "threads": f"{threads} (minicnn, BLAS and PyTorch alike)",
        "versions": f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}, "
        f"PyTorch {torch.__version__}, minicnn {minicnn.__version__}",
        "kernel cache": f"{kernels} compiled kernels at the start",
    }


def sgemm_peak() -> float:
    """The most GFLOP/s that a product of two float32 matrices reaches, by PyTorch's BLAS or by NumPy's."""
    from reference.hardware import torch_product

    return peak.sgemm_peak(torch_product) / 1e9


def copy_bandwidth(megabytes: int = 256, repeats: int = 7) -> float:
    """GB/s of a copy between arrays too large for any cache, bytes read plus bytes written."""
    import torch

    a = torch.zeros(megabytes * 2**20 // 4)
    b = torch.empty_like(a)
    best = min(once(lambda: b.copy_(a)) for _ in range(repeats))
    return 2 * a.numel() * 4 / best / 1e9
