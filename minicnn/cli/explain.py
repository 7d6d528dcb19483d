"""`minicnn explain`: one operation shown on numbers, forward and backward."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from minicnn.cli import explain_options as options
from minicnn.models import MODELS
from minicnn.recipes.errors import UserError, failing_with, not_negative, one_of, share

if TYPE_CHECKING:
    from minicnn.explain.explanation import Explanation
    from minicnn.explain.shown import Shown

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show one operation on numbers, forward and backward."
)

REDUCTIONS = ("mean", "sum", "none")
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
    html: options.Html = None,
    schedule: options.Schedule = False,
) -> None:
    """Windows, patch rows, sums, and where gradients go; or how the engine computes it.

    For example: minicnn explain conv2d --input 1,5,5 --kernel 3 --stride 2 --padding 1
    """
    from minicnn import explain
    from minicnn.explain.given import drawn

    x = options.the_input(input, values, image, digit, seed)
    weights = options.the_weight(x, weight, kernel, outputs, groups, seed)
    biases = drawn("bias", weights.array.shape[:1], seed) if bias else None
    steps = options.pair(stride), options.padding_of(padding), options.pair(dilation)
    if schedule:
        if html is not None:
            raise UserError("--schedule is printed; it doesn't go with --html")
        show(explain.schedule(x.array.shape, weights.array.shape, *steps, groups))
        return
    show_or_save(explain.conv2d(x, weights, biases, *steps, groups, at=options.place(at), seed=seed), html)


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
    html: options.Html = None,
) -> None:
    """How input pixels are spread, sums, and gradients.

    For example: minicnn explain conv_transpose2d --input 1,3,3 --kernel 3 --stride 2
    """
    from minicnn import explain
    from minicnn.explain.given import drawn

    x = options.the_input(input, values, image, digit, seed, (1, 1, 3, 3))
    weights = options.the_weight(x, weight, kernel, outputs, groups, seed, transposed=True)
    O = weights.array.shape[1] * groups if weights.array.ndim > 1 else 1
    biases = drawn("bias", (O,), seed) if bias else None
    step, cut, more = (options.pair(text) for text in (stride, padding, output_padding))
    explanation = explain.conv_transpose2d(
        x, weights, biases, step, cut, more, groups, options.pair(dilation), at=options.place(at), seed=seed
    )
    show_or_save(explanation, html)


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
    html: options.Html = None,
) -> None:
    """Maxima of windows, ties, and where gradients go.

    For example: minicnn explain max_pool2d --input 1,5,5 --kernel 3 --stride 1
    """
    from minicnn import explain

    x = options.the_input(input, values, image, digit, seed)
    window, step, border, apart = (options.pair(text) for text in (kernel, stride or kernel, padding, dilation))
    show_or_save(explain.max_pool2d(x, window, step, border, apart, ceil_mode, at=options.place(at), seed=seed), html)


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
    html: options.Html = None,
) -> None:
    """Means of windows, divisors, and where gradients go.

    For example: minicnn explain avg_pool2d --kernel 3 --stride 2 --padding 1 --at 0,0,0
    """
    from minicnn import explain

    x = options.the_input(input, values, image, digit, seed)
    window, step, border = (options.pair(text) for text in (kernel, stride or kernel, padding))
    explanation = explain.avg_pool2d(
        x, window, step, border, ceil_mode, count_include_pad, divisor, at=options.place(at), seed=seed
    )
    show_or_save(explanation, html)


@app.command("batch_norm")
@one_sentence
def batch_norm(
    input: options.Batch = None,
    training: Annotated[
        bool, typer.Option("--training/--eval", help="Normalise by the batch's statistics, or by the running ones.")
    ] = True,
    affine: Annotated[bool, typer.Option("--affine/--no-affine", help="Whether there are weights and biases.")] = True,
    momentum: Annotated[float, typer.Option(callback=share, help="How far the running statistics move.")] = 0.1,
    eps: Annotated[float, typer.Option(callback=not_negative, help="What is added to the variance.")] = 1e-5,
    at: options.Element = None,
    values: options.Values = None,
    image: options.Image = None,
    digit: options.Digit = None,
    seed: options.Seed = 0,
    html: options.Html = None,
) -> None:
    """A channel's statistics, the three terms of its gradient.

    For example: minicnn explain batch_norm --input 2,2,2,2 --at 0,1,1,0
    """
    from minicnn import explain
    from minicnn.explain.given import drawn, frozen

    x = options.the_input(input, values, image, digit, seed, (2, 2, 2, 2))
    C = x.array.shape[1] if x.array.ndim > 1 else 1
    weight, bias = (drawn(name, (C,), seed) if affine else None for name in ("scale", "bias"))
    mean, var = (frozen(np.full(C, value), f"np.full({C}, {value})") for value in (0.0, 1.0))
    place = options.place(at)
    show_or_save(explain.batch_norm(x, mean, var, weight, bias, training, momentum, eps, at=place, seed=seed), html)


@app.command("cross_entropy")
@one_sentence
def cross_entropy(
    input: options.Scores = "3,4",
    target: options.Target = None,
    class_weight: options.ClassWeight = None,
    ignore_index: Annotated[int, typer.Option(help="A class whose rows count nothing.")] = -100,
    label_smoothing: Annotated[
        float, typer.Option(callback=share, help="How much of the target is spread over all classes, 0 to 1.")
    ] = 0.0,
    reduction: Annotated[
        str, typer.Option(callback=one_of(dict.fromkeys(REDUCTIONS)), help=f"{', '.join(REDUCTIONS)}.")
    ] = "mean",
    at: Annotated[int, typer.Option(min=0, help="The row that is explained.")] = 0,
    values: options.Values = None,
    seed: options.Seed = 0,
    html: options.Html = None,
) -> None:
    """Softmax, the loss of a row, and its gradient p − y.

    For example: minicnn explain cross_entropy --input 2,3 --target 0,2 --label-smoothing 0.1
    """
    from minicnn import explain
    from minicnn.explain import sources
    from minicnn.explain.given import drawn, drawn_classes

    if values is None:
        x = drawn("input", options.whole_numbers(input), seed)
    else:
        x = sources.array_file(values)
    N, K = x.array.shape if x.array.ndim == 2 else (1, x.array.size)
    classes = drawn_classes(N, K, seed) if target is None else options.whole_numbers(target)
    weight = None if class_weight is None else options.real_numbers(class_weight)
    show_or_save(explain.cross_entropy(x, classes, weight, ignore_index, reduction, label_smoothing, at=at), html)


@app.command("entropy")
@one_sentence
def entropy(
    p: Annotated[
        str | None,
        typer.Option(
            callback=options.probabilities, help="What is true: probabilities such as 0.5,1/4,0.25.", show_default=False
        ),
    ] = None,
    q: Annotated[
        str | None,
        typer.Option(callback=options.probabilities, help="What a network says.", show_default=False),
    ] = None,
    logits: Annotated[
        str | None,
        typer.Option(callback=options.real, help="Scores of which q is the softmax.", show_default=False),
    ] = None,
) -> None:
    """Entropy, cross-entropy, KL; softmax beside log.

    For example: minicnn explain entropy --p 1,0,0 --logits 2,1,-1
    """
    from minicnn import explain

    true, said = (None if text is None else options.fractions(text) for text in (p, q))
    show(explain.entropy(true, said, None if logits is None else options.real_numbers(logits)))


@app.command("sizes")
@one_sentence
def sizes(
    model: Annotated[
        str | None,
        typer.Argument(
            callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.  [default: three famous ones compared]"
        ),
    ] = None,
    input_size: Annotated[
        str | None,
        typer.Option(
            callback=options.numbers(3, 3, "C,H,W such as 3,224,224", 1),
            help="C,H,W of the image.  [default: what the network is made for]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """A network's sizes, parameters, multiply-adds.

    For example: minicnn explain sizes lenet --input-size 1,32,32
    """
    from minicnn import explain

    if model is None:
        if input_size is not None:
            raise ValueError("--input-size needs a MODEL")
        show(explain.compare_sizes())
    else:
        show(explain.sizes(model, None if input_size is None else options.whole_numbers(input_size)))


@app.command("rewrites")
@one_sentence
def rewrites() -> None:
    """How the engine sees one convolution as another.

    For example: minicnn explain rewrites
    """
    from minicnn import explain

    show(explain.rewrites())


def show(explanation: "Shown") -> None:
    """Write an explanation to the terminal."""
    explanation.print()


def show_or_save(explanation: "Explanation", html: Path | None) -> None:
    """Write an explanation to the terminal, or as a page to a file."""
    if html is None:
        show(explanation)
        return
    explanation.save(html)
    typer.echo(f"{html}: open it in a browser; it needs nothing else")
