"""Batch normalization: every channel to mean 0 and variance 1, then to a learned mean and scale."""

from typing import Any

import numpy as np

from minicnn.nn import functional as F
from minicnn.nn import init
from minicnn.nn._arguments import empty, empty_parameter
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor

_SHARED_DOC = """
    In training, mean and variance are the batch's, and running estimates follow them; in evaluation, mean and
    variance are those estimates. Ioffe and Szegedy, "Batch normalization", 2015.

    y = (x − mean) / √(variance + eps) · weight + bias

    Args:
        num_features: C, the number of channels.
        eps: added to the variance.
        momentum: the batch's share in the running estimates; None for the mean over all batches so far.
        affine: whether to learn weight and bias.
        track_running_stats: whether to keep running estimates; without, evaluation too takes the batch's own.
        device: None or "cpu".
        dtype: of the parameters and running estimates, float32 by default.
        bias: whether, where `affine`, to learn a bias.

    Attributes:
        weight, bias: Parameters of shape (C,), from 1 and 0; or None.
        running_mean, running_var: buffers of shape (C,), from 0 and 1; or None.
        num_batches_tracked: buffer, an int64 number; or None.
"""


class _ChannelNorm(Module):
    """What batch and instance normalization share: a weight, a bias and running statistics for every channel."""

    _version = 2
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shapes = self._state_shapes()
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty_parameter(shapes[name], device, dtype) if wanted else None)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, empty(shapes[name], device, dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", empty((), device, np.int64) if track_running_stats else None)
        self.reset_parameters()

    def _state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of parameters and running statistics, given the attributes."""
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (self.num_features,))

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forget all batches and all that was learned."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def _may_lack(self, name: str, version: int | None) -> bool:
        return name == "num_batches_tracked" and (version is None or version < 2)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    """What the dimensions share."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape, normalized; see the class."""
        self._check_input_dim(input)
        share = 0.0 if self.momentum is None else self.momentum
        follow = self.training and self.track_running_stats
        if follow and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                share = 1.0 / self.num_batches_tracked.item()
        estimates = follow or not self.training
        return F.batch_norm(
            input,
            self.running_mean if estimates else None,
            self.running_var if estimates else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            share,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    __doc__ = "Batch normalization of vectors (N, C) or sequences (N, C, L).\n" + _SHARED_DOC

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.ndim}D input)")


class BatchNorm2d(_BatchNorm):
    __doc__ = "Batch normalization of images (N, C, H, W).\n" + _SHARED_DOC

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim != 4:
            raise ValueError(f"expected 4D input (got {input.ndim}D input)")


class BatchNorm3d(_BatchNorm):
    __doc__ = "Batch normalization of volumes (N, C, D, H, W).\n" + _SHARED_DOC

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim != 5:
            raise ValueError(f"expected 5D input (got {input.ndim}D input)")


class SyncBatchNorm(Module):
    """Batch normalization over several processes, which there are none of.

    Raises:
        RuntimeError: always; `BatchNorm2d` does the same in one process.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("SyncBatchNorm needs several processes; in one, BatchNorm1d, 2d and 3d do the same")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Not to be had.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("convert_sync_batchnorm: in one process the batch norms of a model stay as they are")
