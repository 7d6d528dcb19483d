"""Networks on several devices; here there is one."""

from typing import Any, NoReturn

from minicnn.compat import missing
from minicnn.nn.module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """A network that would share each batch out among GPUs; on the CPU, as in PyTorch, it computes by itself.

    Args:
        module: the network, later found as `.module`.
        device_ids, output_device, dim: which GPUs, where the output goes, and which axis is shared out.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list = []

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """`module(*inputs, **named)`"""
        return self.module(*inputs, **named)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """`module(*inputs, **module_kwargs)`: what `DataParallel` computes, as a function.

    Args:
        module: the network.
        inputs: its input, or a tuple of them.
        device_ids, output_device, dim: as of `DataParallel`.
        module_kwargs: its arguments by name.
    """
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """A network in several processes, which minicnn does not have.

    Raises:
        RuntimeError: always.
    """

    def __init__(self, *arguments: Any, **named: Any) -> NoReturn:
        raise RuntimeError(
            "minicnn computes in one process, on all cores: leave DistributedDataParallel and torch.distributed out"
        )


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
