"""`python -m benchmarks judge`: how good a judge `minicnn check` is."""

from collections.abc import Sequence
from statistics import median
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.report import console
from benchmarks.settings import Only, Output
from minicnn.recipes.errors import UserError, plain_errors

HARDEST = 10


@plain_errors
def judge(
    seeds: Annotated[int, typer.Option(help="Seeds for each implementation, from 0.", min=0)] = 1,
    right_seeds: Annotated[
        int | None, typer.Option(help="Seeds for each right one.  [default: as many]", min=0, show_default=False)
    ] = None,
    make_seeds: Annotated[
        int | None,
        typer.Option(
            help="Seeds for each of twelve convolutions of different make.  [default: as --right-seeds]",
            min=0,
            show_default=False,
        ),
    ] = None,
    whole: Annotated[
        int, typer.Option(help="In so many of the seeds a wrong one is judged to the end, and named.", min=0)
    ] = 1,
    processes: Annotated[int, typer.Option(help="Judgements at a time.", min=1)] = 1,
    only: Only = "",
    output: Output = None,
) -> None:
    """Every known mistake and many right implementations judged: recall, false alarms, names, cases needed.

    A run that is stopped goes on where it was, if --output names the same file. Except in the first --whole seeds a
    wrong implementation is judged up to the first finding, which is the same finding after the same cases.
    """
    from benchmarks.judgements import right_ones, run, wrong_ones
    from benchmarks.work.judged import MAKES

    wrong = [title for title in wrong_ones() if only.lower() in title.lower()]
    right = [title for title in right_ones() if only.lower() in title.lower()]
    if not wrong and not right:
        raise UserError(f"no implementation contains {only!r}, such as {next(iter(wrong_ones()))}")
    tasks = [(title, seed, seed < whole) for seed in range(seeds) for title in wrong]
    right_seeds = seeds if right_seeds is None else right_seeds
    make_seeds = right_seeds if make_seeds is None else make_seeds
    asked = {title: make_seeds if title in MAKES else right_seeds for title in right}
    most = max(asked.values(), default=0)
    tasks += [(title, seed, True) for seed in range(most) for title in right if seed < asked[title]]
    judgements: list = []
    with console.status("") as status:
        for judgements in run(tasks, processes, output):
            last = f", the last {judgements[-1].title}" if judgements else ""
            status.update(f"{len(judgements)} of {len(tasks)} judged{last}")
    show_wrong([one for one in judgements if one.title in wrong_ones()])
    show_right([one for one in judgements if one.title in right_ones()])
    if output:
        console.print(f"judgements written to {output}", highlight=False)


def by_title(judgements: Sequence) -> dict[str, list]:
    """The judgements of each implementation."""
    found: dict[str, list] = {}
    for one in judgements:
        found.setdefault(one.title, []).append(one)
    return found


def show_wrong(judgements: Sequence) -> None:
    """Print, for each operation, how many of its mistakes were found, and those that were hard to find."""
    from benchmarks.judgements import wrong_ones
    from benchmarks.work.judged.handful import finds

    if not judgements:
        return
    view = Table(
        title="wrong implementations", caption="a handful: fixed cases against PyTorch, as of course exercises"
    )
    view.add_column("operation", no_wrap=True)
    columns = (
        "mistakes",
        "judgements",
        "found",
        "a handful finds",
        "cases needed",
        "at most",
        "named rightly",
        "seconds",
    )
    for heading in columns:
        view.add_column(heading, justify="right")
    groups: dict[str, list] = {}
    for one in judgements:
        groups.setdefault(one.title.partition(":")[0], []).append(one)
    for name, group in [*groups.items(), ("all", list(judgements))]:
        titles = {one.title for one in group}
        needed = [one.needed for one in group if one.needed is not None]
        ended = [one for one in group if one.whole]
        view.add_row(
            name,
            str(len(titles)),
            str(len(group)),
            f"{sum(not one.passed for one in group) / len(group):.1%}",
            str(sum(finds(wrong_ones()[title]) for title in titles)),
            f"{median(needed):.0f}" if needed else "",
            str(max(needed, default="")),
            f"{sum(one.named == one.title for one in ended) / len(ended):.1%}" if ended else "",
            f"{median(one.seconds for one in ended):.1f}" if ended else "",
            end_section=name != "all" and name == list(groups)[-1],
        )
    console.print(view)
    for one in judgements:
        if one.passed:
            console.print(f"[red]missed[/] {one.title}, seed {one.seed}", highlight=False)
        elif one.whole and one.named != one.title:
            said = f"called {one.named}" if one.named else "not named"
            console.print(f"{one.title}, seed {one.seed}: {said}", highlight=False)
    hard = sorted(by_title(judgements).items(), key=lambda item: -max(one.needed or 0 for one in item[1]))
    for title, group in hard[:HARDEST]:
        needed = [one.needed for one in group if one.needed is not None]
        if needed:
            told = f"found after {median(needed):.0f} cases, at most {max(needed)}"
            console.print(f"[dim]{title}:[/] {told}", highlight=False)


def show_right(judgements: Sequence) -> None:
    """Print how often each right implementation was acquitted, and every false alarm."""
    if not judgements:
        return
    view = Table(title="right implementations")
    view.add_column("implementation", no_wrap=True)
    for heading in ("seeds", "acquitted", "cases", "seconds"):
        view.add_column(heading, justify="right")
    for title, group in by_title(judgements).items():
        acquitted = sum(one.passed for one in group)
        view.add_row(
            title,
            str(len(group)),
            f"[{'green' if acquitted == len(group) else 'red'}]{acquitted}[/]",
            f"{median(one.cases for one in group):.0f}",
            f"{median(one.seconds for one in group):.1f}",
        )
    console.print(view)
    alarms = [one for one in judgements if not one.passed]
    console.print(f"false alarms: {len(alarms)} of {len(judgements)}", highlight=False)
    for one in alarms:
        console.print(f"[red]false alarm[/] {one.title}, seed {one.seed}: {one.sentence}", highlight=False, markup=True)
