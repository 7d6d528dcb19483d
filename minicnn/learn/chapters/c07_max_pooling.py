"""Chapter 7: max pooling and its ties."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.explain.terminal.pooling import largest, max_gradient
from minicnn.learn.chapter import Case, Chapter, Judged, Mistake, calling
from minicnn.learn.drawings import WIDTH, plain

X = np.array([[1.0, 3, 0, 2], [3, 2, 2, 2], [0, 1, 4, 0], [1, 1, 0, 4]])
SETTINGS: tuple[tuple[Any, ...], ...] = (
    ((1, 1, 2, 2), 2, {}), ((1, 1, 4, 4), 2, {}), ((1, 1, 3, 3), 2, {"stride": 1}), ((1, 2, 5, 5), 2, {}),
    ((2, 1, 5, 4), 3, {"stride": 1}), ((1, 1, 5, 5), 3, {"stride": 2}), ((1, 1, 4, 4), 3, {"stride": 2, "padding": 1}),
    ((2, 3, 7, 6), 3, {"padding": 1}), ((1, 2, 6, 6), 2, {"stride": 3}),
)  # fmt: skip


def shown() -> Any:
    return explain.max_pool2d(X, 2, at=(0, 0), grad_output=np.array([[[[1.0, 2], [3, 4]]]]))


def values() -> dict[str, Any]:
    e = shown()
    return {"forward": plain(largest(e, WIDTH)), "backward": plain(max_gradient(e, WIDTH))}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    forward, backward = [], []
    for shape, K, options in SETTINGS:
        x = ("x", generator.integers(-5, 0, shape).astype(float))  # below 0, so that zeros of the padding would show
        step, padding = options.get("stride", K), options.get("padding", 0)
        size = [(one + 2 * padding - K) // step + 1 for one in shape[2:]]
        forward.append(calling("max_pool2d", x, K, **options))
        grad = ("grad_output", generator.integers(1, 9, (*shape[:2], *size)).astype(float))
        backward.append(calling("max_pool2d_backward", grad, x, K, **options))
    return [*forward, *backward]


CHAPTER = Chapter(
    number=7,
    title="Max pooling and its ties",
    minutes=25,
    functions=("max_pool2d", "max_pool2d_backward"),
    hints=(
        "`_windows` is in your file: every window as a row of K·K numbers, in the order of its taps, row by row.",
        "The maximum of a row is one call of NumPy; where it is, is another: argmax takes the first of equal numbers.",
        "divmod(winner, K) is the tap (p, q); add the gradient at padded[n, c, i·stride + p, j·stride + q], and cut "
        "the padding off in the end.",
    ),
    source=("minicnn.kernels.pooling._max_forward", "minicnn.kernels.pooling._scatter"),
    mistakes=(
        Mistake(
            "That is the mean of the windows, not their maximum.",
            "padding).max(-1)",
            "padding).mean(-1)",
        ),
        Mistake(
            "Of equal numbers the last one gets the gradient; it goes to the first, row by row.",
            "winners = _windows(x, kernel_size, stride, padding).argmax(-1)",
            "winners = K * K - 1 - _windows(x, kernel_size, stride, padding)[..., ::-1].argmax(-1)",
        ),
        Mistake(
            "Where windows overlap, a pixel keeps only the gradient that came last: `=` where there should be `+=`.",
            "j * step + q] += grad_output",
            "j * step + q] = grad_output",
        ),
        Mistake(
            "All equal numbers of a window get the gradient; it goes to the first alone.",
            "        p, q = divmod(winners[n, c, i, j], K)\n"
            "        padded[n, c, i * step + p, j * step + q] += grad_output[n, c, i, j]\n",
            "        window = _windows(x, kernel_size, stride, padding)[n, c, i, j]\n"
            "        for tap in np.flatnonzero(window == window.max()):\n"
            "            p, q = divmod(tap, K)\n"
            "            padded[n, c, i * step + p, j * step + q] += grad_output[n, c, i, j]\n",
        ),
        Mistake(
            "Every pixel of a window gets a share of the gradient, as in average pooling; it goes to the largest one.",
            "        p, q = divmod(winners[n, c, i, j], K)\n"
            "        padded[n, c, i * step + p, j * step + q] += grad_output[n, c, i, j]\n",
            "        rows, columns = slice(i * step, i * step + K), slice(j * step, j * step + K)\n"
            "        padded[n, c, rows, columns] += grad_output[n, c, i, j] / (K * K)\n",
        ),
        Mistake(
            "The padding counts as 0, so that it wins over negative numbers; it counts as minus infinity.",
            "padded = np.full((N, C, H + 2 * padding, W + 2 * padding), -np.inf, x.dtype)",
            "padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)",
        ),
        Mistake(
            "p and q are swapped: argmax counts row by row, so the tap is divmod(winner, K).",
            "p, q = divmod",
            "q, p = divmod",
        ),
        Mistake(
            "The stride is left out where gradients go back: the window of (i, j) begins at (i·stride, j·stride).",
            "padded[n, c, i * step + p, j * step + q]",
            "padded[n, c, i + p, j + q]",
        ),
    ),
    values=values,
    cases=cases,
    judged=(Judged("max_pool2d", "max_pool2d", "max_pool2d_backward", without=("empty batch",)),),
    widget=shown,
)
