"""`minicnn check`: whether a convolution of one's own is right, and what is wrong about it."""

from pathlib import Path
from typing import Annotated

import typer

from minicnn.recipes.errors import positive

TAKES = ("numpy", "torch", "minicnn")
CANNOT_TRY = 2


def mapping_of(text: str) -> dict[str, str]:
    """`s=stride,p=padding` as a dictionary."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not equals or not own.strip() or not meant.strip() for own, equals, meant in pairs):
        raise typer.BadParameter(f"must be like s=stride,p=padding, got {text!r}")
    return {own.strip(): meant.strip() for own, _, meant in pairs}


def one_that_is_taken(value: str) -> str:
    """A callback for --takes."""
    if value not in TAKES:
        raise typer.BadParameter(f"must be one of {', '.join(TAKES)}, got {value!r}")
    return value


def check(
    target: Annotated[
        str | None, typer.Argument(help="file.py:function or package.module:function.", show_default=False)
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="Judge a program instead: './mine IN.npz OUT.npz'.", show_default=False)
    ] = None,
    op: Annotated[str | None, typer.Option(help="The operation.  [default: told by the function's name]")] = None,
    backward: Annotated[str | None, typer.Option(help="The function that gives the gradients.")] = None,
    examples: Annotated[int | None, typer.Option(callback=positive, help="How many cases to try.")] = None,
    seconds: Annotated[float, typer.Option(callback=positive, help="How long to go on, at most.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = 0,
    factor: Annotated[
        float | None,
        typer.Option(
            callback=positive, help="Factor of the rounding bound, for methods that rearrange sums.  [default: 4]"
        ),
    ] = None,
    map: Annotated[str, typer.Option(help="Your parameters' names: s=stride,p=padding.", show_default=False)] = "",
    takes: Annotated[
        str, typer.Option(callback=one_that_is_taken, help=f"What the function takes: {', '.join(TAKES)}.")
    ] = "numpy",
    only: Annotated[
        list[str] | None, typer.Option(help="Ask about these rows of the table alone; repeat it, or use commas.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the verdict as JSON.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the verdict as JUnit's XML.")] = None,
    reproducer: Annotated[
        Path | None,
        typer.Option(help="Where to write the script that shows the mistake.  [default: among temporary files]"),
    ] = None,
) -> None:
    """Judge an implementation of conv2d, pooling, …: exit status 0 right, 1 wrong, 2 could not be tried."""
    mapping = mapping_of(map)
    try:
        from minicnn.testing.files import write_json, write_junit
        from minicnn.testing.judge import EXAMPLES, judge
        from minicnn.testing.process import CannotTryError
    except ModuleNotFoundError as error:
        raise stop(f'judging needs {error.name}, which is not installed: pip install "minicnn[check]"') from None
    if (target is not None and command is not None) or target is command is backward:
        raise stop("name a function (file.py:function) or a program (--command './mine IN.npz OUT.npz')")
    if command is not None and not ("IN.npz" in command and "OUT.npz" in command):
        raise stop("the command needs IN.npz and OUT.npz, which stand for two files: ./mine IN.npz OUT.npz")
    try:
        verdict = judge(
            target if command is None else command,
            op,
            backward,
            examples=examples or EXAMPLES,
            seconds=seconds,
            seed=seed,
            factor=factor,
            only=[part for one in only or () for part in one.split(",")],
            takes=takes,
            mapping=mapping,
        )
    except CannotTryError as error:
        raise stop(str(error)) from None
    except KeyboardInterrupt:
        raise stop("interrupted") from None
    try:
        path = verdict.write_reproducer(reproducer)
        if json is not None:
            write_json(verdict, json)
        if junit is not None:
            write_junit(verdict, junit)
    except OSError as error:
        raise stop(f"{error.strerror}: {error.filename}") from None
    typer.echo(verdict.text(path))
    raise typer.Exit(0 if verdict.passed else 1)


def stop(message: str) -> typer.Exit:
    """One sentence on standard error, and exit status 2."""
    typer.echo(f"Error: {' '.join(message.split())}", err=True)
    return typer.Exit(CANNOT_TRY)
