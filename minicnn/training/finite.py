"""Where numbers went wrong: the first layer of a model whose output isn't finite."""

from typing import Any

import numpy as np

from minicnn import nn, no_grad
from minicnn.tensor import Tensor


def first_not_finite(model: nn.Module, images: Any) -> str:
    """Run the model on images once more, and say where the first NaN or infinity comes up.

    The model's parameters, buffers and mode stay what they are.

    Args:
        model: what gave a loss that isn't finite.
        images: what it was given, (N, C, H, W).

    Returns: the end of a sentence.
    """
    for name, parameter in model.named_parameters():
        if not _finite(parameter):
            return f"the parameter {name} is not finite, so an earlier step was too long"
    if not _finite(images):
        return "the images are not finite"
    found: list[str] = []

    def watch(name: str, module: nn.Module) -> Any:
        def look(_: Any, __: Any, output: Any) -> None:
            if not found and isinstance(output, Tensor) and not _finite(output):
                found.append(f"the first layer whose output is not finite is {name} ({type(module).__name__})")

        return module.register_forward_hook(look)

    leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    hooks = [watch(name, module) for name, module in leaves]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        with no_grad(), np.errstate(all="ignore"):
            model(images)
            for buffer, before in buffers:
                buffer.copy_(before)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else "the output of every layer is finite, so it is the loss itself"


def _finite(x: Any) -> bool:
    return not isinstance(x, Tensor) or x._array.dtype.kind != "f" or bool(np.isfinite(x._array).all())
