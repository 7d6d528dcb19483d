"""`minicnn explain`: one operation shown on numbers, forward and backward."""

from typing import TYPE_CHECKING

import typer

from minicnn.cli import explain_options as options
from minicnn.cli.errors import UserError, failing_with

if TYPE_CHECKING:
    from minicnn.explain import Explanation

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show one operation on numbers, forward and backward."
)

one_sentence = failing_with(2, IndexError)
"""What a bad option ends with: one sentence, and exit status 2."""


@app.command()
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
    """Convolution: window, patch row and sum of an output pixel; where its gradient goes; costs.

    For example: minicnn explain conv2d --input 1,5,5 --kernel 3 --stride 2 --padding 1
    """
    from minicnn import explain
    from minicnn.explain import sources
    from minicnn.explain.given import drawn

    x = options.the_input(input, values, image, digit, seed)
    if weight is not None:
        options.refuse("--weight", kernel=kernel, outputs=outputs)
        weights = sources.array_file(weight)
    else:
        C = x.array.shape[-3] if x.array.ndim > 2 else 1
        if C % groups or (outputs or groups) % groups:
            raise UserError(f"--groups {groups} doesn't divide the {C} channels and {outputs or groups} outputs")
        shape = (outputs or groups, C // groups, *options.pair(kernel or "3"))
        weights = drawn("weight", shape, seed)
    biases = drawn("bias", weights.array.shape[:1], seed) if bias else None
    steps = options.pair(stride), options.padding_of(padding), options.pair(dilation)
    show(explain.conv2d(x, weights, biases, *steps, groups, at=options.place(at), seed=seed))


def show(explanation: "Explanation") -> None:
    """Write an explanation to the terminal."""
    explanation.print()
