"""What a user did wrong, or the world around them, in one line and without a traceback."""

import contextlib
import functools
import math
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import typer

from minicnn.errors import unknown


class UserError(Exception):
    """A failure whose message is all that a user needs."""


def failing_with(status: int, *others: type[Exception]) -> Callable[[Callable], Callable]:
    """Let a command fail with one line on standard error and an exit status.

    Errors that minicnn raises on purpose are of the kinds below. Anything else is a bug, and keeps its
    traceback.

    Args:
        status: the exit status.
        others: further kinds of errors that this command's users may cause.
    """
    usual = (UserError, ValueError, RuntimeError, OSError, FloatingPointError, MemoryError)
    expected: tuple[type[Exception], ...] = (*usual, *others)

    def decorate(command: Callable) -> Callable:
        @functools.wraps(command)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return command(*args, **kwargs)
            except typer.Exit:  # a RuntimeError of click's, with a status of its own
                raise
            except expected as error:
                typer.echo(f"Error: {one_line(error)}", err=True)
                raise typer.Exit(status) from error

        return guarded

    return decorate


plain_errors = failing_with(1)
"""What a command fails with: one line, and exit status 1."""


def say(line: str) -> None:
    """Print a line at once, even into a pipe; where nobody can read any more, go on without."""
    if sys.stdout is None:
        return
    try:
        print(line, flush=True)
    except OSError as error:
        muted = os.open(os.devnull, os.O_WRONLY)
        os.dup2(muted, 1)  # what is left in the buffer goes there, too
        os.close(muted)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (it is the standard output from now on)
        tell(f"nothing more can be printed ({error.strerror}); the work goes on")


def tell(sentence: str) -> None:
    """Print a sentence on standard error, if there is one."""
    with contextlib.suppress(OSError):
        print(f"minicnn: {sentence}", file=sys.stderr, flush=True)


def one_line(error: BaseException) -> str:
    """An error's message without line breaks."""
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split())


def one_of(known: Mapping[str, Any]) -> Callable[[str | None], str | None]:
    """A callback for an option that takes one of the names in `known`."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in known:
            raise typer.BadParameter(unknown(value, known))
        return value

    return check


def positive(value: float | None) -> float | None:
    """A callback for an option that takes a finite number above zero."""
    if value is not None and not (math.isfinite(value) and value > 0):
        least = "at least 1" if isinstance(value, int) else "a finite number above 0"
        raise typer.BadParameter(f"must be {least}, got {value}")
    return value


def share(value: float | None) -> float | None:
    """A callback for an option that takes a number from 0 to 1."""
    if value is not None and not 0 <= value <= 1:
        raise typer.BadParameter(f"must be between 0 and 1, got {value}")
    return value


def not_negative(value: float | None) -> float | None:
    """A callback for an option that takes a finite number, zero or more."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter(f"must be a finite number, 0 or more, got {value}")
    return value
