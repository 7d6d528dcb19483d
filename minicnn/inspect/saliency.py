"""Where a network looks when it names a class: by the gradient of the class's score."""

from typing import Any

import numpy as np

from minicnn import nn
from minicnn.autograd import enable_grad
from minicnn.inspect.layers import layer_named
from minicnn.nn import functional as F
from minicnn.nn.modes import evaluating
from minicnn.tensor import Tensor


def saliency(model: nn.Module, x: Tensor, label: int) -> np.ndarray:
    """max over channels of |∂ score / ∂ x|, for every pixel.

    Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks: Visualising Image Classification Models and
    Saliency Maps", 2014.

    Args:
        model: from images to scores (1, classes).
        x: one image, (1, C, H, W).
        label: the class.

    Returns: (H, W), not negative, in x's dtype.

    Raises:
        ValueError: for other shapes, or a class that isn't there.
    """
    image = x.detach().clone().requires_grad_()
    with evaluating(model), enable_grad():
        _score(model, image, label).backward(inputs=[image])
    assert image.grad is not None
    return np.abs(image.grad.numpy()[0]).max(0)


def grad_cam(model: nn.Module, x: Tensor, label: int, layer: str | None = None) -> np.ndarray:
    """relu(Σₖ αₖ Aᵏ) with the maps A of a layer and αₖ the mean over them of ∂ score / ∂ Aᵏ.

    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.

    Args:
        model: from images to scores (1, classes).
        x: one image, (1, C, H, W).
        label: the class.
        layer: dotted name of a module that returns maps; None for the last convolution.

    Returns: (H, W) of the image, not negative, in the layer's dtype; the layer's map, enlarged bilinearly.

    Raises:
        ValueError: for other shapes, a class or a layer that isn't there, or one that returns no maps.
    """
    name, module = layer_named(model, layer)
    kept: list[Tensor] = []

    def keep(module: nn.Module, arguments: tuple, result: Any) -> Any:
        if not isinstance(result, Tensor) or result.ndim != 4:
            raise ValueError(f"Grad-CAM needs a layer that returns maps (N, C, H, W); {name} does not")
        kept.append(result.clone())
        kept[-1].retain_grad()
        return kept[-1].clone()  # whatever changes it in place changes the copy

    with evaluating(model), enable_grad(), module.register_forward_hook(keep):
        score = _score(model, x.detach().clone().requires_grad_(), label)
        if not kept:
            raise ValueError(f"{name} takes no part in {type(model).__name__}'s forward")
        score.backward(inputs=kept[-1:])
    maps, gradient = kept[-1].detach(), kept[-1].grad
    assert gradient is not None
    weights = gradient.mean((2, 3), keepdim=True)
    heat = F.relu((weights * maps).sum(1, keepdim=True))
    return F.interpolate(heat, size=tuple(x.shape[2:]), mode="bilinear", align_corners=False).numpy()[0, 0]


def _score(model: nn.Module, x: Tensor, label: int) -> Tensor:
    """The score of a class."""
    if x.ndim != 4 or len(x) != 1:
        raise ValueError(f"one image is needed, (1, C, H, W), got shape {tuple(x.shape)}")
    scores = model(x)
    if scores.ndim != 2 or not 0 <= label < scores.shape[1]:
        raise ValueError(f"there is no class {label} among scores of shape {tuple(scores.shape)}")
    return scores[0, label]
