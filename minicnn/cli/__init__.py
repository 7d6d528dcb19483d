"""The command line: `minicnn train`, `minicnn evaluate`, `minicnn predict`, `minicnn summary`, `minicnn run`,
`minicnn check`, `minicnn explain`, `minicnn filters`, `minicnn inspect`."""

from typing import Annotated

import typer

import minicnn
from minicnn.cli import check, evaluate, explain, filters, inspect, predict, run, summary, train

__all__ = ["app"]

app = typer.Typer(
    name="minicnn",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help and errors: one line each, in a log too
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"minicnn {minicnn.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Convolutional networks from scratch: train one, evaluate its weights, ask about a picture, count its costs."""


for command in (train.train, evaluate.evaluate, predict.predict, summary.summary, check.check, filters.filters):
    app.command()(command)

app.command(name="inspect")(inspect.inspect_)

# what follows the script belongs to the script, options too
app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False})(run.run)

app.add_typer(explain.app, name="explain")
