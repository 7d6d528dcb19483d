"""`minicnn learn`: the course."""

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.recipes.errors import UserError, plain_errors, say, tell

if TYPE_CHECKING:
    from minicnn.learn import Chapter
    from minicnn.learn.progress import Progress


@plain_errors
def learn(
    number: Annotated[int | None, typer.Argument(metavar="[CHAPTER]", help="Its number.", show_default=False)] = None,
    check: Annotated[bool, typer.Option("--check", help="Judge your file.")] = False,
    hint: Annotated[bool, typer.Option("--hint", help="Give the next of three hints.")] = False,
    solution: Annotated[bool, typer.Option("--solution", help="Show a solution, and minicnn's own lines.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Your file.  [default: learn_NN.py in this folder]", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the whole course as one page.", show_default=False, metavar="FILE")
    ] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write a notebook for each chapter.", show_default=False, metavar="FOLDER")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget which chapters are done.")] = False,
) -> None:
    """A course: build a convolutional network yourself, chapter by chapter.

    `minicnn learn` lists the chapters, `minicnn learn 3` shows one and writes its exercise, and with --check judges
    what you made of it.
    """
    from minicnn.learn import CHAPTERS
    from minicnn.learn.progress import Progress

    if reset:
        Progress().write()
        say("No chapter is done now. Your files are left as they are.")
    elif html is not None:
        _write_page(html)
    elif notebook is not None:
        _write_notebooks(notebook)
    elif number is None:
        _list()
    elif number not in CHAPTERS:
        raise UserError(f"there is no chapter {number}; they are 1 to {len(CHAPTERS)}")
    elif hint:
        _hint(CHAPTERS[number])
    elif solution:
        _show_solution(CHAPTERS[number])
    elif check:
        _check(CHAPTERS[number], file or Path(CHAPTERS[number].file))
    else:
        _show(CHAPTERS[number], file or Path(CHAPTERS[number].file))


def _list() -> None:
    from minicnn.learn import CHAPTERS
    from minicnn.learn.progress import Progress

    done = Progress.read().done
    for number, chapter in CHAPTERS.items():
        mark = f"done {done[number]}" if number in done else f"{chapter.minutes} minutes"
        say(f"{number:3}  {chapter.title:48}  {mark}")
    left = next((number for number in CHAPTERS if number not in done), None)
    say("\nAll chapters are done." if left is None else f"\nGo on: minicnn learn {left}")


def _width() -> int:
    return max(min(shutil.get_terminal_size().columns, 100), 60)


def _show(chapter: "Chapter", path: Path) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from minicnn.explain.terminal.printing import in_ascii
    from minicnn.learn import markdown, stub
    from minicnn.learn.text import heading

    text = f"# {heading(chapter)}\n\n{markdown(chapter)}"
    console = Console(width=_width())
    console.print(Markdown(in_ascii(text) if console.options.ascii_only else text, code_theme="bw"))
    if path.exists():
        say(f"\n{path} is there already, and left as it is.")
    else:
        with path.open("x", encoding="utf-8") as file:
            file.write(stub(chapter))
        say(f"\nThe exercise is in {path}.")
    say(f"Check it: minicnn learn {chapter.number} --check    A hint: minicnn learn {chapter.number} --hint")


def _hint(chapter: "Chapter") -> None:
    from minicnn.learn.progress import Progress

    progress = Progress.read()
    given = min(progress.hints.get(chapter.number, 0) + 1, len(chapter.hints))
    progress.hints[chapter.number] = given
    hint = f"{given}. {chapter.hints[given - 1]}"
    say(textwrap.fill(hint, _width(), subsequent_indent="   ", break_on_hyphens=False))
    _keep(progress)
    if given == len(chapter.hints):
        say(f"\nThat was the last hint; a solution: minicnn learn {chapter.number} --solution")


def _show_solution(chapter: "Chapter") -> None:
    from minicnn.learn.text import sources

    say(f"# One solution, {chapter.file}\n\n{chapter.solution}")
    for path, line, source in sources(chapter):
        say(f"# In minicnn: {path}, line {line}\n\n{source}")


def _check(chapter: "Chapter", path: Path) -> None:
    from minicnn.learn import CHAPTERS, check
    from minicnn.learn.progress import Progress

    number = chapter.number
    if not path.is_file():
        raise UserError(f"there is no file {path}; minicnn learn {number} writes one to start from")
    report = check(chapter, path.resolve(), _width(), say=say)
    say(report.text)
    if not report.passed:
        say(f"\nA hint: minicnn learn {number} --hint")
        raise typer.Exit(1)
    progress = Progress.read()
    progress.finish(number)
    _keep(progress)
    say(f"Go on: minicnn learn {number + 1}" if number + 1 in CHAPTERS else "That was the last one.")


def _keep(progress: "Progress") -> None:
    try:
        progress.write()
    except OSError as error:
        tell(f"the progress can't be kept ({error.strerror}: {error.filename})")


def _write_page(path: Path) -> None:
    from minicnn.learn.page import render
    from minicnn.serialization.files import replacing

    text = render()
    with replacing(path) as file:
        file.write(text.encode())
    say(f"The course is in {path}.")


def _write_notebooks(folder: Path) -> None:
    try:
        from minicnn.learn.notebooks import write
    except ModuleNotFoundError as error:
        raise UserError(
            f'notebooks need {error.name}, which is not installed: pip install "minicnn[notebook]"'
        ) from None
    for path in write(folder):
        say(str(path))
