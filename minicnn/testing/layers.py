"""PyTorch as the oracle of one layer: what it should have answered to what it was given, and the scaled bound of that.

A layer is judged by its own arithmetic alone. It was called with an input `x` and a gradient `grad_output`, whatever
errors those carry from elsewhere; the exact answer is computed in float64 from these very numbers. So the bound

    |y − exact| ≤ c · eps · magnitude

has the same small c for the first layer of a network and for its hundredth, and no rectifier or max pool decides
otherwise than the oracle's, since both compare the same numbers. The magnitudes, layer by layer:

- convolution, linear layer, average pool: sums of n products, Σ|terms| + √n / 2 · |Σ terms|. The first part is the same
  layer on |x|, |weight|, |bias| and |grad_output|. The second is for terms that mostly have one sign: partial sums may
  be as large as the result all along, and n roundings of such are a random walk with the standard deviation
  √(n / 12) · eps · |Σ terms|; c = 4 allows almost seven of it. (Higham and Mary, "A New Approach to Probabilistic
  Rounding Error Analysis", 2019.)
- rectifier, max pool, dropout, reshaping: numbers are chosen, and sometimes scaled. The same layer on |x|; backward,
  where gradients that went separate ways are added, the same layer on x and |grad_output|.
- batch normalization, of R numbers a channel: with reach = |x| + mean|x|, what rounding x − mean amounts to,
  r = reach / √(var + eps), and t = 1 + √R / 2 for the sums as above, or 1 for float32, which is added up in float64:

      value   |weight| · r · t + |bias|
      ∂weight t · Σ |∂y| · r                       ∂bias  t · Σ |∂y|
      ∂x      t · |weight| / √(var + eps) · (|∂y| + mean|∂y| + r · mean(|∂y| · r))

- cross entropy of C scores x, p their softmax: mean of |x_target| + max|x| + log C + 1; backward,
  (p · (1 + |log p|) + [c is the target]) / N.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.testing.oracle import Answer, ask


def ask_layer(layer: Any, x: np.ndarray, grad_output: np.ndarray, *rest: Any, dtype: type = np.float64) -> Answer:
    """What a layer in training should have answered, computed by PyTorch.

    Args:
        layer: a `torch.nn` module; a batch normalization must be of `dtype` itself, and its running statistics move.
        x: its input.
        grad_output: the gradient with respect to its output.
        rest: further arguments: the int64 targets of a cross entropy; for a `Dropout` the factors that it drew, of
            the shape of x.
        dtype: to compute in.

    Returns: the output, the gradients with respect to x and the layer's parameters, in order.
    """
    return ask(_operation(layer, rest), [x, *_parameters(layer)], lambda shape: grad_output, dtype)


def layer_magnitude(layer: Any, exact: Answer, x: np.ndarray, grad_output: np.ndarray, *rest: Any) -> Answer:
    """The magnitudes of the scaled bound of a layer's output and gradients.

    Args:
        layer, x, grad_output, rest: as for `ask_layer`; the dtype of `x` is what the layer under test computes in.
        exact: what `ask_layer` answered.

    Raises:
        TypeError: for a layer whose bound isn't known.
    """
    from torch import nn

    if isinstance(layer, (nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d)):
        absolute = ask(_operation(layer, rest), [x, *_parameters(layer)], lambda shape: grad_output, absolute=True)
        return _of_sums(layer, exact, absolute)
    if isinstance(layer, (nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Identity, nn.Dropout)):
        value = ask(_operation(layer, rest), [x], lambda shape: grad_output, absolute=True).value
        spread = ask(_operation(layer, rest), [x], lambda shape: np.abs(grad_output))
        return Answer(value, spread.gradients)
    if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
        return _of_batch_norm(layer, x.astype(np.float64), np.abs(grad_output.astype(np.float64)), _walk_of_batch(x))
    if isinstance(layer, nn.CrossEntropyLoss):
        return _of_cross_entropy(x.astype(np.float64), np.abs(grad_output), rest[0])
    raise TypeError(f"no bound is known for a layer of type {type(layer).__name__}")


def running_magnitudes(x: np.ndarray) -> np.ndarray:
    """The magnitudes of a batch's mean and unbiased variance, channel by channel.

    t · mean|x| and t · R / (R − 1) · mean(|x − mean| · reach), with R, reach and t as for batch normalization above.

    Args:
        x: (N, C) or (N, C, …), of the dtype that the layer under test computes in.

    Returns: shape (2, C).
    """
    walk, x, axes = _walk_of_batch(x), x.astype(np.float64), _all_but_channels(x)
    count = x.size // x.shape[1]
    size = np.abs(x).mean(axes, keepdims=True)
    squares = (np.abs(x - x.mean(axes, keepdims=True)) * (np.abs(x) + size)).mean(axes)
    return walk * np.stack([size.ravel(), squares * count / (count - 1)])


def _operation(layer: Any, rest: Sequence[Any]) -> Any:
    """The layer as a function of its input and its parameters."""
    import torch

    names = [name for name, _ in layer.named_parameters()]

    def operation(x: Any, *parameters: Any) -> Any:
        if isinstance(layer, torch.nn.Dropout):
            return x * torch.as_tensor(rest[0], dtype=x.dtype)
        others = [torch.as_tensor(argument) for argument in rest]
        # a clone, since a rectifier may work in place
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x.clone(), *others))

    return operation


def _parameters(layer: Any) -> list[np.ndarray]:
    return [parameter.detach().numpy() for parameter in layer.parameters()]


def _of_sums(layer: Any, exact: Answer, absolute: Answer) -> Answer:
    weight = getattr(layer, "weight", None)
    if weight is None:  # an average: how many cells a window has
        terms = [np.asarray(absolute.gradients[0]).size / exact.value.size, 1.0]
    else:
        each = exact.value.size / len(weight)
        terms = [weight[0].numel() + 1, weight.numel() / weight.shape[1], each, each]
    pairs = zip([absolute.value, *absolute.gradients], [exact.value, *exact.gradients], terms, strict=False)
    value, *gradients = (size + n**0.5 / 2 * np.abs(np.asarray(result)) for size, result, n in pairs)
    return Answer(value, tuple(gradients))


def _of_batch_norm(layer: Any, x: np.ndarray, g: np.ndarray, walk: float) -> Answer:
    axes = _all_but_channels(x)
    invstd = _along(1 / np.sqrt(x.var(axes) + layer.eps), x)
    parameters = {name: _along(np.abs(p.detach().numpy()), x) for name, p in layer.named_parameters()}
    weight, bias = parameters.get("weight", 1.0), parameters.get("bias", 0.0)
    reach = (np.abs(x) + np.abs(x).mean(axes, keepdims=True)) * invstd
    mean, product = (values.mean(axes, keepdims=True) for values in (g, g * reach))
    by_x = walk * weight * invstd * (g + mean + reach * product)
    by_parameter = {"weight": walk * (g * reach).sum(axes), "bias": walk * g.sum(axes)}
    return Answer(weight * reach * walk + bias, (by_x, *[by_parameter[name] for name in parameters]))


def _walk_of_batch(x: np.ndarray) -> float:
    """The factor t of a batch's sums."""
    return 1.0 if x.dtype == np.float32 else 1 + (x.size / x.shape[1]) ** 0.5 / 2


def _of_cross_entropy(x: np.ndarray, g: np.ndarray, target: np.ndarray) -> Answer:
    wanted = np.eye(x.shape[1])[target]
    shifted = x - x.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    value = np.abs(x * wanted).sum(1) + np.abs(x).max(1) + np.log(x.shape[1]) + 1
    by_x = (np.exp(log_p) * (1 + np.abs(log_p)) + wanted) / len(x)
    return Answer(np.asarray(value.mean()), (by_x * g,))


def _all_but_channels(x: np.ndarray) -> tuple[int, ...]:
    return tuple(axis for axis in range(x.ndim) if axis != 1)


def _along(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(C,) so that it broadcasts against (N, C, …)."""
    return np.reshape(values, (-1, *[1] * (x.ndim - 2)))
