"""Networks on several devices; here there is one."""

import contextlib
from collections.abc import Iterator
from typing import Any

from minicnn import distributed
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
    """A network of which each process of a group holds a copy; of a group of one, the network itself.

    Args:
        module: the network, later found as `.module`.
        device_ids, output_device: None: they are of GPUs.
        dim, broadcast_buffers, init_sync, process_group, bucket_cap_mb: how gradients travel; none do.
        find_unused_parameters, check_reduction, gradient_as_bucket_view, static_graph: the same.

    Raises:
        ValueError: without `torch.distributed.init_process_group`, and for `device_ids` or `output_device`.
        RuntimeError: for a network without parameters that require gradients.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool = True,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: int | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
    ) -> None:
        super().__init__()
        distributed.get_rank()
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        if device_ids or output_device is not None:
            raise ValueError(
                f"there is no GPU: leave device_ids and output_device out, got {device_ids} and {output_device}"
            )
        self.module = module
        self.device_ids = None

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """`module(*inputs, **named)`"""
        return self.module(*inputs, **named)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A block whose gradients are not exchanged; none ever are."""
        yield


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
