"""`python -m benchmarks`: minicnn beside PyTorch."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from benchmarks.compare import compare
from benchmarks.curves import curves
from benchmarks.judge import judge
from benchmarks.ladder import ladder
from benchmarks.pictures import pictures
from benchmarks.report import report
from benchmarks.scale import scale
from benchmarks.settings import Only, Output, Plot, Repeat, Seconds, Threads, Turns
from minicnn.recipes.errors import plain_errors


class LeNetFirst(TyperGroup):
    """Commands, `lenet` being meant where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's, with `lenet` put before options that stand alone."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = ["lenet", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=LeNetFirst, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def main() -> None:
    """minicnn beside PyTorch; without a command, `lenet`."""


@app.command()
@plain_errors
def lenet(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
) -> None:
    """LeNet's training step and its layers."""
    from benchmarks.work.layers import LENET, convolution
    from benchmarks.work.training import training_step
    from minicnn.models import lenet
    from reference.models import LeNet

    works = [training_step(f"LeNet step, batch {n}", lenet, LeNet, (n, 1, 28, 28)) for n in (4, 64, 128)]
    works += [convolution(layer, backward) for layer in LENET for backward in (False, True)]
    report(
        "LeNet",
        works,
        threads=threads,
        seconds=seconds,
        turns=turns,
        repeat=repeat,
        only=only,
        output=output,
        plot=plot,
    )


@app.command()
@plain_errors
def conv(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
    algorithm: Annotated[
        str, typer.Option(help="auto, or a name; winograd and grouped time the layers they can do.")
    ] = "auto",
) -> None:
    """Convolution layers of LeNet to VGG-16: forward, and forward with backward."""
    from benchmarks.work.layers import GROUPED, LAYERS, SINGLE, WINOGRAD, convolution

    check_algorithm(algorithm)
    layers = {"winograd": WINOGRAD, "grouped": GROUPED[:-2]}.get(algorithm, LAYERS + SINGLE)
    works = [convolution(layer, backward, algorithm) for backward in (False, True) for layer in layers]
    title = "convolution layers" + (f", algorithm={algorithm!r}" if algorithm != "auto" else "")
    report(
        title, works, threads=threads, seconds=seconds, turns=turns, repeat=repeat, only=only, output=output, plot=plot
    )


@app.command()
@plain_errors
def ops(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Norms, activations, pooling, copies and losses, forward and backward."""
    from benchmarks.work.operators import operators

    title = "operators, forward and backward"
    report(
        title,
        operators(),
        threads=threads,
        seconds=seconds,
        turns=turns,
        repeat=repeat,
        only=only,
        output=output,
        plot=plot,
    )


@app.command()
@plain_errors
def grouped(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Convolution layers of several groups, depthwise ones among them."""
    from benchmarks.work.layers import GROUPED, convolution

    works = [convolution(layer, backward) for backward in (False, True) for layer in GROUPED]
    title = "layers of several groups"
    report(
        title, works, threads=threads, seconds=seconds, turns=turns, repeat=repeat, only=only, output=output, plot=plot
    )


@app.command()
@plain_errors
def networks(
    threads: Threads = 0,
    seconds: Seconds = 0.3,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Training steps of what programs train: MobileNets, EfficientNet's blocks, DenseNet, U-Net, DCGAN …"""
    from benchmarks.work.training import network_steps

    title = "training steps of what programs train"
    report(
        title,
        network_steps(),
        threads=threads,
        seconds=seconds,
        turns=turns,
        repeat=repeat,
        only=only,
        output=output,
        plot=plot,
    )


@app.command()
@plain_errors
def train(
    threads: Threads = 0,
    seconds: Seconds = 0.5,
    turns: Turns = 7,
    repeat: Repeat = 1,
    only: Only = "",
    output: Output = None,
    plot: Plot = None,
    winograd: Annotated[bool, typer.Option(help="Allow Winograd's algorithm in minicnn.")] = False,
) -> None:
    """Training steps of LeNet, the MNIST CNN, AlexNet and ResNet-18."""
    from benchmarks.work.training import steps
    from minicnn import backends

    title = "training steps" + (", with Winograd" if winograd else "")
    with backends.winograd(winograd):
        report(
            title,
            steps(),
            threads=threads,
            seconds=seconds,
            turns=turns,
            repeat=repeat,
            only=only,
            output=output,
            plot=plot,
        )


def check_algorithm(name: str) -> None:
    """Raise for an algorithm that doesn't exist."""
    from minicnn.kernels.convolution import ALGORITHMS

    if name not in ("auto", *ALGORITHMS):
        raise typer.BadParameter(f"{name!r} is unknown; there are auto, {', '.join(ALGORITHMS)}")


app.command()(scale)
app.command()(compare)
app.command()(curves)
app.command()(ladder)
app.command()(judge)
app.command()(pictures)

if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
