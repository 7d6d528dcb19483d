"""`minicnn explain`: one operation shown on numbers, forward and backward."""

from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.cli import explain_options as options
from minicnn.cli.errors import failing_with

if TYPE_CHECKING:
    from minicnn.explain import Explanation

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show one operation on numbers, forward and backward."
)

one_sentence = failing_with(2, IndexError)
"""What a bad option ends with: one sentence, and exit status 2."""


@app.command("conv2d")
@one_sentence
def conv2d(
    input: options.Input = None,
    kernel: options.Kernel = None,
    stride: options.Stride = "1",
    padding: options.Padding = "0",
    dilation: options.Dilation = "1",
    groups: options.Groups = 1,
    outputs: options.Outputs = None,
    bias: options.Bias = True,
    at: options.At = None,
    values: options.Values = None,
    weight: options.Weight = None,
    image: options.Image = None,
    digit: options.Digit = None,
    seed: options.Seed = 0,
) -> None:
    """Windows, patch rows, sums, and where gradients go.

    For example: minicnn explain conv2d --input 1,5,5 --kernel 3 --stride 2 --padding 1
    """
    from minicnn import explain
    from minicnn.explain.given import drawn

    x = options.the_input(input, values, image, digit, seed)
    weights = options.the_weight(x, weight, kernel, outputs, groups, seed)
    biases = drawn("bias", weights.array.shape[:1], seed) if bias else None
    steps = options.pair(stride), options.padding_of(padding), options.pair(dilation)
    show(explain.conv2d(x, weights, biases, *steps, groups, at=options.place(at), seed=seed))


@app.command("conv_transpose2d")
@one_sentence
def conv_transpose2d(
    input: options.Input = None,
    kernel: options.Kernel = None,
    stride: options.Stride = "1",
    padding: options.Zeros = "0",
    output_padding: options.OutputPadding = "0",
    dilation: options.Dilation = "1",
    groups: options.Groups = 1,
    outputs: options.Outputs = None,
    bias: options.Bias = True,
    at: options.At = None,
    values: options.Values = None,
    weight: options.Weight = None,
    image: options.Image = None,
    digit: options.Digit = None,
    seed: options.Seed = 0,
) -> None:
    """How input pixels are spread, sums, and where gradients go.

    For example: minicnn explain conv_transpose2d --input 1,3,3 --kernel 3 --stride 2
    """
    from minicnn import explain
    from minicnn.explain.given import drawn

    x = options.the_input(input, values, image, digit, seed, (1, 1, 3, 3))
    weights = options.the_weight(x, weight, kernel, outputs, groups, seed, transposed=True)
    O = weights.array.shape[1] * groups if weights.array.ndim > 1 else 1
    biases = drawn("bias", (O,), seed) if bias else None
    steps = [options.pair(text) for text in (stride, padding, output_padding)]
    explanation = explain.conv_transpose2d(
        x, weights, biases, *steps, groups, options.pair(dilation), at=options.place(at), seed=seed
    )
    show(explanation)


@app.command("max_pool2d")
@one_sentence
def max_pool2d(
    input: options.Input = None,
    kernel: options.Window = "2",
    stride: options.WindowStep = None,
    padding: options.Border = "0",
    dilation: options.Dilation = "1",
    ceil_mode: options.CeilMode = False,
    at: options.At = None,
    values: options.Values = None,
    image: options.Image = None,
    digit: options.Digit = None,
    seed: options.Seed = 0,
) -> None:
    """Maxima of windows, ties, and where gradients go.

    For example: minicnn explain max_pool2d --input 1,5,5 --kernel 3 --stride 1
    """
    from minicnn import explain

    x = options.the_input(input, values, image, digit, seed)
    sizes = [options.pair(text) for text in (kernel, stride or kernel, padding, dilation)]
    show(explain.max_pool2d(x, *sizes, ceil_mode, at=options.place(at), seed=seed))


@app.command("avg_pool2d")
@one_sentence
def avg_pool2d(
    input: options.Input = None,
    kernel: options.Window = "2",
    stride: options.WindowStep = None,
    padding: options.Border = "0",
    ceil_mode: options.CeilMode = False,
    count_include_pad: Annotated[
        bool,
        typer.Option("--count-include-pad/--no-count-include-pad", help="Count the zeros of the padding in the mean."),
    ] = True,
    divisor: Annotated[
        int | None, typer.Option(help="Divide by this instead of by the number of pixels.", show_default=False)
    ] = None,
    at: options.At = None,
    values: options.Values = None,
    image: options.Image = None,
    digit: options.Digit = None,
    seed: options.Seed = 0,
) -> None:
    """Means of windows, divisors, and where gradients go.

    For example: minicnn explain avg_pool2d --kernel 3 --stride 2 --padding 1 --at 0,0,0
    """
    from minicnn import explain

    x = options.the_input(input, values, image, digit, seed)
    sizes = [options.pair(text) for text in (kernel, stride or kernel, padding)]
    explanation = explain.avg_pool2d(x, *sizes, ceil_mode, count_include_pad, divisor, at=options.place(at), seed=seed)
    show(explanation)


def show(explanation: "Explanation") -> None:
    """Write an explanation to the terminal."""
    explanation.print()
