"""Chapter 6: the gradient with respect to the weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.learn.chapter import Case, Chapter, Judged, Mistake, calling, whole
from minicnn.learn.chapters.c05_gradient_of_x import SETTINGS, WEIGHT, X, output
from minicnn.learn.drawings import matrices, weight_gradient_of


def shown() -> Any:
    return explain.conv2d(X, WEIGHT[None, None], [0.0], at=(1, 2), grad_output=np.arange(1.0, 10).reshape(1, 1, 3, 3))


def values() -> dict[str, Any]:
    e = shown()
    results = {name: e.results[name].array[0, 0] for name in ("grad_output", "grad_weight")}
    bias = e.results["grad_bias"].array[0]
    return {"gradient": weight_gradient_of(e), "both": matrices(x=X, **results), "bias": f"{bias:g}"}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    weights, all_of_them = [], []
    for N, C, O, size, K, options in SETTINGS:
        grad = ("grad_output", whole(generator, N, O, *(output(one, K, **options) for one in size)))
        x, weight = ("x", whole(generator, N, C, *size)), ("weight", whole(generator, O, C, K, K))
        weights.append(calling("grad_weight", grad, x, K, **options))
        for bias in (None, ("bias", whole(generator, O))):
            all_of_them.append(calling("conv2d_backward", grad, x, weight, bias, **options))
    return [*weights, *all_of_them]


CHAPTER = Chapter(
    number=6,
    title="The gradient with respect to the weights",
    minutes=30,
    functions=("grad_weight", "conv2d_backward"),
    hints=(
        "weight[o, c, p, q] was used once for every output pixel, and each use adds x times grad_output to its "
        "gradient.",
        "The forward pass was y = weight @ columns, so the gradient with respect to weight is grad_output times "
        "the transposed columns: (O, OH·OW) @ (OH·OW, C·K·K), for every image; the images' results add up.",
        "rows @ columns.transpose(0, 2, 1), summed over axis 0. The bias is added to every pixel of every image, so "
        "its gradient is grad_output.sum((0, 2, 3)).",
    ),
    source=("minicnn.kernels.convolution.naive._grad_weight",),
    mistakes=(
        Mistake(
            "columns.T reverses all three axes; only the last two change places: columns.transpose(0, 2, 1).",
            "columns.transpose(0, 2, 1)",
            "columns.T",
        ),
        Mistake(
            "The gradient with respect to the bias is summed over the pixels only; the images add up, too.",
            "grad_output.sum((0, 2, 3))",
            "grad_output.sum((2, 3))",
        ),
        Mistake(
            "That is the mean over the images; their gradients add up, and the loss has divided already if it is a "
            "mean.",
            "products.sum(0)",
            "products.mean(0)",
        ),
        Mistake(
            "Only the first image of the batch counts.",
            "products.sum(0)",
            "products[0]",
        ),
        Mistake(
            "The gradient is turned around: the tap (p, q) of the gradient is the tap (p, q) of the kernel.",
            "reshape(O, C, K, K)",
            "reshape(O, C, K, K)[:, :, ::-1, ::-1]",
        ),
        Mistake(
            "p and q are swapped in the result.",
            "reshape(O, C, K, K)",
            "reshape(O, C, K, K).transpose(0, 1, 3, 2)",
        ),
        Mistake(
            "The padding is left out of the windows of x.",
            "columns = unfold(x, K, dilation, padding, stride)",
            "columns = unfold(x, K, dilation, 0, stride)",
        ),
        Mistake(
            "Stride and dilation are swapped in the call of `unfold`, which takes dilation, padding, stride.",
            "columns = unfold(x, K, dilation, padding, stride)",
            "columns = unfold(x, K, stride, padding, dilation)",
        ),
        Mistake(
            "The gradient with respect to the bias is a mean; each pixel adds to it.",
            "grad_output.sum((0, 2, 3))",
            "grad_output.mean((0, 2, 3))",
        ),
        Mistake(
            "The gradient with respect to the bias is summed over the images only; there is one number a channel.",
            "grad_output.sum((0, 2, 3))",
            "grad_output.sum(0)",
        ),
    ),
    values=values,
    cases=cases,
    judged=(Judged("conv2d", None, "conv2d_backward", without=("kernel sizes", "empty batch")),),
    widget=shown,
)  # fmt: skip
