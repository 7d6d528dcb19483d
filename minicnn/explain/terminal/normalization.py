"""batch_norm in the terminal: a channel's statistics, one element, and the three terms of the gradient."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import grid
from minicnn.explain.terminal.numbers import factor, indices, number
from minicnn.explain.terminal.parts import bands, remarks, title
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import TERMS, equation

if TYPE_CHECKING:
    from minicnn.explain.normalization import BatchNormalization


def sections(e: "BatchNormalization", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield title(e, width)
    yield from statistics(e, width)
    yield from forward(e, width)
    yield from gradient(e, width)
    yield from parameters(e, width)


def statistics(e: "BatchNormalization", width: int) -> Iterator[Text]:
    """Mean and variance of the channel, and how the running ones move."""
    mean, variance = e.statistics()
    c = e.channel
    yield heading(f"The statistics of channel {c}")
    if e.options["training"]:
        values = e.of_channel(e.arrays["input"].array).ravel().tolist()
        m = len(values)
        yield sentence(f"mean = ({added(map(factor, values), m)}) / {m} = {number(mean)}", width)
        squares = (f"({number(value)} − {factor(mean)})²" for value in values)
        yield sentence(f"variance = ({added(squares, m)}) / {m} = {number(variance)}", width)
    else:
        yield sentence(
            f"mean = running_mean[{c}] = {number(mean)}, variance = running_var[{c}] = {number(variance)}", width
        )
    yield sentence(
        f"deviation = √(variance + eps) = √({number(variance)} + {number(e.options['eps'])}) = {number(e.deviation)}",
        width,
    )
    if e.options["training"] and "running_mean" in e.arrays:
        yield from running(e, width, m)
    yield from remarks(e, "")


def running(e: "BatchNormalization", width: int, m: int) -> Iterator[Text]:
    """How the running statistics move."""
    mean, variance = e.statistics()
    momentum = e.options["momentum"]
    for name, batch, how in (
        ("running_mean", number(mean), ""),
        ("running_var", f"{number(variance)}·{m}/{m - 1}", ", with the unbiased variance"),
    ):
        before, after = e.arrays[name].array[e.channel], e.results[name].array[e.channel]
        yield sentence(f"{name} = (1 − {momentum})·{factor(before)} + {momentum}·{batch} = {number(after)}{how}", width)


def forward(e: "BatchNormalization", width: int) -> Iterator[Text]:
    """One element on its way."""
    mean, _ = e.statistics()
    x, normalized = e.arrays["input"].array, e.normalized()
    here = normalized[e.at[:1] + e.at[2:]]
    yield heading(f"Forward: y{indices(e.at)}")
    yield sentence(
        f"normalized = (x − mean) / deviation = ({number(x[e.at])} − {factor(mean)}) / {number(e.deviation)} = "
        f"{number(here)}",
        width,
    )
    yield sentence(
        f"y = weight·normalized + bias = {number(e.scale)}·{factor(here)} + {factor(e.shift)} = "
        f"{number(e.results['output'].array[e.at])}",
        width,
    )
    yield from planes(e, width, x=e.of_channel(x), normalized=normalized, y=e.of_channel(e.results["output"].array))


def gradient(e: "BatchNormalization", width: int) -> Iterator[Text]:
    """The terms of the gradient with respect to x."""
    g, normalized = e.of_channel(e.results["grad_output"].array), e.normalized()
    terms, place = e.terms(), e.at[:1] + e.at[2:]
    scale, deviation = number(e.scale), number(e.deviation)
    yield heading(f"Backward: the gradient of x{indices(e.at)}")
    if e.options["training"]:
        yield sentence(
            "x moves y straight, and every y of the channel through mean and variance: gradient = weight / deviation · "
            "(g − mean(g) − normalized·mean(g·normalized))",
            width,
        )
        m = g.size
        yield Text("")
        yield sentence(f"mean(g) = ({added(map(factor, g.ravel().tolist()), m)}) / {m} = {number(g.mean())}", width)
        products = (
            f"{factor(one)}·{factor(other)}"
            for one, other in zip(g.ravel().tolist(), normalized.ravel().tolist(), strict=True)
        )
        yield sentence(f"mean(g·normalized) = ({added(products, m)}) / {m} = {number((g * normalized).mean())}", width)
        yield Text("")
    else:
        yield sentence(
            "The running statistics are constants, so x moves its own y alone: gradient = weight / deviation · g", width
        )
        yield Text("")
    written = {
        "straight": f"{scale} / {deviation} · {number(g[place])}",
        "mean": f"−{scale} / {deviation} · {factor(g.mean())}",
        "variance": f"−{scale} / {deviation} · {factor(normalized[place])} · {factor((g * normalized).mean())}",
    }
    for name, term in terms.items():
        label = "straight" if name == "straight" else f"through the {name}"
        yield sentence(f"{label.ljust(20)}  {written[name]} = {number(term[place])}", width)
    if len(terms) > 1:
        total = number(e.results["grad_input"].array[e.at])
        added_up = " + ".join(factor(term[place]) for term in terms.values())
        yield sentence(f"{'gradient'.ljust(20)}  {added_up} = {total}", width)
    titles = {"g": g, "straight": terms["straight"]}
    titles |= {f"through the {name}": terms[name] for name in ("mean", "variance") if name in terms}
    yield from planes(e, width, **titles, **{"gradient of x": e.of_channel(e.results["grad_input"].array)})


def parameters(e: "BatchNormalization", width: int) -> Iterator[Text]:
    """The gradients of weight and bias, and how many numbers are learned."""
    g, normalized, c = e.of_channel(e.results["grad_output"].array).ravel(), e.normalized().ravel(), e.channel
    if "weight" in e.arrays or "bias" in e.arrays:
        yield heading("Backward: the gradients of weight and bias")
    if "weight" in e.arrays:
        result = e.results["grad_weight"].array[c]
        yield equation(f"gradient of weight[{c}] = Σ g·normalized", g, normalized, result=result, width=width)
    if "bias" in e.arrays:
        yield equation(f"gradient of bias[{c}] = Σ g", g, result=e.results["grad_bias"].array[c], width=width)
    C = e.arrays["input"].array.shape[1]
    learned = sum(name in e.arrays for name in ("weight", "bias"))
    yield heading("What it costs")
    yield Text(f"  parameters     {f'{learned}·{C} = {learned * C:,}' if learned else 'none'}")
    if "running_mean" in e.arrays:
        yield Text(f"  not learned    2·{C} = {2 * C:,} running statistics")


def sentence(text: str, width: int) -> Text:
    """A line of text, broken where it must be."""
    return paragraph(text, width - 2, "  ")


def added(terms: Iterator[str] | map, count: int) -> str:
    """The first TERMS of `count` terms with plus signs between them."""
    shown = [term for _, term in zip(range(TERMS), terms, strict=False)]
    return " + ".join([*shown, *([f"{count - TERMS} more"] if count > TERMS else [])])


def planes(e: "BatchNormalization", width: int, **arrays: np.ndarray) -> Iterator[Text]:
    """What an array (N, …) of the channel has where the element is: its image, or for vectors the batch."""
    blocks = []
    for name, array in arrays.items():
        if array.ndim > 2:
            plane, named = array[e.at[0]].reshape(-1, array.shape[-1]), f"{name} at {indices(e.at[:2])}"
            row, column = divmod(int(np.ravel_multi_index(e.at[2:], array.shape[1:])), array.shape[-1])
        else:
            plane, named = array.reshape(len(array), -1), f"{name} of channel {e.channel}"
            row, column = e.at[0], e.at[2] if array.ndim == 2 else 0
        near = (row, row), (column, column)
        blocks.append(grid(named, plane, marks={(row, column): "pixel"}, focus=near, width=width - 2))
    yield from bands(blocks, width)
