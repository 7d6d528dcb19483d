"""The command line: `minicnn train`, `minicnn evaluate`, `minicnn predict`, `minicnn summary`, `minicnn run`,
`minicnn check`, `minicnn explain`, `minicnn learn`, `minicnn filters`, `minicnn inspect`, `minicnn speedrun`."""

import codecs
import io
import sys
from typing import Annotated

import typer

import minicnn
from minicnn.cli import check, evaluate, explain, filters, inspect, learn, predict, run, speedrun, summary, train

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


def _replaced(error: UnicodeError) -> tuple[str, int]:
    from minicnn.explain.terminal.printing import in_ascii  # rich comes with it

    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


def _write_what_can_be_written() -> None:
    """Let words stand for signs such as × where a stream's encoding hasn't them."""
    codecs.register_error("in_ascii", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="in_ascii")


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Convolutional networks from scratch: train one, evaluate its weights, ask about a picture, count its costs."""
    _write_what_can_be_written()


for command in (
    train.train, evaluate.evaluate, predict.predict, summary.summary, check.check, filters.filters, learn.learn,
    speedrun.speedrun,
):  # fmt: skip
    app.command()(command)

app.command(name="inspect")(inspect.inspect_)

# what follows the script belongs to the script, options too
app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False})(run.run)

app.add_typer(explain.app, name="explain")
