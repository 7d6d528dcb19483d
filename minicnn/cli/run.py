"""`minicnn run`: a program written for PyTorch, executed as it is."""

from typing import Annotated

import typer

from minicnn.compat.run import Program, run_with_report
from minicnn.compat.run import run as run_program
from minicnn.recipes.errors import UserError, plain_errors


def run(
    script: Annotated[str, typer.Argument(help="A Python program; with -m the name of a module.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="What the program is given.")] = None,
    module: Annotated[bool, typer.Option("-m", help="Run a module, as `python -m` does.")] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="List every name of torch's that the program asks for and minicnn has not. Missing names become "
            "stand-ins that fail when they are called.",
        ),
    ] = False,
) -> None:
    """Execute a program written for PyTorch as it is: `import torch` and `import torchvision` give minicnn."""
    program = find(script, arguments or [], module)
    if not report:
        raise typer.Exit(run_program(program))
    status, lines = run_with_report(program)
    if lines:
        typer.echo(f"\n{script} asks for {len(lines)} names that are missing:" if len(lines) > 1 else "")
    typer.echo("\n".join(lines) or f"\nEvery name that {script} asks for is there.")
    raise typer.Exit(status)


@plain_errors
def find(script: str, arguments: list[str], module: bool) -> Program:
    """The program to run.

    Raises:
        UserError: there is none of that name.
    """
    try:
        return Program(script, arguments, module)
    except (OSError, ImportError) as error:
        raise UserError(str(error)) from error
