"""There is no CUDA in minicnn; programs that ask are told so.

What only seeds, tidies up or waits is accepted, since there is nothing to do; what needs a GPU raises.
"""

from typing import Any, NoReturn

from minicnn.compat import missing
from minicnn.cuda import amp

__all__ = [
    "amp",
    "device_count",
    "empty_cache",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "synchronize",
]

_NEEDS_A_GPU = (
    "BoolTensor ByteTensor CharTensor CUDAGraph DoubleTensor Event ExternalStream FloatTensor HalfTensor IntTensor "
    "LongTensor ShortTensor Stream current_blas_handle current_device current_stream default_stream device device_of "
    "get_arch_list get_device_capability get_device_name get_device_properties get_rng_state get_rng_state_all graph "
    "init initial_seed ipc_collect mem_get_info memory_cached memory_snapshot memory_stats memory_summary nvtx "
    "set_device set_per_process_memory_fraction set_rng_state set_rng_state_all set_stream stream utilization"
)


def is_available() -> bool:
    """False: minicnn computes on the CPU. The models in `reference` run on CUDA."""
    return False


def device_count() -> int:
    """0"""
    return 0


def is_initialized() -> bool:
    """False"""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False"""
    return False


def manual_seed(seed: int) -> None:
    """Accepted: there is no generator of a GPU to seed."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Accepted: there is no generator of a GPU to seed."""
    int(seed)


def seed() -> None:
    """Accepted: there is no generator of a GPU to seed."""


def seed_all() -> None:
    """Accepted: there is no generator of a GPU to seed."""


def empty_cache() -> None:
    """Accepted: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Accepted: every operation is finished when it returns."""


def memory_allocated(device: Any = None) -> int:
    """0: no memory of a GPU is in use."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def reset_peak_memory_stats(device: Any = None) -> None:
    """Accepted: the peak is 0."""


def _refusing(name: str) -> Any:
    """A function that says that it needs a GPU."""

    def refuse(*arguments: Any, **named: Any) -> NoReturn:
        raise RuntimeError(
            f"torch.cuda.{name} needs a GPU, and minicnn computes on the CPU; the models in `reference` run on CUDA"
        )

    return refuse


globals().update({name: _refusing(name) for name in _NEEDS_A_GPU.split()})

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
