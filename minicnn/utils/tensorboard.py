"""`SummaryWriter`: figures for TensorBoard, written by the package tensorboardX."""

import functools
from collections.abc import Callable
from typing import Any

from minicnn.autograd import Variable

try:
    from tensorboardX import SummaryWriter as Writer
except ImportError as error:
    raise ModuleNotFoundError(
        "SummaryWriter needs the package tensorboardX: pip install tensorboardX", name="tensorboardX"
    ) from error

__all__ = ["SummaryWriter"]


def _as_arrays(value: Any) -> Any:
    """`value` with arrays in place of its Tensors."""
    if isinstance(value, Variable):
        return value._array
    if isinstance(value, dict):
        return {key: _as_arrays(part) for key, part in value.items()}
    return type(value)(map(_as_arrays, value)) if type(value) in (list, tuple) else value


def _taking_tensors(method: Callable) -> Callable:
    """A method of tensorboardX's writer that takes Tensors, too."""

    @functools.wraps(method)
    def taking_tensors(self: Any, *arguments: Any, **named: Any) -> Any:
        return method(self, *_as_arrays(arguments), **_as_arrays(named))

    return taking_tensors


class SummaryWriter(Writer):
    """tensorboardX's writer, shaped like `torch.utils.tensorboard.SummaryWriter`."""

    add_embedding = _taking_tensors(Writer.add_embedding)
    add_histogram = _taking_tensors(Writer.add_histogram)
    add_hparams = _taking_tensors(Writer.add_hparams)
    add_image = _taking_tensors(Writer.add_image)
    add_image_with_boxes = _taking_tensors(Writer.add_image_with_boxes)
    add_images = _taking_tensors(Writer.add_images)
    add_mesh = _taking_tensors(Writer.add_mesh)
    add_pr_curve = _taking_tensors(Writer.add_pr_curve)
    add_scalar = _taking_tensors(Writer.add_scalar)
    add_scalars = _taking_tensors(Writer.add_scalars)
    add_video = _taking_tensors(Writer.add_video)

    def add_graph(self, *arguments: Any, **named: Any) -> None:
        """Refused: drawing a network's graph needs PyTorch to trace it.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("add_graph needs PyTorch's tracing; `minicnn summary` prints what a network is made of")
