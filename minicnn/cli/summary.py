"""`minicnn summary`: a network's layers, and what they cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicnn.models import INPUT_SIZES, MODELS
from minicnn.recipes.errors import UserError, one_of, plain_errors

if TYPE_CHECKING:
    from rich.table import Table

    from minicnn.summary import Layer, Summary

WIDE = 100
"""From how many columns on a table has room between its own."""


def shape_of(value: str | None) -> str | None:
    """A callback for an option that takes a shape: four whole numbers above zero."""
    if value is not None:
        sizes = value.split(",")
        if len(sizes) != 4 or not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
            raise typer.BadParameter(f"must be a shape N,C,H,W such as 1,3,224,224, got {value!r}")
    return value


@plain_errors
def summary(
    model: Annotated[str, typer.Argument(callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.")],
    input: Annotated[
        str | None,
        typer.Option(callback=shape_of, help="Shape of the input, N,C,H,W.  [default: one image, as it is made for]"),
    ] = None,
) -> None:
    """Print a network's layers: output, parameters, multiply-adds, memory and receptive field of each."""
    from rich.console import Console

    from minicnn.summary import summary as summarize

    N, C, H, W = map(int, input.split(",")) if input else (1, *INPUT_SIZES[model])
    network = MODELS[model](in_channels=C)
    try:
        result = summarize(network, (N, C, H, W))
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{model} is not made for an input of {N},{C},{H},{W}: {error}") from error
    console = Console(highlight=False)
    console.print(f"{type(network).__name__} on {'×'.join(map(str, result.input_size))}\n", style="bold")
    console.print(table_of(result, wide=console.width >= WIDE))
    console.print()
    console.print(totals_of(result))


def table_of(result: "Summary", wide: bool) -> "Table":
    """Layer by layer, under the names of the blocks they are in."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 0, 0, 3 if wide else 1), pad_edge=False, header_style="bold")
    table.add_column("Layer", vertical="bottom", no_wrap=True)
    for header in ("Output", "Kernel", "Parameters", "Mult-\nadds", "Memory", "Receptive\nfield"):
        table.add_column(header, justify="right", vertical="bottom", no_wrap=True)
    block = ""
    for layer in result.layers:
        inside = layer.name.startswith(f"{block}.") if block else False
        if not inside:
            block = layer.name.rpartition(".")[0]
            if block:
                table.add_row(Text(block, style="bold"))
        name = f"  {layer.name[len(block) + 1 :]}" if block else layer.name
        table.add_row(Text.assemble(name, " ", (layer.kind, "cyan")), *cells(layer))
    return table


def cells(layer: "Layer") -> list[str]:
    """A layer's numbers; nothing for zero."""
    return [
        times(layer.output_shape[1:]),
        times(layer.kernel),
        f"{layer.parameters:,}" if layer.parameters else "",
        amount(layer.mult_adds) if layer.mult_adds else "",
        f"{amount(layer.output_bytes)}B",
        square(layer.receptive_field),
    ]


def totals_of(result: "Summary") -> "Table":
    """The totals, as torchinfo counts them."""
    from rich.table import Table

    frozen = result.parameters - result.trainable_parameters
    lines = {
        "Parameters": f"{result.parameters:,}" + (f", {frozen:,} of them frozen" if frozen else ""),
        "Mult-adds": f"{result.mult_adds:,}",
        "Memory": f"{amount(result.parameter_bytes)}B for parameters, {amount(result.training_bytes)}B for activations "
        "and gradients",
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    for name, text in lines.items():
        table.add_row(name, text)
    return table


def times(sizes: tuple[int, ...] | None) -> str:
    """Sizes with × between them."""
    return "" if sizes is None else "×".join(map(str, sizes))


def square(sizes: tuple[int, int] | None) -> str:
    """One size for two equal ones."""
    return times(sizes[:1] if sizes and sizes[0] == sizes[1] else sizes)


def amount(number: Any) -> str:
    """A number in three digits, and k, M, G or T for thousands, millions and so on: 1.85 G, 236 k."""
    for unit in ("", "k", "M", "G", "T"):
        if number < 999.5 or unit == "T":
            break
        number /= 1000
    digits = 0 if unit == "" or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f} {unit}"
