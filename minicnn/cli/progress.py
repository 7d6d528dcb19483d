"""The progress of a training: a table, and on a terminal a bar with the pace and the time that is left."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def progress(
    header: str | None, epochs: int, batches: int, batch_size: int, print_line: Callable[[str], Any]
) -> Iterator[tuple[Callable | None, Callable[[str], Any]]]:
    """A table with rows yet to come; on a terminal, below it, a bar that runs through every epoch.

    Args:
        header: of the table; None for one that was printed already.
        epochs, batches, batch_size: how long the training is.
        print_line: where lines go that no terminal shows.

    Yields: what `fit` takes as `on_batch`, and what prints a row.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        if header is not None:
            print_line(header)
        yield None, print_line
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    console = Console(highlight=False)
    place = "epoch {task.fields[epoch]} of {task.fields[epochs]}, batch {task.completed} of {task.total}"
    columns = [TextColumn(text, table_column=Column(overflow="fold")) for text in (place, "{task.fields[state]}")]
    with Progress(columns[0], BarColumn(10), columns[1], console=console, transient=True) as bar:
        task = bar.add_task("", total=batches, epoch=1, epochs=epochs, state="compiling")
        began, steps = time.perf_counter(), 0

        def on_batch(epoch: int, batch: int, loss: float) -> None:
            nonlocal began, steps
            steps += 1
            if steps == 1:  # that one had kernels to compile or to load
                began = time.perf_counter()
                state = f"loss {loss:.4g}"
            else:
                pace = (time.perf_counter() - began) / (steps - 1)
                left = pace * (batches * (epochs - epoch + 1) - batch)
                state = f"loss {loss:.4g}, {batch_size / pace:,.0f} images/s, {clock(left)} left"
            bar.update(task, completed=batch, epoch=epoch, state=state)

        if header is not None:
            console.print(header, style="bold")
        yield on_batch, console.print


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
