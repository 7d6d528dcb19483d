"""A group of one process, shaped like `torch.distributed`: programs written for several run as the only one.

What several processes would exchange stays where it is: a sum over the group is the summand.
"""

import copy
import os
from collections.abc import Callable
from enum import Enum
from typing import Any

from minicnn.compat import missing
from minicnn.errors import ShapeError
from minicnn.tensor import Tensor

__all__ = [
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "new_group",
    "reduce",
    "scatter",
]

_initialized = False


class ReduceOp(Enum):
    """How the tensors of the processes become one."""

    SUM = "sum"
    AVG = "avg"
    PRODUCT = "product"
    MIN = "min"
    MAX = "max"


class Work:
    """What is being sent, with `async_op=True`; of one process it is done at once."""

    def wait(self, timeout: Any = None) -> bool:
        """True: it is done."""
        return True

    def is_completed(self) -> bool:
        """True"""
        return True


class group:  # noqa: N801  (PyTorch's name)
    """Names of groups."""

    WORLD = None


def is_available() -> bool:
    """True: there are groups of one process."""
    return True


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return _initialized


def is_torchelastic_launched() -> bool:
    """Whether torchrun started the program."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_gloo_available() -> bool:
    """True: "gloo" is the backend of CPUs."""
    return True


def is_nccl_available() -> bool:
    """False: there is no GPU."""
    return False


def is_mpi_available() -> bool:
    """False"""
    return False


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
) -> None:
    """Make the group of this process alone.

    Args:
        backend: "gloo", or None.
        init_method, timeout, store, group_name: how the other processes are found; there are none.
        world_size: 1; by default the environment variable WORLD_SIZE.
        rank: 0; by default the environment variable RANK.

    Raises:
        ValueError: where the number of processes is not to be known, for a second call, and for another backend.
        RuntimeError: for more than one process.
    """
    global _initialized
    if _initialized:
        raise ValueError("trying to initialize the default process group twice!")
    if backend not in (None, "gloo", "cpu:gloo"):
        raise ValueError(f"minicnn's process group has the backend 'gloo', of CPUs, got {backend!r}")
    for name, given in (("RANK", rank), ("WORLD_SIZE", world_size)):
        if given == -1 and name not in os.environ:
            raise ValueError(f"init_process_group needs {name.lower()}, or the environment variable {name}")
    size = int(os.environ["WORLD_SIZE"]) if world_size == -1 else world_size
    number = int(os.environ["RANK"]) if rank == -1 else rank
    if size != 1 or number != 0:
        raise RuntimeError(
            f"minicnn computes in one process, on all cores: world_size must be 1 and rank 0, got {size} and {number}"
        )
    _initialized = True


def destroy_process_group(group: Any = None) -> None:
    """Undo `init_process_group`."""
    global _initialized
    _check_initialized()
    _initialized = False


def _check_initialized() -> None:
    if not _initialized:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")


def get_rank(group: Any = None) -> int:
    """0

    Raises:
        ValueError: without `init_process_group`, as everything below.
    """
    _check_initialized()
    return 0


def get_world_size(group: Any = None) -> int:
    """1"""
    _check_initialized()
    return 1


def get_backend(group: Any = None) -> str:
    """ "gloo\""""
    _check_initialized()
    return "gloo"


def new_group(ranks: list[int] | None = None, timeout: Any = None, backend: str | None = None) -> None:
    """The group of this process once more; `None` stands for it everywhere.

    Raises:
        ValueError: for ranks that there aren't.
    """
    _check_initialized()
    if ranks is not None and any(rank != 0 for rank in ranks):
        raise ValueError(f"there is one process, of rank 0, got {ranks}")


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait for the other processes, of which there are none."""
    return _done(async_op)


def _done(async_op: bool, *tensors: Any) -> Work | None:
    _check_initialized()
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"Invalid function argument. Expected parameter `tensor` of type Tensor, got {type(tensor)}"
            )
    return Work() if async_op else None


def _check_only(rank: int | None, name: str) -> None:
    if rank not in (None, 0):
        raise ShapeError(f"{name} must be 0, the rank of the only process, got {rank}")


def _one(tensors: Any, name: str) -> Any:
    """The element of a list that has one for each process."""
    if len(tensors) != 1:
        raise ShapeError(f"{name} must have one element for each process, that is 1, got {len(tensors)}")
    return tensors[0]


def all_reduce(tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Leave the tensor as it is: the sum, product, least or largest of one.

    Raises:
        TypeError: for something that isn't a Tensor, as all of these.
    """
    return _done(async_op, tensor)


def reduce(
    tensor: Tensor, dst: int | None = None, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """`all_reduce` for the process of rank `dst`, 0."""
    _check_only(dst, "dst")
    return _done(async_op, tensor)


def broadcast(tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False) -> Work | None:
    """Leave the tensor as it is, which the process of rank `src`, 0, has sent."""
    _check_only(src, "src")
    return _done(async_op, tensor)


def broadcast_object_list(object_list: list, src: int | None = None, group: Any = None, device: Any = None) -> None:
    """Leave the objects as they are."""
    _check_only(src, "src")
    _done(False)


def all_gather(tensor_list: list, tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Copy the tensor into the only element of `tensor_list`."""
    work = _done(async_op, tensor, *tensor_list)
    _copy(_one(tensor_list, "tensor_list"), tensor)
    return work


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Copy one tensor into the other."""
    work = _done(async_op, output_tensor, input_tensor)
    _copy(output_tensor, input_tensor.reshape(output_tensor.shape))
    return work


def all_gather_object(object_list: list, obj: Any, group: Any = None) -> None:
    """Put a copy of the object into the only place of `object_list`."""
    _done(False)
    _one(object_list, "object_list")
    object_list[0] = copy.deepcopy(obj)


def gather(
    tensor: Tensor,
    gather_list: list | None = None,
    dst: int | None = None,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Copy the tensor into the only element of `gather_list`."""
    _check_only(dst, "dst")
    work = _done(async_op, tensor)
    if gather_list is None:
        raise ValueError("gather needs gather_list at its destination")
    _copy(_one(gather_list, "gather_list"), tensor)
    return work


def scatter(
    tensor: Tensor,
    scatter_list: list | None = None,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Copy the only element of `scatter_list` into the tensor."""
    _check_only(src, "src")
    work = _done(async_op, tensor)
    if scatter_list is None:
        raise ValueError("scatter needs scatter_list at its source")
    _copy(tensor, _one(scatter_list, "scatter_list"))
    return work


def _copy(into: Tensor, tensor: Tensor) -> None:
    if into.shape != tensor.shape or into.dtype != tensor.dtype:
        raise ShapeError(
            f"shapes and dtypes must be equal, got {tuple(tensor.shape)} of {tensor.dtype} "
            f"for {tuple(into.shape)} of {into.dtype}"
        )
    into.detach().copy_(tensor.detach())


__getattr__: Callable[[str], object] = missing.getattr_of(__name__, lambda: __all__)
