"""The arithmetic of networks in the terminal: formulas with the numbers in them, layer by layer."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from minicnn.explain.terminal.numbers import times
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.summary import Layer

if TYPE_CHECKING:
    from minicnn.explain.sizes import Sizes
    from minicnn.kernels.geometry import Axis


def sections(e: "Sizes", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield paragraph(f"sizes: {e.name} on one image of {times(e.summary.input_size[1:])}", width)
    yield paragraph(
        "\nOH = ⌊(H + 2p − d(k − 1) − 1) / s⌋ + 1 pixels for k taps, stride s, padding p and dilation d; "
        "O·(C/groups)·KH·KW weights and O biases in a convolution, O·I and O in a linear layer. Layers that change no "
        "size and have no parameters are left out.",
        width,
    )
    for layer in e.summary.layers:
        if layer.parameters or layer.mult_adds or layer.input_shape != layer.output_shape:
            yield from one(e, layer, width)
    yield from totals(e, width)


def one(e: "Sizes", layer: Layer, width: int) -> Iterator[Text]:
    """A layer: its sizes, its parameters, its multiply-adds."""
    name = layer.name.strip("()")
    yield heading(f"{name} {layer.kind}  {times(layer.input_shape[1:])} to {times(layer.output_shape[1:])}")
    for line in lines(e, layer):
        yield paragraph(line, width - 2, "  ")


def lines(e: "Sizes", layer: Layer) -> Iterator[str]:
    """A layer's formulas."""
    if layer.geometry is not None:
        height, width = layer.geometry.height, layer.geometry.width
        yield f"OH = {formula(height)}" + (", OW alike" if same(height, width) else "")
        if not same(height, width):
            yield f"OW = {formula(width)}"
    elif layer.kind.startswith("Adaptive"):
        yield "as many pixels as asked for, whatever comes in: windows divide the image evenly"
    weight, biases = e.weight_shape(layer), e.biases(layer)
    if layer.parameters:
        more = f" + {biases}" if biases else ""
        yield f"parameters {'·'.join(map(str, weight))}{more} = {layer.parameters:,}"
    elif weight:
        yield "parameters: counted above, where the layer was called first"
    if layer.mult_adds:
        used = layer.output_shape[2:] if len(weight) == 4 else ()
        own = math.prod(weight) + biases
        yield (
            f"multiply-adds {'·'.join([f'{own:,}', *map(str, used)])} = {layer.mult_adds:,}"
            if used
            else f"multiply-adds {layer.mult_adds:,}: each parameter once"
        )


def formula(a: "Axis") -> str:
    """The output's size along an axis, with the numbers in it."""
    padding = f"2·{a.before}" if a.before == a.after else f"{a.before} + {a.after}"
    up = a.output > (a.padded - a.extent) // a.stride + 1
    left, right = "⌈⌉" if up else "⌊⌋"
    return f"{left}({a.size} + {padding} − {a.dilation}·({a.kernel} − 1) − 1) / {a.stride}{right} + 1 = {a.output}"


def same(a: "Axis", b: "Axis") -> bool:
    """Whether both axes have the same sizes."""
    return formula(a) == formula(b)


def totals(e: "Sizes", width: int) -> Iterator[Text]:
    """The sums, and which layers they are in."""
    yield heading("Together")
    yield Text(f"  parameters    {e.summary.parameters:,}")
    yield Text(f"  multiply-adds {e.summary.mult_adds:,}")
    yield paragraph(
        f"Convolutions have {e.share('Conv2d', 'parameters'):.1%} of the parameters and do "
        f"{e.share('Conv2d', 'mult_adds'):.1%} of the multiply-adds; linear layers have "
        f"{e.share('Linear', 'parameters'):.1%} and do {e.share('Linear', 'mult_adds'):.1%}.",
        width - 2, "  ",
    )  # fmt: skip


def side_by_side(networks: "Sequence[Sizes]", width: int) -> Iterator[Text]:
    """A column for each network."""
    yield paragraph("sizes: networks side by side, each on one image that it is made for\n", width)
    rows = {
        "": [e.name for e in networks],
        "image": [times(e.summary.input_size[1:]) for e in networks],
        "layers with parameters": [str(sum(layer.parameters > 0 for layer in e.summary.layers)) for e in networks],
        "last map": [times(last_map(e)) for e in networks],
        "parameters": [f"{e.summary.parameters:,}" for e in networks],
        "  in convolutions": [f"{e.share('Conv2d', 'parameters'):.1%}" for e in networks],
        "  in linear layers": [f"{e.share('Linear', 'parameters'):.1%}" for e in networks],
        "multiply-adds": [f"{e.summary.mult_adds:,}" for e in networks],
        "  in convolutions ": [f"{e.share('Conv2d', 'mult_adds'):.1%}" for e in networks],
        "  in linear layers ": [f"{e.share('Linear', 'mult_adds'):.1%}" for e in networks],
    }
    named = max(map(len, rows))
    wide = [max(len(texts[k]) for texts in rows.values()) + 2 for k in range(len(networks))]
    for name, texts in rows.items():
        yield Text(f"  {name.ljust(named)}{''.join(t.rjust(w) for t, w in zip(texts, wide, strict=True))}".rstrip())
    yield paragraph(f"\nLayer by layer: minicnn explain sizes {networks[-1].name}", width)


def last_map(e: "Sizes") -> tuple[int, ...]:
    """(C, H, W) of the last result that has pixels."""
    return [layer.output_shape[1:] for layer in e.summary.layers if len(layer.output_shape) == 4][-1]
